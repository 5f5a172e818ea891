"""What the scheduler needs to know of a pod, read once. Pods made from one template share one PodInfo.

Kubernetes' PodInfo is this too: a pod with its terms parsed. Sharing it between equal pods is what lets a batch of
thousands be placed fast: whatever was worked out for one of them holds for all.
"""

from dataclasses import dataclass, field

import orjson

from lab.apimachinery import meta
from lab.apimachinery.quantity import milli_value, value
from lab.apimachinery.selectors import LabelSelector, parse_label_selector

from .nodeaffinity import NodeSelectorTerm, parse_terms

STRATEGY_ANNOTATION = "orrery.io/scoring-strategy"
# A container that asks for nothing is counted as a small one when nodes are compared, or a hundred of them would look
# free. Source: k8s.io/kubernetes/pkg/scheduler/util, DefaultMilliCPURequest and DefaultMemoryRequest.
DEFAULT_CPU_MILLIS = 100
DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024
HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class SpreadConstraint:
    """One of `spec.topologySpreadConstraints`. `hard`: DoNotSchedule, otherwise ScheduleAnyway."""

    key: str
    max_skew: int
    hard: bool
    selects: LabelSelector | None  # None: the pods of the same owner
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


@dataclass(frozen=True, slots=True)
class AffinityTerm:
    """One term of pod (anti-)affinity: the pods it means, by namespace and labels, and the domain in which: `key`."""

    key: str
    selects: LabelSelector
    namespaces: frozenset[str]
    selects_namespaces: LabelSelector
    weight: int = 0

    def matches(self, pod: "PodInfo") -> bool:
        in_reach = pod.namespace in self.namespaces or self.selects_namespaces.matches(pod.namespace_labels)
        return in_reach and self.selects.matches(pod.labels)


@dataclass(frozen=True, slots=True, eq=False)
class PodInfo:
    """A pod as filters and scores see it. CPU in thousandths of a core, memory in bytes."""

    namespace: str
    namespace_labels: dict[str, str]
    labels: dict[str, str]
    owner: str  # uid of its controller, or ""
    priority: int
    may_preempt: bool
    cpu: int
    memory: int
    scalars: dict[str, int]  # every other resource: nvidia.com/gpu, ephemeral-storage …
    shown_cpu: int  # what it counts for when nodes are compared: see DEFAULT_CPU_MILLIS
    shown_memory: int
    ports: frozenset[tuple[str, str, int]]  # (host address, protocol, host port)
    node_selector: dict[str, str]
    required_nodes: tuple[NodeSelectorTerm, ...] | None
    preferred_nodes: tuple[tuple[int, NodeSelectorTerm], ...]
    tolerations: tuple[dict, ...]
    spread: tuple[SpreadConstraint, ...]
    affinity: tuple[AffinityTerm, ...]
    anti_affinity: tuple[AffinityTerm, ...]
    preferred: tuple[AffinityTerm, ...]  # anti-affinity with a negative weight
    images: tuple[str, ...]
    strategy: str  # LeastAllocated, MostAllocated, or "" for the cluster's

    @property
    def has_terms(self) -> bool:
        """Whether its presence on a node means anything to other pods beyond the room it takes."""
        return bool(self.anti_affinity or self.affinity or self.preferred)


@dataclass(slots=True)
class Scheduled:
    """A pod that holds room on a node, or is promised it. `started`: text, RFC 3339, so that it sorts by time."""

    key: str
    uid: str
    info: PodInfo
    started: str
    deleting: bool = False


@dataclass(slots=True)
class PodInfos:
    """PodInfos by signature: all that matters of a pod, as bytes. Forgets those of which no pod is left."""

    _known: dict[bytes, PodInfo] = field(default_factory=dict)

    def of(self, pod: dict, namespace_labels: dict[str, str]) -> PodInfo:
        """The pod's; `namespace_labels` are those of its namespace, which affinity terms of others may ask for."""
        signature = signature_of(pod)
        found = self._known.get(signature)
        if found is None:
            found = self._known[signature] = parse(pod, namespace_labels)
        return found

    def forget_all_but(self, used: set[int]) -> None:
        """Keep those whose `id()` is in `used`."""
        self._known = {signature: info for signature, info in self._known.items() if id(info) in used}

    def __len__(self) -> int:
        return len(self._known)


SPEC_FIELDS = (
    "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "priority", "preemptionPolicy", "overhead",
    "resources",
)  # fmt: skip


def signature_of(pod: dict) -> bytes:
    """Equal for pods between which the scheduler can see no difference (Kubernetes 1.35 names it so too)."""
    metadata, spec = pod["metadata"], pod["spec"]
    owner = meta.controller_of(pod)
    return orjson.dumps(
        (
            metadata.get("namespace"),
            metadata.get("labels"),
            owner["uid"] if owner else None,
            metadata.get("annotations", {}).get(STRATEGY_ANNOTATION),
            [spec.get(name) for name in SPEC_FIELDS],
            [(c.get("resources"), c.get("ports"), c.get("image")) for c in spec.get("containers", ())],
            [(c.get("resources"), c.get("restartPolicy")) for c in spec.get("initContainers", ())],
        )
    )


