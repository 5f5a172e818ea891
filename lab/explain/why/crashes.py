"""Why does it not keep running, why was it restarted, how did it end? From what the kubelet decided and reported."""

from collections.abc import Iterator

from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import is_deleting, parse_time
from lab.apiserver.tables.cells import human_duration

from ..authors import called
from ..grounds import because
from ..words import fault_words
from .card import Card, Ground, Help, ground
from .recorded import of_event, of_value
from .subject import Subject

CRASHING, RESTARTED, ENDED = "Why does it not keep running?", "Why was it restarted?", "Why has it ended?"
CHANGED = "SpecChanged"  # as the kubelet calls it
CANNOT_RUN = 128  # the exit code of what could not be started (kubelet)
REFUSED = "unable to start container process: "  # after this an engine that has runc says what was the matter
LONGEST = 200  # characters of a message


def statuses(pod: dict) -> dict[str, dict]:
    """Container → its status, those first that come first."""
    status = pod.get("status", {})
    listed = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return {one["name"]: one for one in listed}


def short(message: str) -> str:
    """A sentence of it."""
    message = " ".join(message.split())
    cut = message if len(message) <= LONGEST else f"{message[:LONGEST]} …"
    return cut if cut.endswith((".", "…")) else f"{cut}."


def crashing(subject: Subject, name: str, told: dict) -> Card:
    end, restarts = told.get("lastState", {}).get("terminated") or {}, told.get("restartCount", 0)
    times = f" It has been restarted {_times(restarts)} so far." if restarts else ""
    fall = _fall(subject, name, end)
    answer = f"{_fell(fall, name, end)}.{times} {_next_try(subject, name)}"
    waits = _decided(subject, "Wait", name, "CrashLoopBackOff")
    if end.get("exitCode") == CANNOT_RUN:
        said = of_event(subject, "Failed")
        message = end.get("message") or (said[0].text if said else "")
        answer, waits = f"{answer} {short(message.rpartition(REFUSED)[2])}" if message else answer, [*said, *waits]
    return Card(CRASHING, answer, "CrashLoopBackOff", [*fall, *waits], _mend(subject, name, end, fall))


def _fell(fall: list[Ground], name: str, end: dict) -> str:
    if fall and fall[0].name == CHANGED:
        return f"The kubelet ended container {name} to start it anew, because its definition was changed"
    if not _is_sick(fall):
        return f"Container {name} {_ending(end)}{_lived(end)}"
    said = fall[0].text.partition(": ")[2].rstrip(".")
    return f"The kubelet ended container {name}, because its probe failed for good{f' ({said})' if said else ''}"


def _is_sick(fall: list[Ground]) -> bool:
    return bool(fall) and fall[0].name == "Unhealthy"


def _fall(subject: Subject, name: str, end: dict) -> list[Ground]:
    """What ended that run: a fault, or the kubelet, because somebody had changed the container."""
    began = parse_time(end["startedAt"]) if end.get("startedAt") else 0.0
    if fault := [one for one in fault_of(subject, name) if one.time >= began]:
        return fault
    killed = [one for one in _decided(subject, "KillContainer", name, CHANGED) if one.time >= began]
    changed = of_value(subject, lambda pod: [one["image"] for one in pod["spec"]["containers"]]) if killed else None
    who = [ground(changed, f"{called(changed['author'])} changed its image", "spec.containers")] if changed else []
    return killed + who


def _next_try(subject: Subject, name: str) -> str:
    found = _step(subject, "Wait", name)
    if found is None:
        return "The kubelet waits before the next try, longer after each failure."
    row, step = found
    left = round(row["time"] + step["seconds"] - subject.now)
    when = f"in {left} s" if left > 0 else "now"
    return f"The kubelet waits longer after each failure: this time {step['seconds']:g} s, the next try is {when}."


def _step(subject: Subject, action: str, name: str) -> tuple[dict, dict] | None:
    """The newest row by which the kubelet decided to do that to a container, and the step."""
    for row in subject.decided:
        for step in row["why"].get("steps") or ():
            if step["action"] == action and step.get("container") == name:
                return row, step
    return None


def _decided(subject: Subject, action: str, name: str, called: str = "SyncPod") -> list[Ground]:
    if found := _step(subject, action, name):
        row, step = found
        return [ground(row, step.get("reason") or because(row["why"]), called)]
    return []


