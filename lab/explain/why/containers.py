"""Is it ready, and if not, why? From what the kubelet decided and reported."""

from collections.abc import Iterator

from lab.apimachinery.kinds import NODES
from lab.apimachinery.meta import is_true
from lab.apiserver.tables.cells import human_duration

from ..grounds import because
from . import crashes, placement, revival
from .card import Card, Ground, Help, ground
from .crashes import fault_of, short, statuses
from .recorded import of_condition, of_event, silent_since
from .subject import Subject

STARTING = ("ContainerCreating", "PodInitializing")
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
READY, UNREADY, UNSTARTED = "Is it ready?", "Why is it not ready?", "Why does it not start?"


def cards(subject: Subject) -> Iterator[Card]:
    """Of a pod on a node that has not ended."""
    node = subject.other(NODES, "", subject.obj["spec"]["nodeName"])
    if node and (silence := silent_since(node)):
        yield _unheard(subject, node, silence)
        return
    for name, told in statuses(subject.obj).items():
        waiting = told.get("state", {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason == "CrashLoopBackOff":
            yield crashes.crashing(subject, name, told)
            return
        if reason and reason not in STARTING:
            yield _unstarted(subject, name, waiting)
            return
    if is_true(subject.obj, "Ready"):
        yield _ready(subject)
    elif _runs(subject.obj):
        yield _unready(subject)
    else:
        yield _starting(subject)


def _runs(pod: dict) -> bool:
    main = pod.get("status", {}).get("containerStatuses") or ()
    return bool(main) and all("running" in one.get("state", {}) for one in main)


# On its way, and ready.


def _starting(subject: Subject) -> Card:
    still = {name: one for name, one in statuses(subject.obj).items() if "running" not in one.get("state", {})}
    name, told = next(iter(still.items()), ("", {}))
    reason = (told.get("state", {}).get("waiting") or {}).get("reason") or "ContainerCreating"
    bound = placement.bound(subject)
    node = subject.obj["spec"]["nodeName"]
    ago = human_duration(max(0.0, subject.now - bound["time"])) if bound else ""
    since = f", {ago} after it was put there" if ago else ""
    answer = f"The kubelet of {node} has still to bring up its containers{since}: {name or 'none is reported yet'}."
    if reason == "PodInitializing":
        answer = f"Its init containers have to end before the others start{since}: it is at {name}."
    grounds = [ground(bound, f"put on {node}", "Binding")] if bound else []
    return Card(UNSTARTED, answer, reason, grounds + _steps(subject) + of_event(subject, "Pulling", "FailedMount"))


def _ready(subject: Subject) -> Card:
    row = subject.since(lambda pod: is_true(pod, "Ready"))
    count = len(subject.obj["spec"]["containers"])
    run = "its container runs" if count == 1 else f"all its {count} containers run"
    ago = f"has been ready for {human_duration(max(0.0, subject.now - row['time']))}" if row else "is ready"
    address = subject.obj["status"].get("podIP")
    answer = f"It {ago}: {run}" + (f", and its address is {address}." if address else ".")
    words = because(row["why"]) if row else ""
    grounds = [ground(row, words or "all its containers are ready", "condition Ready")] if row else []
    return Card(READY, answer, "Ready", grounds)


def _unready(subject: Subject) -> Card:
    """It runs: a readiness probe says no, or has not said yes yet."""
    grounds = of_condition(subject, "Ready")
    running = [one for one in statuses(subject.obj).values() if "running" in one["state"]]
    told: dict = next((one for one in running if not one.get("ready")), {})
    name = told.get("name", "")
    spec: dict = next((one for one in subject.obj["spec"]["containers"] if one["name"] == name), {})
    probe = "readinessProbe" if told.get("started") else "startupProbe"
    if probe not in spec:
        gates = [gate["conditionType"] for gate in subject.obj["spec"].get("readinessGates") or ()]
        waits = next((gate for gate in gates if not is_true(subject.obj, gate)), "")
        if waits:
            answer = f"Its containers are ready; it waits for its readiness gate {waits}."
            return Card(UNREADY, answer, "ReadinessGatesNotReady", grounds)
    events = of_event(subject, "Unhealthy")
    word = probe.removesuffix("Probe")
    answer = f"Container {name} runs, but its {word} probe has not succeeded{_every(spec.get(probe))}."
    if events:
        answer = f"Container {name} runs, but fails its {word} probe: {short(events[0].text.partition(': ')[2])}"
    fault = fault_of(subject, name, "NotReady")
    help_ = Help(f"Make {name} answer what its {word} probe asks ({_asks(spec.get(probe))}), or mend the probe.")
    reason = "StartupProbeFailed" if word == "startup" else "ReadinessProbeFailed"
    return Card(UNREADY, answer, reason, [*fault, *grounds, *events], help_)


def _every(probe: dict | None) -> str:
    return f" yet, asked every {probe.get('periodSeconds', 10)} s" if probe else " yet"


def _asks(probe: dict | None) -> str:
    """`GET :8080/ready`."""
    if not probe:
        return "none is declared"
    if get := probe.get("httpGet"):
        return f"GET :{get.get('port')}{get.get('path', '/')}"
    if command := (probe.get("exec") or {}).get("command"):
        return " ".join(command)
    ask = probe.get("tcpSocket") or probe.get("grpc") or {}
    return f"port {ask.get('port', '')}"


# In trouble.


def _unheard(subject: Subject, node: Subject, silence: dict) -> Card:
    """Whatever its containers were last said to do."""
    answer = f"Nobody hears of its node {node.name}, so nobody can vouch for it, and it gets no traffic."
    told = [ground(silence, because(silence["why"]) or f"{node.name} has fallen silent", f"node {node.name}")]
    return Card(UNREADY, answer, "NodeNotReady", [*of_condition(subject, "Ready"), *told], revival.back(node))


def _unstarted(subject: Subject, name: str, waiting: dict) -> Card:
    reason, message = waiting["reason"], short(waiting.get("message") or waiting["reason"])

    def troubled(pod: dict) -> str:
        return (statuses(pod).get(name, {}).get("state", {}).get("waiting") or {}).get("reason", "")

    first = subject.since(lambda pod: troubled(pod) not in ("", *STARTING))
    now = subject.since(lambda pod: troubled(pod) == reason)
    grounds = _both(now, message, first, f"container {name} cannot start", reason)
    if reason not in NO_IMAGE:
        return Card(UNSTARTED, f"Container {name} cannot be started: {message}", reason, grounds, _mend(reason))
    image = next((one["image"] for one in _specs(subject.obj) if one["name"] == name), "")
    answer = f"The image {image} of container {name} cannot be had: {message}"
    words = f"Name an image that exists (kubectl set image), or see that {image} can be pulled."
    if reason == "InvalidImageName":
        words = "Write its name as an image's is: small letters, and one tag, as in shop/web:v1 (kubectl set image)."
    return Card(UNSTARTED, answer, reason, [*grounds, *of_event(subject, "Failed")], Help(words))


def _mend(reason: str) -> Help | None:
    if reason == "CreateContainerConfigError":
        return Help("Create the ConfigMap or Secret that it names, with that key.")
    return Help("Mend its command, its image or its volumes.") if reason != "WheelBroken" else None


def _specs(pod: dict) -> list[dict]:
    return [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]


def _both(now: dict | None, said: str, first: dict | None, began: str, name: str) -> list[Ground]:
    """The row that says it, and that with which it began, if that is another."""
    told = [ground(now, said, name)] if now else []
    return told + ([ground(first, began, name)] if first and now and first["revision"] != now["revision"] else [])


def _steps(subject: Subject) -> list[Ground]:
    """What the kubelet decided last to do for it."""
    row = next((row for row in subject.decided if row["why"].get("steps")), None)
    return [ground(row, because(row["why"]) or "what is missing is made", "SyncPod")] if row else []
