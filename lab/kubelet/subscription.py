"""What the kubelet wants to be told of. Apart from its task, because every process that writes has to know this, and
only the worker shall carry the kubelet."""

from django.conf import settings

from lab.apimachinery.kinds import WHEELS
from lab.apimachinery.wheels import KUBELET
from lab.store import Change, subscribe

NAME = "kubelet"
WATCHED = ("pods", "nodes", "configmaps", "secrets", WHEELS.resource)


def wants(change: Change) -> bool:
    """Pods that are bound, nodes and their wheels, and what pods read. What the kubelet wrote itself it knows."""
    if change.resource not in WATCHED or change.author == NAME:
        return False
    if change.resource == WHEELS.resource:
        return change.name.startswith(KUBELET)
    return change.resource != "pods" or bool(change.object["spec"].get("nodeName"))


def subscribe_kubelet() -> None:
    """Called once in every process: from now on its writes poke the kubelet where they concern it."""
    subscribe(NAME, "lab.kubelet.tasks.catch_up", settings.KUBELET_QUEUE, wants)
