"""The questions that deployments, replica sets, stateful sets and daemon sets raise."""

from collections.abc import Iterator

from lab.apimachinery.kinds import PODS, RELEASES, REPLICASETS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition

from ..authors import called
from ..grounds import because
from . import quoted, releases, sizes
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_condition, of_event, of_spec, of_value
from .refusals import refused
from .sizes import be, many
from .subject import Subject

REVISION = "deployment.kubernetes.io/revision"
RELEASE = "orrery.io/release"
TIMED_OUT, DONE = "ProgressDeadlineExceeded", "NewReplicaSetAvailable"  # of the condition Progressing
STOPPED, FAR = "Why has the rollout stopped?", "How far is the rollout?"
READY, UNREADY = "Are its pods ready?", "Why are its pods not ready?"


def deployments(subject: Subject) -> Iterator[Card]:
    yield from _rollout(subject)
    yield from sizes.cards(subject)


def _rollout(subject: Subject) -> Iterator[Card]:
    obj = subject.obj
    progress = condition(obj, "Progressing") or {}
    told = "Progressing" if progress.get("reason") == "ReplicaSetCreateError" else "ReplicaFailure"
    if card := refused(subject, of_condition(subject, told)):
        yield card
    if obj["spec"].get("paused"):
        yield from _paused(subject)
    elif (obj["metadata"].get("annotations") or {}).get(RELEASE):
        yield from _steered(subject)
    elif _is_complete(obj):
        yield from _complete(subject)
    else:
        yield _under_way(subject, progress)


def _paused(subject: Subject) -> Iterator[Card]:
    row = of_spec(subject, "paused")
    if row is None:
        return
    who = called(row["author"])
    answer = f"{capital(who)} has paused it: a changed template makes no new pods until it is resumed."
    resume = kubectl("rollout", "resume", f"deployment/{subject.name}", namespace=subject.namespace)
    grounds = [ground(row, f"{who} paused it", "spec.paused")]
    yield Card(STOPPED, answer, "DeploymentPaused", grounds, Help("Resume it.", resume))


def _steered(subject: Subject) -> Iterator[Card]:
    """In the words of the release that says how many pods of each version there are."""
    name = subject.obj["metadata"]["annotations"][RELEASE]
    row = of_value(subject, lambda obj: (obj["metadata"].get("annotations") or {}).get(RELEASE))
    release = subject.other(RELEASES, subject.namespace, name)
    card = next(releases.cards(release), None) if release else None
    if row is None or card is None:
        return
    grounds = [ground(row, f"release {name} steers it", f"annotation {RELEASE}"), *card.because]
    yield Card(
        FAR, f"Release {name} steers it, and is {card.reason}: {card.answer}", "ReleaseInControl", grounds, card.help
    )


def _is_seen(obj: dict) -> bool:
    """Whether its controller has looked at it since it was changed."""
    return bool(obj.get("status", {}).get("observedGeneration", 0) >= obj["metadata"].get("generation", 0))


