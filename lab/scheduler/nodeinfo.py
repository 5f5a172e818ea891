"""What the scheduler knows of a node: what it offers, what is taken, who is there. Kubernetes' NodeInfo."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from .podinfo import PodInfo, PodInstance
from .resources import amount_of

DEFAULT_PODS = 110  # the kubelet's --max-pods, where a node does not say


@dataclass(slots=True, eq=False)
class NodeInfo:
    """One node. The sums over its pods are kept as pods come and go, so that a filter is a comparison."""

    name: str
    order: int  # its place among the nodes by name: the last tie-break
    labels: dict[str, str]
    taints: tuple[dict, ...]
    unschedulable: bool
    cpu: int  # allocatable: what is there for pods
    memory: int
    pods_allowed: int
    scalars: dict[str, int]
    images: dict[str, int]  # name → bytes
    used_cpu: int = 0
    used_memory: int = 0
    used_scalars: dict[str, int] = field(default_factory=dict)
    shown_cpu: int = 0
    shown_memory: int = 0
    ports: dict[tuple[str, str, int], int] = field(default_factory=dict)
    pods: dict[str, PodInstance] = field(default_factory=dict)
    nominated: dict[str, PodInstance] = field(default_factory=dict)  # promised room here, once their victims have gone
    said: bytes = field(init=False)  # by `diagnosis`: how a verdict on it begins

    def __post_init__(self) -> None:
        self.said = b'{"node":%b,' % orjson.dumps(self.name)

    def add(self, pod: PodInstance) -> None:
        self.pods[pod.key] = pod
        self._take(pod.info, 1)

    def remove(self, key: str) -> PodInstance:
        pod = self.pods.pop(key)
        self._take(pod.info, -1)
        return pod

    def _take(self, info: PodInfo, sign: int) -> None:
        self.used_cpu += sign * info.cpu
        self.used_memory += sign * info.memory
        self.shown_cpu += sign * info.shown_cpu
        self.shown_memory += sign * info.shown_memory
        for name, amount in info.scalars.items():
            self.used_scalars[name] = self.used_scalars.get(name, 0) + sign * amount
        for port in info.ports:
            self.ports[port] = self.ports.get(port, 0) + sign
            if not self.ports[port]:
                del self.ports[port]

    def promised(self, priority: int, but: str = "") -> list[PodInstance]:
        """The pods of at least that priority that were promised room here, which they have not taken yet.

        So a promise made by preemption is not taken by whoever comes first, except by somebody more important.
        """
        return [pod for pod in self.nominated.values() if pod.info.priority >= priority and pod.key != but]

    def after(self, arrivals: list[PodInstance]) -> "NodeInfo":
        """The node as if these pods had come."""
        copy = self.clone()
        for pod in arrivals:
            copy.add(pod)
        return copy

    def clone(self) -> "NodeInfo":
        """A copy whose pods can come and go on trial."""
        copy = NodeInfo(
            self.name, self.order, self.labels, self.taints, self.unschedulable,
            self.cpu, self.memory, self.pods_allowed, self.scalars, self.images,
        )  # fmt: skip
        for pod in self.pods.values():
            copy.add(pod)
        return copy


def parse_node(node: dict) -> NodeInfo:
    """A Node object's scheduling side. A node that does not say what it offers offers nothing."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    offered = status.get("allocatable") or status.get("capacity") or {}
    amounts = {name: amount_of(name, text) for name, text in offered.items()}
    return NodeInfo(
        name=metadata["name"],
        order=0,  # until all of them are put in order
        labels=metadata.get("labels") or {},
        taints=tuple(spec.get("taints") or ()),
        unschedulable=bool(spec.get("unschedulable")),
        cpu=amounts.pop("cpu", 0),
        memory=amounts.pop("memory", 0),
        pods_allowed=amounts.pop("pods", DEFAULT_PODS),
        scalars=amounts,
        images=_images(status.get("images") or ()),
    )


def _images(images: Iterable[dict]) -> dict[str, int]:
    return {image_name(n): image.get("sizeBytes", 0) for image in images for n in image.get("names") or ()}


def image_name(name: str) -> str:
    """The one way to write an image's name here: without Docker's default registry, with a tag."""
    for prefix in ("docker.io/library/", "docker.io/"):
        name = name.removeprefix(prefix)
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
