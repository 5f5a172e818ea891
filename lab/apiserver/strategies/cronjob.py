"""CronJob: a Job each time that the clock says so. Source: kubernetes/pkg/apis/batch/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause
from lab.apimachinery.schedules import Schedule, Unscheduled

from .base import Strategy
from .causes import invalid, not_negative, one_of, required, unsupported
from .job import validate_job_spec
from .workload import default_template

POLICIES = ("Allow", "Forbid", "Replace")
NUMBERS = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
# A Job is called after its CronJob and its minute, eleven more characters, and each of its pods is labelled with that.
LONGEST_NAME = 52
JOB = "spec.jobTemplate.spec"


class CronJobStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("concurrencyPolicy"):
            spec["concurrencyPolicy"] = "Allow"
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        default_template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec, name = obj["spec"], obj["metadata"].get("name", "")
        if len(name) > LONGEST_NAME:
            yield invalid("metadata.name", name, f"must be no more than {LONGEST_NAME} characters")
        yield from _validate_schedule(spec)
        for field in NUMBERS:
            yield from not_negative(f"spec.{field}", spec.get(field))
        yield from one_of("spec.concurrencyPolicy", spec["concurrencyPolicy"], POLICIES)
        job = spec["jobTemplate"]["spec"]
        yield from validate_job_spec(job, JOB)
        if job.get("selector") is not None:
            yield invalid(f"{JOB}.selector", job["selector"], "`selector` will be auto-generated")
        if job.get("manualSelector"):
            yield unsupported(f"{JOB}.manualSelector", True, ("nil", "false"))

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        if new["spec"] != old["spec"]:
            yield from self.validate(new)


def _validate_schedule(spec: dict) -> Iterator[Cause]:
    text, zone = spec.get("schedule"), spec.get("timeZone")
    if zone == "":
        yield invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string")
        return
    if zone is not None and zone.lower() == "local":
        words = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid("spec.timeZone", zone, words)
        return
    try:
        Schedule("@daily", zone)
    except Unscheduled as error:
        yield invalid("spec.timeZone", zone, str(error))
        zone = None
    if not text:
        yield required("spec.schedule")
    elif "TZ" in text:
        yield invalid("spec.schedule", text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    else:
        try:
            Schedule(text, zone)
        except Unscheduled as error:
            yield invalid("spec.schedule", text, str(error))
