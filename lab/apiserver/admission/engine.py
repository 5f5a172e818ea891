"""Where the containers of a Node run, if its author does not say: on the engine of the cluster's others; where those
stand on several, on that with the fewest."""

from collections import Counter

from lab.apimachinery.engines import DOCKER, engine_of, kind_of, name_of
from lab.apimachinery.kinds import NODES
from lab.apimachinery.labels import ENGINE_LABEL, RUNTIME_LABEL
from lab.store import View


def stand(view: View, node: dict) -> None:
    """One that is there already stays where it is; a lab with one engine says nothing of it."""
    labels = node["metadata"].get("labels") or {}
    if labels.get(RUNTIME_LABEL) != DOCKER or ENGINE_LABEL in labels:
        return
    old = view.get(NODES.resource, "", node["metadata"].get("name", ""))
    others = (engine_of(each) for each in ([old] if old else view.list(NODES.resource)))
    found = Counter(engine for engine in others if kind_of(engine) == DOCKER)
    if name := name_of(min(found, key=lambda engine: (found[engine], engine), default="")):
        node["metadata"]["labels"] = {**labels, ENGINE_LABEL: name}
