"""How far a Job is, how it ended and why; when a CronJob starts its next one, and why it did not."""

import datetime
from collections.abc import Iterator

from lab.apimachinery.jobs import finished_as
from lab.apimachinery.kinds import CRONJOBS, JOBS, PODS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition, is_true, parse_time
from lab.apimachinery.schedules import Schedule, Unscheduled
from lab.apiserver.tables.cells import human_duration

from ..authors import called
from ..grounds import because
from . import quoted
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_condition, of_event, of_spec, of_value
from .refusals import refused
from .subject import Subject

FAR = "How far is it?"


def jobs(subject: Subject) -> Iterator[Card]:
    obj, ending = subject.obj, finished_as(subject.obj)
    if ending:
        yield _ended(subject, ending)
    elif is_true(obj, "FailureTarget") or is_true(obj, "SuccessCriteriaMet"):
        kind = "FailureTarget" if is_true(obj, "FailureTarget") else "SuccessCriteriaMet"
        said = condition(obj, kind) or {}
        answer = f"It is decided ({said.get('reason')}: {said.get('message')}), and its last pods are ending."
        yield Card(FAR, answer, said.get("reason", kind), of_condition(subject, kind))
    elif obj["spec"].get("suspend"):
        yield from _suspended(subject)
    else:
        if card := refused(subject, of_event(subject, "FailedCreate", "SuccessfulCreate")):
            yield card
        yield _at_work(subject)


def _counted(obj: dict) -> str:
    spec, status = obj["spec"], obj.get("status", {})
    wanted = f" of {spec['completions']}" if spec.get("completions") is not None else ""
    told = [f"{status.get('succeeded', 0)}{wanted} done"]
    for field, words in (("failed", "failed"), ("active", "at work")):
        told += [f"{status[field]} {words}"] if status.get(field) else []
    return ", ".join(told)


def _ended(subject: Subject, ending: str) -> Card:
    said, spec = condition(subject.obj, ending) or {}, subject.obj["spec"]
    grounds, reason = of_condition(subject, ending), said.get("reason", ending)
    limit = spec.get("backoffLimit", 6)
    if ending == "Complete":
        return Card("How did it end?", f"It is complete: {_counted(subject.obj)}.", reason, grounds)
    why = {
        "BackoffLimitExceeded": f"more of its pods failed than its backoffLimit of {limit} allows",
        "DeadlineExceeded": f"it was not done after {spec.get('activeDeadlineSeconds')} s (activeDeadlineSeconds)",
    }.get(reason, said.get("message", ""))
    answer = f"It has failed and starts no more pods: {why}. {_counted(subject.obj).capitalize()}."
    if last := _last_failure(subject):
        answer += f" The last pod that failed: {last[0].text}."
    return Card("Why has it failed?", answer, reason, grounds + last)


def _last_failure(subject: Subject) -> list[Ground]:
    """What its newest pod that failed says of itself."""
    failed = [pod for pod in quoted.owned(subject, PODS) if pod.get("status", {}).get("phase") == "Failed"]
    card = quoted.of_pod(subject, failed[-1]) if failed else None
    return card.because[:1] if card else []


def _suspended(subject: Subject) -> Iterator[Card]:
    row = of_spec(subject, "suspend")
    if row is None:
        return
    word = subject.kind.singular
    who = called(row["author"])
    answer = f"{capital(who)} has suspended it: until it is resumed it starts no pods."
    patch = ("patch", word, subject.name, "--type=merge", "-p", '{"spec":{"suspend":false}}')
    help_ = Help("Resume it.", kubectl(*patch, namespace=subject.namespace))
    grounds = [ground(row, f"{who} suspended it", "spec.suspend")]
    yield Card("Why does it not run?", answer, "Suspended", grounds, help_)


def _at_work(subject: Subject) -> Card:
    """What keeps one of its pods from running, in the pod's words; after a failure, that it waits before the next."""
    row = subject.decision("SyncJob")
    grounds = [ground(row, because(row["why"]), "Job status")] if row else []
    pods = quoted.owned(subject, PODS)
    found = quoted.troubled(subject, quoted.unready(pods))
    answer = f"{_counted(subject.obj)}."
    if found and found[1].reason not in quoted.ON_THEIR_WAY:
        pod, card = found
        answer += f" Pod {pod['metadata']['name']}: {card.answer}"
        return Card(FAR, answer, card.reason, [*grounds, *card.because], card.help)
    status, limit = subject.obj.get("status", {}), subject.obj["spec"].get("backoffLimit", 6)
    if status.get("failed") and not status.get("active"):
        answer += f" It waits before it tries again, longer after each failure; after {limit + 1} it gives up."
        return Card(FAR, answer, "BackOff", [*grounds, *_last_failure(subject)])
    return Card(FAR, answer, "Progressing", grounds)


def cronjobs(subject: Subject) -> Iterator[Card]:
    obj = subject.obj
    if obj["spec"].get("suspend"):
        yield from _suspended(subject)
        return
    if trouble := of_event(
        subject, "UnknownTimeZone", "FailedCreate", "JobAlreadyActive", "TooManyMissedTimes", "SuccessfulCreate"
    ):
        yield from _missed(subject, trouble)
    yield from _waiting(subject)


MISSED = {
    "JobAlreadyActive": "Its last Job still runs, and it may not start another beside it (concurrencyPolicy Forbid).",
    "TooManyMissedTimes": "It has missed more than 100 of its times: {text}.",
    "UnknownTimeZone": "Its time zone is not known: {text}.",
    "FailedCreate": "The API server did not take its Job: {text}.",
}


def _missed(subject: Subject, trouble: list[Ground]) -> Iterator[Card]:
    reason = trouble[0].name.removeprefix("event ")
    if reason not in MISSED or (reason == "JobAlreadyActive" and not subject.obj.get("status", {}).get("active")):
        return
    yield Card("Why did it not start?", MISSED[reason].format(text=trouble[0].text), reason, trouble)


def _waiting(subject: Subject) -> Iterator[Card]:
    spec = subject.obj["spec"]
    row = of_value(subject, lambda obj: (obj["spec"]["schedule"], obj["spec"].get("timeZone")))
    try:
        schedule = Schedule(spec["schedule"], spec.get("timeZone"))
    except Unscheduled:
        return
    due = schedule.after(subject.now)
    if due is None:
        yield Card("When does it run?", f"Never: no day fits {spec['schedule']}.", "WaitingForItsTime", [])
        return
    at = datetime.datetime.fromtimestamp(due, schedule.zone).strftime("%H:%M %Z on %d %B")
    answer = f"It waits for its time: {spec['schedule']} is next at {at}, in {human_duration(due - subject.now)}."
    last = subject.obj.get("status", {}).get("lastScheduleTime")
    if last:
        answer += f" It last started a Job {human_duration(subject.now - parse_time(last))} ago."
    words = f"{called(row['author'])} set its schedule to {spec['schedule']}" if row else ""
    grounds = [ground(row, words, "spec.schedule")] if row else []
    name = f"{subject.name}-manual"
    create = kubectl(
        "create", JOBS.singular, name, f"--from={CRONJOBS.singular}/{subject.name}", namespace=subject.namespace
    )
    yield Card("When does it run?", answer, "WaitingForItsTime", grounds, Help("Start one now.", create))
