"""Lines of what runs to its end: Job and CronJob."""

from lab.apimachinery.jobs import finished_as
from lab.apimachinery.meta import is_deleting, is_true, parse_time

from .cells import NONE, age, human_duration, label_selector, names_and_images, since


def job_cells(job: dict, now: float) -> list:
    spec, status = job["spec"], job.get("status", {})
    return [
        job["metadata"]["name"],
        _state(job),
        _completions(spec, status.get("succeeded", 0)),
        _duration(status, now),
        age(job, now),
        *names_and_images(spec["template"]),
        label_selector(spec.get("selector")),
    ]


def _state(job: dict) -> str:
    if finished_as(job):
        return finished_as(job)
    if is_deleting(job):
        return "Terminating"
    told = (kind for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if is_true(job, kind))
    return next(told, "Running")


def _completions(spec: dict, succeeded: int) -> str:
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism", 0)
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(status: dict, now: float) -> str:
    """How long it took, or has taken so far; one that failed has no end of its own."""
    if not status.get("startTime"):
        return ""
    end = parse_time(status["completionTime"]) if status.get("completionTime") else now
    return human_duration(end - parse_time(status["startTime"]))


def cronjob_cells(cronjob: dict, now: float) -> list:
    spec, status = cronjob["spec"], cronjob.get("status", {})
    job = spec.get("jobTemplate", {}).get("spec", {})
    last = status.get("lastScheduleTime")
    return [
        cronjob["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(spec.get("suspend", False)),
        len(status.get("active") or ()),
        since(last, now) if last else NONE,
        age(cronjob, now),
        *names_and_images(job.get("template", {})),
        label_selector(job.get("selector")),
    ]
