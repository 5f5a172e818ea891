"""The cluster as a whole → rows of the board: what runs its containers, whether anybody steers it, its zones. Pure."""

from collections.abc import Iterable

from lab.apimachinery.controlplane import is_member, is_up
from lab.apimachinery.labels import RUNTIME_LABEL, ZONE_LABEL

from .noderows import is_off
from .rows import Row, compact

LAB = "lab"
ZONES = "zones"
ENGINES = {"docker": "Docker containers", "process": "Local processes", "simulated": "Simulated"}
WARNINGS = {
    "process": "Containers here are local processes of this machine. "
    "With a Docker engine the same lab runs real containers.",
    "simulated": "Some nodes are simulated: nothing runs on them, delays and faults are made up by rule.",
}
HEADLESS = (
    "No control plane has power: the API answers 503, nobody schedules and nobody heals. Pods that have power go "
    "on, and so do their visitors; tiles show what was known last. Power one on to catch up."
)


def zone_of(node: dict) -> str:
    """The id of the row of its zone; empty if it is in none."""
    zone = node["metadata"].get("labels", {}).get(ZONE_LABEL)
    return f"{ZONES}/{zone}" if zone else ""


def zone_row(id_: str, nodes: list[dict]) -> Row:
    """A zone, by the machines in it: what fails together."""
    down = sum(map(is_off, nodes))
    name, count = id_.partition("/")[2], f"{len(nodes)} machine{'s' if len(nodes) != 1 else ''}"
    words = "no power" if down == len(nodes) else f"{down} of {len(nodes)} off" if down else count
    return compact({"id": id_, "kind": "zone", "name": name, "text": words, "down": down, "off": down == len(nodes)})


def lab_row(nodes: Iterable[dict]) -> Row:
    """What the page says of the whole: the engines, and in a line of its own what one may not expect."""
    nodes = list(nodes)
    found = {node["metadata"].get("labels", {}).get(RUNTIME_LABEL) for node in nodes}
    heads = [node for node in nodes if is_member(node)]
    headless = heads and not any(map(is_up, heads))
    warning = HEADLESS if headless else " ".join(words for name, words in WARNINGS.items() if name in found)
    engine = " + ".join(words for name, words in ENGINES.items() if name in found)
    return compact(
        {"id": LAB, "kind": "lab", "engine": engine, "warning": warning, "grave": bool(headless), "heads": len(heads)}
    )
