"""What to do next for a pod: the heart of the kubelet, as one pure function.

Kubernetes calls it computePodActions (pkg/kubelet/kuberuntime/kuberuntime_manager.go). It looks at what the pod
asks for and at what the engine has, and answers with a plan; carrying it out is somebody else's work. Each call
plans one step. When the step is done something changes (a container starts, or dies), and that calls it again.
So there is no script of a pod's life anywhere, and a kubelet that was killed in the middle needs no memory of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lab.runtime import Container, Sandbox

from .pods import (
    all_containers,
    container_statuses,
    containers,
    ephemeral_containers,
    init_containers,
    is_finished,
    is_sidecar,
    restart_policy,
)
from .status import lost, next_attempt, of_name

UNHEALTHY, SPEC_CHANGED = "Unhealthy", "SpecChanged"
# Seconds until the dead container may start again: 0 for now. Told its name and the one that died.
Remaining = Callable[[str, Container], float]


@dataclass(frozen=True)
class Start:
    container: dict
    attempt: int
    init: bool
    reason: str  # why now, in words


@dataclass(frozen=True)
class Kill:
    target: Container
    reason: str  # UNHEALTHY | SPEC_CHANGED
    message: str


@dataclass
class Plan:
    """The next step. Order of execution: kill_pod, else create_sandbox, kill, start.

    `waiting` holds, for containers in CrashLoopBackOff, the seconds still to wait. `finished` says that the pod has
    nothing left to run: it has Succeeded or Failed.
    """

    kill_pod: str = ""
    finished: bool = False
    create_sandbox: str = ""
    kill: list[Kill] = field(default_factory=list)
    start: list[Start] = field(default_factory=list)
    waiting: dict[str, float] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.kill_pod or self.create_sandbox or self.kill or self.start)

    def as_why(self) -> dict:
        """The decision as data, kept beside the status it led to."""
        steps: list[dict] = []
        if self.kill_pod:
            steps.append({"action": "KillPod", "reason": self.kill_pod})
        if self.create_sandbox:
            steps.append({"action": "CreatePodSandbox", "reason": self.create_sandbox})
        steps += [{"action": "KillContainer", "container": k.target.name, "reason": k.message} for k in self.kill]
        steps += [
            {"action": "StartContainer", "container": s.container["name"], "attempt": s.attempt, "reason": s.reason}
            for s in self.start
        ]
        steps += [{"action": "Wait", "container": n, "seconds": round(t, 1)} for n, t in self.waiting.items()]
        return {"decision": "SyncPod", "steps": steps}


def compute_pod_actions(
    pod: dict, sandbox: Sandbox | None, unhealthy: Mapping[str, str], started: Mapping[str, bool], remaining: Remaining
) -> Plan:
    """The plan for a pod that is not being deleted.

    `unhealthy`: containers whose liveness or startup probe has failed for good → its message. `started`: what startup
    probes say of running containers (missing: it has started). `remaining`: the crash back-off.
    """
    if is_finished(pod):
        why = pod["status"].get("message") or "the pod is finished"
        return Plan(kill_pod=why if sandbox and sandbox.ready else "", finished=True)
    if sandbox is None or not sandbox.ready:
        return _from_scratch(pod, sandbox)
    look = _Look(pod, sandbox, unhealthy, started, remaining)
    plan = Plan()
    _look_into(look, plan)
    if not _initialized(look, plan):
        return plan
    return _main_actions(look, plan)


@dataclass(frozen=True)
class _Look:
    pod: dict
    sandbox: Sandbox
    unhealthy: Mapping[str, str]
    started: Mapping[str, bool]
    remaining: Remaining

    def newest(self, container: dict) -> Container | None:
        found = of_name(self.sandbox, container["name"])
        return found[0] if found else None

    def told(self, container: dict) -> dict:
        return container_statuses(self.pod).get(container["name"], {})


def _from_scratch(pod: dict, sandbox: Sandbox | None) -> Plan:
    """There is no network to join (a new pod; or its pause container died): make one, and everything in it anew.

    Init containers run again then, because what they prepared may have gone with the sandbox.
    """
    told = container_statuses(pod)
    again = [c for c in containers(pod) if _may_run_again(pod, _known_end(sandbox, c, told.get(c["name"], {})))]
    if not again:
        return Plan(finished=True)
    plan = Plan(create_sandbox="the pod's network is gone" if sandbox or _ever_ran(told) else "the pod has none yet")
    first = init_containers(pod)[:1] or again
    for container in first:
        found = of_name(sandbox, container["name"])
        attempt = next_attempt(found[0] if found else None, told.get(container["name"], {}))
        plan.start.append(Start(container, attempt, bool(init_containers(pod)), "its pod's sandbox is new"))
    return plan


def _ever_ran(told: dict[str, dict]) -> bool:
    return any(status.get("containerID") for status in told.values())


def _known_end(sandbox: Sandbox | None, container: dict, told: dict) -> int | None:
    """The exit code of its last run; None if it never ran. One that vanished while running counts as killed."""
    found = of_name(sandbox, container["name"])
    if found:
        return found[0].exit_code if found[0].state == "exited" else 137
    if lost(None, told):
        return 137
    ended = told.get("state", {}).get("terminated") or told.get("lastState", {}).get("terminated")
    return ended["exitCode"] if ended else None


def _may_run_again(pod: dict, exit_code: int | None) -> bool:
    """The restart policy: Always, OnFailure (exit code other than 0) or Never. What never ran may run under all."""
    if exit_code is None:
        return True
    policy = restart_policy(pod)
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def _look_into(look: _Look, plan: Plan) -> None:
    """Ephemeral containers start whatever the others do, for they are there to see why; once, and never again."""
    for container in ephemeral_containers(look.pod):
        if look.newest(container) is None and not look.told(container).get("containerID"):
            plan.start.append(Start(container, 0, False, "it was added to look into the pod"))


def _initialized(look: _Look, plan: Plan) -> bool:
    """Go through the init containers in order; whether the main ones may run. Adds what is to do on the way.

    A plain init container must succeed before the next one starts; a sidecar (restartPolicy: Always) must have
    started. Once a main container exists the plain ones are never run again: sidecars are only kept alive.
    """
    begun = any(look.newest(c) for c in containers(look.pod))
    for container in init_containers(look.pod):
        newest = look.newest(container)
        if is_sidecar(container):
            blocked = _keep_running(look, plan, container, init=True)
        elif begun or (newest and newest.state == "exited" and newest.exit_code == 0):
            continue
        else:
            blocked = _run_once(look, plan, container, newest)
        if plan.finished:
            return False
        if blocked and not begun:
            return False
    return True


def _run_once(look: _Look, plan: Plan, container: dict, newest: Container | None) -> bool:
    """A plain init container that has not succeeded yet. Always blocks what comes after it."""
    if newest is None:
        attempt = next_attempt(None, look.told(container))
        plan.start.append(Start(container, attempt, True, "it is next among the init containers"))
    elif newest.state != "running":
        if restart_policy(look.pod) == "Never":
            plan.kill_pod, plan.finished = f"init container {container['name']} failed", True
            return True
        _restart_when_due(look, plan, container, newest, init=True)
    elif container["name"] in look.unhealthy:
        plan.kill.append(_unhealthy(look, container, newest))
    return True


def _keep_running(look: _Look, plan: Plan, container: dict, init: bool) -> bool:
    """A container that should run. Adds what that takes; whether it holds up those after it."""
    name, newest = container["name"], look.newest(container)
    if newest is None:
        attempt = next_attempt(None, look.told(container))
        plan.start.append(
            Start(container, attempt, init, "it has vanished from the engine" if attempt else "it is new")
        )
        return True
    if newest.state != "running":
        _restart_when_due(look, plan, container, newest, init)
        return True
    if name in look.unhealthy:
        plan.kill.append(_unhealthy(look, container, newest))
        return True
    if newest.image and newest.image != container["image"]:
        # The image is the one field of a running container that may be changed, and it is changed by a restart.
        message = f"Container {name} definition changed, will be restarted"
        plan.kill.append(Kill(newest, SPEC_CHANGED, message))
        return True
    return not look.started.get(name, True)


def _unhealthy(look: _Look, container: dict, newest: Container) -> Kill:
    return Kill(newest, UNHEALTHY, look.unhealthy[container["name"]])


def _restart_when_due(look: _Look, plan: Plan, container: dict, dead: Container, init: bool) -> None:
    """Crash back-off: the first restart is immediate, each one after that waits twice as long as the last."""
    seconds = look.remaining(container["name"], dead)
    if seconds > 0:
        plan.waiting[container["name"]] = seconds
        return
    ended = "was not started" if dead.state == "created" else f"ended with exit code {dead.exit_code}"
    attempt = next_attempt(dead, look.told(container))
    plan.start.append(Start(container, attempt, init, f"it {ended}, restartPolicy is {restart_policy(look.pod)}"))


def _main_actions(look: _Look, plan: Plan) -> Plan:
    """The main containers, side by side. With none left to run the pod is finished, and its sidecars end with it."""
    alive = False
    for container in containers(look.pod):
        newest = look.newest(container)
        code = None
        if newest is None:
            code = _known_end(None, container, look.told(container))
        elif newest.state != "running":
            code = newest.exit_code or int(newest.state == "created")
        if not _may_run_again(look.pod, code):
            continue
        alive = True
        _keep_running(look, plan, container, init=False)
    if alive:
        return plan
    return Plan(kill_pod="all its containers have ended", finished=True)


def killing_order(pod: dict) -> list[list[str]]:
    """How a pod is taken down: main and plain init containers at once, then sidecars one by one, last started first.

    So a sidecar (a proxy, a log shipper) still serves while the application says goodbye.
    """
    sidecars = [c["name"] for c in init_containers(pod) if is_sidecar(c)]
    together = [c["name"] for c in all_containers(pod) if c["name"] not in sidecars]
    return [together, *([name] for name in reversed(sidecars))]
