"""What a Visitors object says of itself: Running, Idle or Failed, and why. Pure."""

LAST_SECONDS = 3  # so many in a row, in which there were requests at all, have to fail before it is said


def is_active(spec: dict) -> bool:
    """Whether anybody asks for anything."""
    return spec["rate"] > 0 if "rate" in spec else "thinkSeconds" in spec


def new_status(visitors: dict, has_service: bool, figures: dict | None) -> dict:
    """`figures` is None while the program does not answer."""
    meta, spec = visitors["metadata"], visitors["spec"]
    status = {"observedGeneration": meta.get("generation", 1), "phase": "Running"}
    if not is_active(spec):
        return status | {"phase": "Idle"}
    if not has_service:
        name = spec["service"].partition(":")[0]
        return status | {"phase": "Failed", "message": f'there is no Service "{name}" in namespace {meta["namespace"]}'}
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
