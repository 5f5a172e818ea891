"""What filters have against nodes: kube-scheduler's reasons, as a decision has them, in plain words. Pure."""

import re
from dataclasses import dataclass

from lab.apimachinery.controlplane import CONTROL_PLANE
from lab.apimachinery.taints import NOT_READY, OUT_OF_SERVICE, UNREACHABLE

ROOM, FULL, CORDONED, TAINT, LABELS, NAMED = "room", "full", "cordoned", "taint", "labels", "named"
PORTS, VOLUME, SPREAD, COMPANY, APART, CLAIM, OTHER = "ports", "volume", "spread", "company", "apart", "claim", "other"
# kube-scheduler's words → what is the matter, by which plugin.
REASONS = (
    (re.compile(r"^Insufficient (?P<what>.+)$"), ROOM, "NodeResourcesFit"),
    (re.compile(r"^Too many pods$"), FULL, "NodeResourcesFit"),
    (re.compile(r"^node\(s\) were unschedulable$"), CORDONED, "NodeUnschedulable"),
    (re.compile(r"^node\(s\) had untolerated taint \{(?P<what>[^:}]+): ?(?P<value>[^}]*)\}"), TAINT, "TaintToleration"),
    (re.compile(r"^node\(s\) didn't match Pod's node affinity/selector$"), LABELS, "NodeAffinity"),
    (re.compile(r"^node\(s\) didn't satisfy plugin\(s\) \[NodeAffinity\]$"), NAMED, "NodeAffinity"),
    (re.compile(r"^node\(s\) didn't have free ports"), PORTS, "NodePorts"),
    (re.compile(r"^node\(s\) didn't match PersistentVolume's node affinity$"), VOLUME, "VolumeBinding"),
    (re.compile(r"^node\(s\) didn't match pod topology spread constraints"), SPREAD, "PodTopologySpread"),
    (re.compile(r"^node\(s\) didn't match pod affinity rules$"), COMPANY, "InterPodAffinity"),
    (re.compile(r"^node\(s\) didn't .*anti-affinity rules$"), APART, "InterPodAffinity"),
    (re.compile(r"persistentvolumeclaim|PersistentVolumeClaim"), CLAIM, "VolumeBinding"),
)
# (of one node, of several) → what is said of them; `{what}` as in the reason.
SAID = {
    ROOM: ("has too little {what} free", "have too little {what} free"),
    FULL: ("has as many pods as it may have", "have as many pods as they may have"),
    CORDONED: ("is cordoned", "are cordoned"),
    TAINT: ("has the taint {what}, which it does not tolerate", "have the taint {what}, which it does not tolerate"),
    LABELS: ("lacks the labels that it asks for{asks}", "lack the labels that it asks for{asks}"),
    NAMED: ("is not one that it is made for", "are not those that it is made for"),
    PORTS: ("has given the host port to another pod", "have given the host port to other pods"),
    VOLUME: ("does not reach its volume", "do not reach its volume"),
    SPREAD: ("would have too many of its kind beside it", "would have too many of its kind beside it"),
    COMPANY: ("lacks the pods that it wants to be near", "lack the pods that it wants to be near"),
    APART: ("has a pod that it must not be beside", "have pods that it must not be beside"),
}
OF_TAINTS = {
    CONTROL_PLANE: ("is kept for the control plane", "are kept for the control plane"),
    NOT_READY: ("is not ready", "are not ready"),
    UNREACHABLE: ("has fallen silent", "have fallen silent"),
    OUT_OF_SERVICE: ("is declared out of service", "are declared out of service"),
}
RESOURCES = {"cpu": "CPU"}


@dataclass(frozen=True)
class Objection:
    """`what`: the resource, or the taint's key; `value`: the taint's; `plugin`: empty for words that are not known."""

    reason: str
    kind: str
    plugin: str
    what: str = ""
    value: str = ""

    @classmethod
    def of(cls, reason: str) -> "Objection":
        for pattern, kind, plugin in REASONS:
            if found := pattern.search(reason):
                return cls(reason, kind, plugin, **found.groupdict())
        return cls(reason, OTHER, "")

    def words(self, nodes: int, asks: str = "") -> str:
        """`2 have too little CPU free`. `asks`: the labels that the pod asks for, if they are to be told."""
        said = OF_TAINTS.get(self.what) if self.kind == TAINT else None
        said = said or SAID.get(self.kind) or (f"gave as reason: {self.reason}",) * 2
        what = f"{self.what}={self.value}" if self.value else RESOURCES.get(self.what, self.what)
        return f"{nodes} {said[nodes != 1].format(what=what, asks=asks)}"


def summary(counts: dict[str, int], pod: dict | None = None) -> str:
    """All that was objected to, what most nodes have first. A `pod` adds what labels it asks for."""
    selector = (pod or {"spec": {}})["spec"].get("nodeSelector") or {}
    asks = f" ({', '.join(f'{key}={value}' for key, value in sorted(selector.items()))})" if selector else ""
    listed = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(Objection.of(reason).words(count, asks) for reason, count in listed)
