"""How a node that has fallen silent is brought back: by undoing what took it away. Said here for all who miss it."""

from collections.abc import Iterator
from functools import partial

from lab.apimachinery import wheels
from lab.apimachinery.controlplane import PARTITIONED, POWER
from lab.apimachinery.kubectl import kubectl
from lab.client.wheels import wheel_of

from . import idle
from .card import Help
from .recorded import of_value, silent_since
from .subject import Subject

TAKEN = {POWER: ("off", "switched it off"), PARTITIONED: ("true", "cut it off its network")}


def taken(node: Subject) -> Iterator[tuple[str, str, dict]]:
    """Who took it away: the annotation, what was done, in words, and the row."""
    for key in _keys(node.obj):
        if row := of_value(node, partial(_annotated, key)):
            yield key, TAKEN[key][1], row


def _keys(node: dict) -> list[str]:
    return [key for key, (held, _) in TAKEN.items() if _annotated(key, node) == held]


def _annotated(key: str, node: dict) -> str:
    return str((node["metadata"].get("annotations") or {}).get(key, ""))


def back(node: Subject, words: str = "") -> Help:
    """`words`: what more there is to say of it. Without a command where nobody has taken it away."""
    text = f"Bring {node.name} back{words}."
    if keys := _keys(node.obj):
        return Help(text, kubectl("annotate", "node", node.name, *(f"{key}-" for key in keys)))
    kubelet = wheels.kubelet_of(node.name)
    if wheel_of(node.client.view(), kubelet).mode == wheels.PAUSED:
        return idle.resumed(kubelet)
    return Help(f"{text} See whether its machine and its network are up." if silent_since(node) else text)
