"""Which engine runs a Node's containers, or keeps a volume, as their labels say. Pure.

A lab has one engine of each kind, and may have further Docker engines, on other machines, each with a name.
"""

from .labels import ENGINE_LABEL, RUNTIME_LABEL

DOCKER = "docker"


def engine_of(obj: dict) -> str:
    """`docker`, `process`, `simulated`; `docker.b` for the Docker engine called b; "" if they name none."""
    labels = obj["metadata"].get("labels") or {}
    runtime, name = labels.get(RUNTIME_LABEL, ""), labels.get(ENGINE_LABEL, "")
    return f"{DOCKER}.{name}" if runtime == DOCKER and name else runtime


def labels_of(engine: str) -> dict[str, str]:
    """The labels by which `engine_of` knows it."""
    kind, _, name = engine.partition(".")
    return {RUNTIME_LABEL: kind, **({ENGINE_LABEL: name} if name else {})}


def kind_of(engine: str) -> str:
    return engine.partition(".")[0]


def name_of(engine: str) -> str:
    """`b` of `docker.b`; "" of an engine that needs no name."""
    return engine.partition(".")[2]
