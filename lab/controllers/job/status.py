"""What a Job's status says of its state: its conditions, and the events that go with them. Pure.

`status` is changed in place; what has happened comes back as events: (Normal|Warning, reason, message).
"""

from lab.apimachinery.meta import at, condition, with_condition

from .verdict import FAILURE, FINAL, Verdict

Events = list[tuple[str, str, str]]


def _tell(status: dict, kind: str, reason: str, message: str, time: float, is_so: str = "True") -> bool:
    """Set a condition; whether it was otherwise before."""
    old = condition({"status": status}, kind)
    unchanged = old if old and old["status"] == is_so else None
    told = with_condition(status.get("conditions", []), kind, is_so, reason, message)
    moment = unchanged["lastTransitionTime"] if unchanged else at(time)
    times = {"lastProbeTime": moment, "lastTransitionTime": moment}
    status["conditions"] = [{**one, **times} if one["type"] == kind else one for one in told]
    return unchanged is None


def suspension(status: dict, suspended: bool, time: float) -> Events:
    """A Job that was never suspended does not say that it is not. Resumed, its deadline counts anew."""
    if suspended:
        changed = _tell(status, "Suspended", "JobSuspended", "Job suspended", time)
        return [("Normal", "Suspended", "Job suspended")] if changed else []
    was = condition({"status": status}, "Suspended")
    if not was or not _tell(status, "Suspended", "JobResumed", "Job resumed", time, "False"):
        return []
    status["startTime"] = at(time)
    return [("Normal", "Resumed", "Job resumed")]


def ending(job: dict, status: dict, end: Verdict, pods_left: bool, time: float) -> Events:
    """First that it will end, and how; once no pod is left, that it has."""
    _tell(status, end.kind, end.reason, end.message, time)
    if pods_left:
        return []
    _tell(status, FINAL[end.kind], end.reason, end.message, time)
    if end.kind == FAILURE:
        return [("Warning", end.reason, end.message)]
    status["completionTime"] = at(time)
    done = ("Normal", "Completed", "Job completed")
    wanted, succeeded = job["spec"].get("completions"), status.get("succeeded", 0)
    if wanted is None or succeeded <= wanted:
        return [done]
    words = "Too many succeeded pods running after completion count reached"
    return [("Warning", "TooManySucceededPods", words), done]
