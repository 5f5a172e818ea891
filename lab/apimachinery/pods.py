"""What every part asks of a pod. Pure."""

FINISHED = ("Succeeded", "Failed")  # the phases in which it is over


def is_finished(pod: dict) -> bool:
    """Its containers have ended for good: it will never run again, and its node's capacity is free."""
    return pod.get("status", {}).get("phase") in FINISHED