def parse(pod: dict, namespace_labels: dict[str, str] | None = None) -> PodInfo:
    """Read everything that matters. Fields that are missing mean what Kubernetes' defaults mean."""
    metadata, spec = pod["metadata"], pod["spec"]
    namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
    affinity = spec.get("affinity") or {}
    nodes, pods, anti = (affinity.get(k) or {} for k in ("nodeAffinity", "podAffinity", "podAntiAffinity"))
    required = nodes.get("requiredDuringSchedulingIgnoredDuringExecution")
    requests, shown = resource_requests(spec), resource_requests(spec, shown=True)
    owner = meta.controller_of(pod)
    return PodInfo(
        namespace=namespace,
        namespace_labels=namespace_labels or {},
        labels=labels,
        owner=owner["uid"] if owner else "",
        priority=spec.get("priority") or 0,
        may_preempt=spec.get("preemptionPolicy", "PreemptLowerPriority") != "Never",
        cpu=requests.pop("cpu", 0),
        memory=requests.pop("memory", 0),
        scalars={name: amount for name, amount in requests.items() if amount},
        shown_cpu=shown.get("cpu", 0),
        shown_memory=shown.get("memory", 0),
        ports=host_ports(spec),
        node_selector=spec.get("nodeSelector") or {},
        required_nodes=None if required is None else parse_terms(required.get("nodeSelectorTerms") or ()),
        preferred_nodes=tuple(
            (term["weight"], parse_terms([term["preference"]])[0])
            for term in nodes.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ),
        tolerations=tuple(spec.get("tolerations") or ()),
        spread=tuple(_constraint(c, labels) for c in spec.get("topologySpreadConstraints") or ()),
        affinity=_required(pods, namespace),
        anti_affinity=_required(anti, namespace),
        preferred=(*_preferred(pods, namespace, 1), *_preferred(anti, namespace, -1)),
        images=tuple(container.get("image", "") for container in spec.get("containers", ())),
        strategy=(metadata.get("annotations") or {}).get(STRATEGY_ANNOTATION, ""),
    )


def resource_requests(spec: dict, shown: bool = False) -> dict[str, int]:
    """What a pod takes of each resource: CPU in millis, everything else in whole units.

    Containers run together, so they add up. Init containers run one after the other, before them, so only the
    greediest counts; except those with restartPolicy Always (sidecars), which stay. Source:
    k8s.io/component-helpers/resource, PodRequests. `shown`: with the defaults for those that ask for nothing.
    """
    total: dict[str, int] = {}
    for container in spec.get("containers", ()):
        _add(total, _requests(container, shown))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers", ()):
        own = _requests(container, shown)
        if container.get("restartPolicy") == "Always":
            _add(total, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        _raise_to(peak, own)
    _raise_to(total, peak)
    total.update(_amounts((spec.get("resources") or {}).get("requests")))
    _add(total, _amounts(spec.get("overhead")))
    return total


def _requests(container: dict, shown: bool) -> dict[str, int]:
    amounts = _amounts((container.get("resources") or {}).get("requests"))
    if shown:
        amounts.setdefault("cpu", DEFAULT_CPU_MILLIS)
        amounts.setdefault("memory", DEFAULT_MEMORY_BYTES)
    return amounts


def _amounts(quantities: dict | None) -> dict[str, int]:
    return {name: amount_of(name, text) for name, text in (quantities or {}).items()}


def amount_of(resource: str, quantity: str | int) -> int:
    """A quantity as the integer the scheduler counts in, rounded up: thousandths for CPU, units for the rest."""
    return milli_value(quantity) if resource == "cpu" else value(quantity)


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: dict[str, int], least: dict[str, int]) -> None:
    for name, amount in least.items():
        total[name] = max(total.get(name, 0), amount)


def host_ports(spec: dict) -> frozenset[tuple[str, str, int]]:
    """The ports of its node that a pod takes: address (0.0.0.0: all), protocol, number."""
    return frozenset(
        (port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"])
        for container in spec.get("containers", ())
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def _constraint(constraint: dict, labels: dict[str, str]) -> SpreadConstraint:
    selector = constraint.get("labelSelector") or {}
    same = {key: labels[key] for key in constraint.get("matchLabelKeys") or () if key in labels}
    if same:
        selector = {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **same}}
    return SpreadConstraint(
        key=constraint["topologyKey"],
        max_skew=constraint["maxSkew"],
        hard=constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule",
        selects=parse_label_selector(selector if constraint.get("labelSelector") or same else None),
        min_domains=constraint.get("minDomains") or 1,
        honor_affinity=constraint.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=constraint.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _required(affinity: dict, namespace: str) -> tuple[AffinityTerm, ...]:
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_term(term, namespace) for term in terms)


def _preferred(affinity: dict, namespace: str, sign: int) -> tuple[AffinityTerm, ...]:
    terms = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_term(term["podAffinityTerm"], namespace, sign * term["weight"]) for term in terms)


def _term(term: dict, namespace: str, weight: int = 0) -> AffinityTerm:
    named, by_labels = term.get("namespaces") or (), term.get("namespaceSelector")
    if not named and by_labels is None:
        named = (namespace,)  # a term that names no namespace means the pod's own
    selects, selects_namespaces = parse_label_selector(term.get("labelSelector")), parse_label_selector(by_labels)
    return AffinityTerm(term["topologyKey"], selects, frozenset(named), selects_namespaces, weight)