def fault_of(subject: Subject, name: str, *reasons: str) -> list[Ground]:
    """The newest row that tells of a fault of this container: that it died, that a probe failed for good."""
    wanted = reasons or ("ContainerDied", "Unhealthy")
    for row in subject.decided:
        fault = row["why"].get("fault") or {}
        if fault.get("container") == name and fault["reason"] in wanted:
            said = fault.get("probe") or (fault.get("message") if fault["reason"] == "NotReady" else "")
            words = f"{fault_words(fault)}: {short(said)}" if said else fault_words(fault)
            return [ground(row, words, fault.get("ended") or fault["reason"])]
    return []


def _ending(ended: dict) -> str:
    if ended.get("reason") == "OOMKilled":
        return "needed more memory than its limit, and was killed (OOMKilled)"
    if ended.get("reason") == "ContainerStatusUnknown":
        return "vanished from its engine"
    if ended.get("signal"):
        return f"was ended by signal {ended['signal']}"
    code = ended.get("exitCode", 0)
    if code == CANNOT_RUN:
        return "could not be started at all"
    if code == 137:
        return "was killed (exit code 137)"
    return "ended by itself (exit code 0)" if code == 0 else f"ended with exit code {code}"


def _lived(ended: dict) -> str:
    if not ended.get("startedAt") or not ended.get("finishedAt"):
        return ""
    seconds = max(0.0, parse_time(ended["finishedAt"]) - parse_time(ended["startedAt"]))
    if ended.get("exitCode") == CANNOT_RUN:
        return ""
    return f", {human_duration(seconds)} after it had started" if seconds >= 1 else ", as soon as it had started"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _mend(subject: Subject, name: str, ended: dict, fall: list[Ground]) -> Help | None:
    if subject.gone or (fall and fall[0].name == CHANGED):
        return None
    command = kubectl("logs", subject.name, "-c", name, "--previous", namespace=subject.namespace)
    if ended.get("reason") == "OOMKilled":
        return Help("Raise its memory limit (resources.limits.memory), or have it use less.", "")
    if ended.get("exitCode") == CANNOT_RUN:
        return Help("Name a program that its image has (command), or an image that has it.")
    if _is_sick(fall):
        return Help("Read what it said last, and make it answer its probe, or mend the probe.", command)
    return Help("Read what it said last, and mend that.", command)


def restarted(subject: Subject) -> Iterator[Card]:
    """Of each container that was, the last time."""
    for name, told in statuses(subject.obj).items():
        end, count = told.get("lastState", {}).get("terminated") or {}, told.get("restartCount", 0)
        waiting = told.get("state", {}).get("waiting") or {}
        if not count or not end or waiting.get("reason") == "CrashLoopBackOff":
            continue
        before = _fall(subject, name, end)
        answer = f"{_fell(before, name, end)}. It has been restarted {_times(count)} so far."
        begun = _decided(subject, "StartContainer", name)
        grounds = before + [one for one in begun if not before or one.revision > before[0].revision]
        yield Card(RESTARTED, answer, "Restarted", grounds, _mend(subject, name, end, before))


def ended(subject: Subject) -> Iterator[Card]:
    """Of a pod that has ended for good, and had not been told to."""
    status = subject.obj["status"]
    row = subject.since(lambda pod: pod.get("status", {}).get("phase") == status["phase"])
    if row and is_deleting(row["object"]):
        return
    grounds = [ground(row, f"its phase is {status['phase']}", f"phase {status['phase']}")] if row else []
    if status["phase"] == "Succeeded":
        answer = "Its work is done: all its containers ended with exit code 0, and nothing restarts them."
        yield Card(ENDED, answer, "Completed", grounds)
        return
    ends = {name: _end(one) for name, one in statuses(subject.obj).items()}
    name, bad = next(((name, end) for name, end in ends.items() if end.get("exitCode")), ("", {}))
    policy = subject.obj["spec"].get("restartPolicy", "Always")
    if status.get("message"):
        answer = f"It has failed: {short(status['message'])}"
    elif name:
        answer = f"Container {name} {_ending(bad)}{_lived(bad)}, and with restartPolicy {policy} it is not restarted."
    else:
        answer = "It has failed, and no container says how."
    help_ = Help("Read what it said.", kubectl("logs", subject.name, "-c", name, namespace=subject.namespace))
    reason = status.get("reason") or bad.get("reason") or "Error"
    grounds = [*fault_of(subject, name), *grounds]
    yield Card(ENDED, answer, reason, grounds, help_ if name and not subject.gone else None)


def _end(told: dict) -> dict:
    return told.get("state", {}).get("terminated") or told.get("lastState", {}).get("terminated") or {}
