"""What the scheduler needs to know of a pod, read once. Pods made from one template share one PodInfo.

Kubernetes' PodInfo is this too: a pod with its terms parsed. Sharing it between equal pods is what lets a batch of
thousands be placed fast: whatever was worked out for one of them holds for all.
"""

from dataclasses import dataclass, field

import orjson

from lab.apimachinery import meta
from lab.apimachinery.nodeaffinity import NodeSelectorTerm, named_nodes, parse_terms
from lab.apimachinery.selectors import LabelSelector, parse_label_selector
from lab.apimachinery.volumes import claim_names

from .resources import host_ports, resource_requests

# Whose pods are replicas of each other to PodTopologySpread's defaults. Those of a Job are not.
REPLICATED_BY = ("ReplicaSet", "ReplicationController", "StatefulSet")
STRATEGY_ANNOTATION = "orrery.io/scoring-strategy"


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
    owner: str  # uid of the controller whose replica it is, or ""
    priority: int
    may_preempt: bool
    cpu: int
    memory: int
    scalars: dict[str, int]  # every other resource: nvidia.com/gpu, ephemeral-storage …
    shown_cpu: int  # what it counts for when nodes are compared: see DEFAULT_CPU_MILLIS in resources.py
    shown_memory: int
    ports: frozenset[tuple[str, str, int]]  # (host address, protocol, host port)
    node_selector: dict[str, str]
    required_nodes: tuple[NodeSelectorTerm, ...] | None
    named_nodes: frozenset[str] | None  # the only nodes it may run on, where it names them: pods of a DaemonSet do
    preferred_nodes: tuple[tuple[int, NodeSelectorTerm], ...]
    tolerations: tuple[dict, ...]
    spread: tuple[SpreadConstraint, ...]
    affinity: tuple[AffinityTerm, ...]
    anti_affinity: tuple[AffinityTerm, ...]
    preferred: tuple[AffinityTerm, ...]  # anti-affinity with a negative weight
    images: tuple[str, ...]
    strategy: str  # LeastAllocated, MostAllocated, or "" for the cluster's
    claims: tuple[str, ...] = ()  # the PersistentVolumeClaims that it mounts
    volumes: tuple[tuple[NodeSelectorTerm, ...], ...] = ()  # where those that are bound can be had: see volumebinding

    @property
    def has_terms(self) -> bool:
        """Whether its presence on a node means anything to other pods beyond the room it takes."""
        return bool(self.anti_affinity or self.affinity or self.preferred)

    @property
    def wants_company(self) -> bool:
        """Whether it may fit where it did not before because another pod has come."""
        return bool(self.affinity or any(constraint.hard for constraint in self.spread))


@dataclass(slots=True)
class PodInstance:
    """One pod of a PodInfo, on a node or waiting for one. `started`: text, RFC 3339, so that it sorts by time."""

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
            claim_names(spec),
            [(c.get("resources"), c.get("ports"), c.get("image")) for c in spec.get("containers", ())],
            [
                (c.get("resources"), c.get("ports"), c.get("image"), c.get("restartPolicy"))
                for c in spec.get("initContainers") or ()
            ],
        )
    )


def parse(pod: dict, namespace_labels: dict[str, str] | None = None) -> PodInfo:
    """Read everything that matters. Fields that are missing mean what Kubernetes' defaults mean."""
    metadata, spec = pod["metadata"], pod["spec"]
    namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
    affinity = spec.get("affinity") or {}
    nodes, pods, anti = (affinity.get(k) or {} for k in ("nodeAffinity", "podAffinity", "podAntiAffinity"))
    required = nodes.get("requiredDuringSchedulingIgnoredDuringExecution")
    required_nodes = None if required is None else parse_terms(required.get("nodeSelectorTerms") or ())
    requests, shown = resource_requests(spec), resource_requests(spec, shown=True)
    owner = meta.controller_of(pod)
    return PodInfo(
        namespace=namespace,
        namespace_labels=namespace_labels or {},
        labels=labels,
        owner=owner["uid"] if owner and owner["kind"] in REPLICATED_BY else "",
        priority=spec.get("priority") or 0,
        may_preempt=spec.get("preemptionPolicy", "PreemptLowerPriority") != "Never",
        cpu=requests.pop("cpu", 0),
        memory=requests.pop("memory", 0),
        scalars={name: amount for name, amount in requests.items() if amount},
        shown_cpu=shown.get("cpu", 0),
        shown_memory=shown.get("memory", 0),
        ports=host_ports(spec),
        node_selector=spec.get("nodeSelector") or {},
        required_nodes=required_nodes,
        named_nodes=None if required_nodes is None else named_nodes(required_nodes),
        preferred_nodes=tuple(
            (term["weight"], parse_terms([term["preference"]])[0])
            for term in nodes.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ),
        tolerations=tuple(spec.get("tolerations") or ()),
        spread=tuple(_constraint(c, labels) for c in spec.get("topologySpreadConstraints") or ()),
        affinity=_required(pods, namespace, labels),
        anti_affinity=_required(anti, namespace, labels),
        preferred=(*_preferred(pods, namespace, labels, 1), *_preferred(anti, namespace, labels, -1)),
        images=tuple(c.get("image", "") for c in (*(spec.get("initContainers") or ()), *spec.get("containers", ()))),
        strategy=(metadata.get("annotations") or {}).get(STRATEGY_ANNOTATION, ""),
        claims=claim_names(spec),
    )


def _constraint(constraint: dict, labels: dict[str, str]) -> SpreadConstraint:
    return SpreadConstraint(
        key=constraint["topologyKey"],
        max_skew=constraint["maxSkew"],
        hard=constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule",
        selects=_narrowed(constraint, labels),
        min_domains=constraint.get("minDomains") or 1,
        honor_affinity=constraint.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=constraint.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _required(affinity: dict, namespace: str, labels: dict[str, str]) -> tuple[AffinityTerm, ...]:
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_term(term, namespace, labels) for term in terms)


def _preferred(affinity: dict, namespace: str, labels: dict[str, str], sign: int) -> tuple[AffinityTerm, ...]:
    terms = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_term(term["podAffinityTerm"], namespace, labels, sign * term["weight"]) for term in terms)


def _term(term: dict, namespace: str, labels: dict[str, str], weight: int = 0) -> AffinityTerm:
    named, by_labels = term.get("namespaces") or (), term.get("namespaceSelector")
    if not named and by_labels is None:
        named = (namespace,)  # a term that names no namespace means the pod's own
    return AffinityTerm(
        term["topologyKey"],
        _narrowed(term, labels),
        frozenset(named),
        parse_label_selector(by_labels),
        weight,
    )


def _narrowed(term: dict, labels: dict[str, str]) -> LabelSelector:
    """The labelSelector of a term or constraint; of the pods it means only those like (or unlike) the pod itself in
    the labels listed: `matchLabelKeys: [pod-template-hash]` means those of the same rollout."""
    selector = term.get("labelSelector")
    if selector is None:
        return parse_label_selector(None)
    more = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in term.get(field) or ()
        if key in labels
    ]
    return parse_label_selector({**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *more]})
