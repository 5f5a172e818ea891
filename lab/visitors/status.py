"""What a Visitors object says of itself: Running, Idle or Failed, and why. Pure."""

from .hosts import what_is_missing

LAST_SECONDS = 3  # so many in a row, in which there were requests at all, have to fail before it is said


def is_active(spec: dict) -> bool:
    """Whether anybody asks for anything."""
    return spec["rate"] > 0 if "rate" in spec else "thinkSeconds" in spec


def new_status(visitors: dict, service: dict | None, figures: dict | None) -> dict:
    """`figures` is None while the program does not answer."""
    meta, spec = visitors["metadata"], visitors["spec"]
    status = {"observedGeneration": meta.get("generation", 1), "phase": "Running"}
    if not is_active(spec):
        return status | {"phase": "Idle"}
    if missing := what_is_missing(visitors, service):
        return status | {"phase": "Failed", "message": missing}
    if figures is None:
        return status | {"phase": "Failed", "message": "the load generator does not answer; it is started again"}
    if not all_fail(figures):
        return status
    last = figures["lastFailures"][-1]
    if last["kind"] == "refused":
        return status | {"phase": "Failed", "message": "nobody listens at the front door"}
    return status | {"message": f"every request fails: {last['status'] or last['kind']}"}


def all_fail(figures: dict) -> bool:
    """A moment without requests says nothing, so it is the last seconds with some that count."""
    series = figures["series"]
    seconds = [both for both in zip(series["requests"], series["errors"], strict=True) if both[0]][-LAST_SECONDS:]
    return bool(seconds) and all(requests == errors for requests, errors in seconds)