def _is_complete(obj: dict) -> bool:
    status, wanted = obj.get("status", {}), sizes.replicas_of(obj)
    counts = (status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas"))
    return _is_seen(obj) and all(count == wanted for count in counts)


def _complete(subject: Subject) -> Iterator[Card]:
    wanted = sizes.replicas_of(subject.obj)
    pods = {0: "it wants no pods", 1: "its one pod is"}.get(wanted, f"all {wanted} pods are")
    answer = f"It is done: {pods}{' of the present version and available' if wanted else ''}."
    yield Card(FAR, answer, "Complete", of_condition(subject, "Progressing") or of_condition(subject, "Available"))


def _under_way(subject: Subject, progress: dict) -> Card:
    """How far it is; and what keeps the first of its new pods from being ready, in that pod's own words."""
    status, wanted = subject.obj.get("status", {}), sizes.replicas_of(subject.obj)
    updated, available = (status.get(field, 0) for field in ("updatedReplicas", "availableReplicas"))
    are = be(updated if wanted > 1 else 1)
    answer = f"{updated} of {many(wanted, 'pod')} {are} new, and {available} {be(available)} available."
    late, is_rolled_out = progress.get("reason") == TIMED_OUT, progress.get("reason") == DONE and _is_seen(subject.obj)
    grounds = of_condition(subject, "Progressing") if late else []
    sets = _versions(subject)
    if late:
        answer += f" For {subject.obj['spec'].get('progressDeadlineSeconds')} s nothing came of it."
    elif is_rolled_out:
        answer = f"{available} of {many(wanted, 'pod')} {be(available)} available."
        if available >= wanted:
            answer = f"It has {many(status.get('replicas', 0), 'pod')} and wants {wanted}: the others are to go."
    found = quoted.troubled(subject, quoted.unready(pod for rs in sets for pod in quoted.owned(rs, PODS)))
    stuck = late
    if found:
        pod, card = found
        stuck = late or card.reason not in quoted.ON_THEIR_WAY
        answer += f" Pod {pod['metadata']['name']} is not ready: {card.answer}"
        grounds += card.because
    reason = TIMED_OUT if late else "RolloutStuck" if stuck else "Progressing"
    question = STOPPED if stuck and not is_rolled_out else UNREADY if is_rolled_out and available < wanted else FAR
    help_ = _way_out(subject, found[1] if found else None, _way_back(subject, sets[1:])) if stuck else None
    return Card(question, answer, reason, grounds + _pace(sets), help_)


def _versions(subject: Subject) -> list[Subject]:
    """Its replica sets: the one of its present template, if it is made, then those that still have pods."""
    revision = (subject.obj["metadata"].get("annotations") or {}).get(REVISION)
    owned = quoted.owned(subject, REPLICASETS)
    new = [rs for rs in owned if (rs["metadata"].get("annotations") or {}).get(REVISION) == revision]
    old = [rs for rs in owned if rs not in new and (sizes.replicas_of(rs) or rs.get("status", {}).get("replicas"))]
    found = (subject.other(REPLICASETS, subject.namespace, rs["metadata"]["name"]) for rs in (*new, *old))
    return [rs for rs in found if rs]


def _pace(sets: list[Subject]) -> list[Ground]:
    """What its controller decided last about their sizes."""
    rows = [row for rs in sets if (row := rs.decision("ScaleReplicaSets"))]
    newest = max(rows, key=lambda row: row["revision"], default=None)
    if newest is None:
        return []
    why = newest["why"]
    pace = f"maxSurge {why['maxSurge']}, maxUnavailable {why['maxUnavailable']}"
    name = pace if why["strategy"] == "RollingUpdate" else why["strategy"]
    return [ground(newest, because(why), name)]


def _way_back(subject: Subject, old: list[Subject]) -> Help | None:
    """The newest of the versions before that serves: the last one may be as bad as this one."""
    numbers = sorted(
        int((rs["metadata"].get("annotations") or {}).get(REVISION, 0)) for rs in quoted.owned(subject, REPLICASETS)
    )
    serving = [
        int((rs.obj["metadata"].get("annotations") or {}).get(REVISION, 0))
        for rs in old
        if rs.obj.get("status", {}).get("availableReplicas")
    ]
    if not serving:
        return None
    undo, number = ["rollout", "undo", f"deployment/{subject.name}"], max(serving)
    if number in numbers[-2:]:
        return Help("Go back to the version before.", kubectl(*undo, namespace=subject.namespace))
    command = kubectl(*undo, f"--to-revision={number}", namespace=subject.namespace)
    return Help(f"Go back to revision {number}, which serves.", command)


def _way_out(subject: Subject, card: Card | None, back: Help | None) -> Help | None:
    """Whatever helps its pod, if a command does; else the way back to a version that serves, where one does."""
    return card.help if card and card.help and (card.help.command or not back) else back


def replica_sets(subject: Subject) -> Iterator[Card]:
    """Of ReplicationControllers too."""
    if card := refused(subject, of_condition(subject, "ReplicaFailure")):
        yield card
    yield _kept(subject, sizes.replicas_of(subject.obj), subject.obj.get("status", {}).get("readyReplicas", 0))
    yield from sizes.cards(subject)


def stateful_sets(subject: Subject) -> Iterator[Card]:
    status, wanted = subject.obj.get("status", {}), sizes.replicas_of(subject.obj)
    if status.get("replicas", 0) < wanted and (card := _event_refused(subject)):
        yield card
    yield _kept(subject, wanted, status.get("readyReplicas", 0), _in_order(subject))
    yield from _kept_back(subject, wanted - status.get("updatedReplicas", 0))
    yield from sizes.cards(subject)


def daemon_sets(subject: Subject) -> Iterator[Card]:
    status = subject.obj.get("status", {})
    wanted = status.get("desiredNumberScheduled", 0)
    if status.get("currentNumberScheduled", 0) < wanted and (card := _event_refused(subject)):
        yield card
    yield _kept(subject, wanted, status.get("numberReady", 0))
    yield from _kept_back(subject, wanted - status.get("updatedNumberScheduled", 0))
    row = of_value(subject, lambda obj: obj.get("status", {}).get("desiredNumberScheduled", 0))
    answer = (
        f"One on each of the {many(wanted, 'node')} that its node selector, affinity and tolerations let it run on."
    )
    grounds = [ground(row, f"{many(wanted, 'node')} fit", "desiredNumberScheduled")] if row else []
    yield Card(f"Why {many(wanted, 'pod')}?", answer, "OnePerNode", grounds)


def _event_refused(subject: Subject) -> Card | None:
    return refused(subject, of_event(subject, "FailedCreate", "SuccessfulCreate"))


def _kept(subject: Subject, wanted: int, ready: int, rule: str = "") -> Card:
    """Whether its pods are ready; if not, what keeps the first of them from it. `rule`: what waits for that one."""
    answer, row = _counted(wanted, ready), of_value(subject, _ready_of)
    counted = [ground(row, answer.rstrip("."), "status")] if row else []
    if ready >= wanted:
        return Card(READY, answer, "Complete" if ready == wanted else "Progressing", counted)
    found = quoted.troubled(subject, quoted.unready(quoted.owned(subject, PODS)))
    if found is None:
        return Card(READY, answer, "Progressing", counted)
    pod, card = found
    answer = f"{answer} Pod {pod['metadata']['name']}: {card.answer}"
    if card.reason in quoted.ON_THEIR_WAY:
        return Card(READY, answer, "Progressing", [*card.because, *counted])
    return Card(UNREADY, f"{answer}{rule}", "RolloutStuck", [*card.because, *counted], card.help)


def _counted(wanted: int, ready: int) -> str:
    if ready > wanted:
        return f"It has {many(ready, 'pod')} that {be(ready)} ready and wants {wanted or 'none'}: the others are to go."
    if wanted < 2:
        return f"Its one pod is {'' if ready else 'not '}ready." if wanted else "It wants no pods."
    if ready in (0, wanted):
        return f"All {wanted} pods are ready." if ready else f"None of its {wanted} pods is ready."
    return f"{ready} of its {wanted} pods {be(ready)} ready."


def _ready_of(obj: dict) -> int:
    status = obj.get("status", {})
    return int(status.get("readyReplicas", status.get("numberReady", 0)))


def _in_order(subject: Subject) -> str:
    if subject.obj["spec"].get("podManagementPolicy") == "Parallel":
        return ""
    return " The pods after it wait for it (podManagementPolicy OrderedReady)."


def _kept_back(subject: Subject, old: int) -> Iterator[Card]:
    """Why pods keep an old version, where that is how the set was told to update."""
    strategy = subject.obj["spec"].get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    by_hand = strategy.get("type") == "OnDelete"
    row = of_spec(subject, "updateStrategy")
    if old <= 0 or row is None or not (by_hand or partition):
        return
    rule = f"updateStrategy {'OnDelete' if by_hand else f'RollingUpdate, partition {partition}'}"
    until = "until somebody deletes them" if by_hand else f"while they have a number below {partition}"
    answer = f"{many(old, 'pod')} of an old version stay as they are {until}: so says its {rule}."
    grounds = [ground(row, f"{called(row['author'])} set it so", rule)]
    yield Card("Why are there old pods?", answer, "OnDelete" if by_hand else "Partition", grounds)
