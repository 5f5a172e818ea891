"""Why does nothing happen? Who would have to act on an object now, and is kept from it: by its wheel, or by having no
leader. Asked first of every kind that some loop or kubelet looks after."""

from collections.abc import Iterator

from lab.apimachinery import wheels
from lab.apimachinery.controlplane import (
    CONTROLLER_MANAGER,
    LEADER_NAMESPACE,
    PARTITIONED,
    POWER,
    SCHEDULER,
    is_up,
    members_of,
)
from lab.apimachinery.kinds import LEASES, NODES, WHEELS
from lab.apimachinery.kubectl import kubectl
from lab.apiserver.tables.cells import human_duration
from lab.client.election import is_led
from lab.client.wheels import wheel_of

from ..authors import called
from .card import Card, Ground, Help, ground
from .origin import capital
from .subject import Subject
from .turns import loops_of

QUESTION = "Why does nothing happen?"


def cards(subject: Subject) -> Iterator[Card]:
    loops = () if subject.gone else loops_of(subject)
    yield from _without_leader(subject, loops)
    for loop in loops:
        yield from _wheel(subject, loop)


def _wheel(subject: Subject, loop: str) -> Iterator[Card]:
    wheel, who = wheel_of(subject.client.view(), loop), capital(_turner(loop))
    declared = subject.other(WHEELS, "", loop) if wheel.mode != wheels.RUNNING else None
    row = declared.since(lambda obj: obj["spec"].get("mode") == wheel.mode) if declared else None
    if row is None:
        return
    since = f"{called(row['author'])} did so {human_duration(max(0.0, subject.now - row['time']))} ago"
    answer = {
        wheels.PAUSED: f"{who} is paused, so nobody acts on {subject.name}: {since}. Nothing is lost: it catches up.",
        wheels.SLOW: f"{who} is slowed down to one object in {wheel.seconds:g} s: {since}.",
        wheels.STEP: f"{who} goes by single steps, and has taken {wheel.taken} of {wheel.steps}: {since}.",
        wheels.BROKEN: f"{who} is broken on purpose, and fails at whatever it takes up: {since}.",
    }[wheel.mode]
    grounds = [ground(row, f"its wheel was set to {wheel.mode}", f"wheel {loop}")]
    yield Card(QUESTION, answer, f"Wheel{wheel.mode}", grounds, resumed(loop))


def resumed(loop: str) -> Help:
    """By the name of its wheel."""
    running = kubectl("patch", WHEELS.singular, loop, "--type=merge", "-p", '{"spec":{"mode":"Running"}}')
    return Help(f"Let {_turner(loop)} run again.", running)


def _turner(loop: str) -> str:
    """ "the deployment controller"."""
    if loop.startswith(wheels.KUBELET):
        return f"the kubelet of node {loop.removeprefix(wheels.KUBELET)}"
    return called(wheels.LOOPS[loop])


def _without_leader(subject: Subject, loops: tuple[str, ...]) -> Iterator[Card]:
    """A kubelet has no leader, but nobody at all writes while no control-plane node is up."""
    view = subject.client.view()
    component = SCHEDULER if "scheduler" in loops else CONTROLLER_MANAGER
    if not loops or is_led(view, loops[0]):
        return
    lease = view.get(LEASES.resource, LEADER_NAMESPACE, component)
    members = members_of(lease)
    down = [name for name in members if not is_up(view.get(NODES.resource, "", name))]  # those deleted, too
    grounds = [found for name in down for found in _down(subject, name)]
    if len(down) == len(members):
        answer = f"No control-plane node is up ({', '.join(down)}), so nothing can be changed and nobody acts."
        switch = Help(f"Bring back {down[0]} with its switch on the board: kubectl gets no answer until then.")
        yield Card(QUESTION, answer, "NoControlPlane", grounds, switch)
        return
    if loops[0].startswith(wheels.KUBELET) or lease is None:
        return
    holder, seconds = lease["spec"].get("holderIdentity", ""), lease["spec"]["leaseDurationSeconds"]
    answer = f"{holder} leads the {component}, and is down: until its Lease has run out nobody acts in its place."
    waits = Help(f"Wait: within {seconds} s of its last word another control-plane node takes over.")
    yield Card(QUESTION, answer, "NoLeader", grounds, waits)


def _down(subject: Subject, node: str) -> Iterator[Ground]:
    """The row that took it down."""
    member = subject.other(NODES, "", node)
    row = member.since(lambda obj: not is_up(obj)) if member else None
    if row is None:
        return
    if row["deleted"]:
        yield ground(row, f"{node} was deleted", "Node")
        return
    annotated = row["object"]["metadata"].get("annotations") or {}
    off = annotated.get(POWER) == "off"
    words = f"{node} was switched off" if off else f"{node} was cut off its network"
    yield ground(row, words, f"annotation {POWER if off else PARTITIONED}")
