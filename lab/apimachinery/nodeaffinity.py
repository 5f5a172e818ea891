"""Which nodes a pod wants or insists on: node selector terms. Source: k8s.io/component-helpers/scheduling/corev1."""

from collections.abc import Iterable
from dataclasses import dataclass

from .selectors import LabelSelector, parse_label_selector


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    """All that it asks of a node's labels and fields must hold; a term that asks nothing matches no node."""

    labels: LabelSelector
    fields: LabelSelector  # metadata.name is the only field there is

    def matches(self, name: str, labels: dict[str, str]) -> bool:
        if not self.labels.requirements and not self.fields.requirements:
            return False
        return self.labels.matches(labels) and self.fields.matches({"metadata.name": name})


def parse_terms(terms: Iterable[dict]) -> tuple[NodeSelectorTerm, ...]:
    """`nodeSelectorTerms` as on the wire; one of them must match."""
    return tuple(
        NodeSelectorTerm(
            parse_label_selector({"matchExpressions": term.get("matchExpressions")}),
            parse_label_selector({"matchExpressions": term.get("matchFields")}),
        )
        for term in terms
    )


def named_nodes(terms: tuple[NodeSelectorTerm, ...]) -> frozenset[str] | None:
    """The nodes that the terms name, if each of them names some: then nobody else need be asked."""
    names: set[str] = set()
    for term in terms:
        listed = [requirement.values for requirement in term.fields.requirements or () if requirement.op == "In"]
        if not listed:
            return None
        names.update(frozenset.intersection(*listed))
    return frozenset(names)


def admits(spec: dict, node: dict) -> bool:
    """Whether `nodeSelector` and required node affinity of a pod's specification let it onto the node."""
    labels, name = node["metadata"].get("labels") or {}, node["metadata"]["name"]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    selected = (spec.get("nodeSelector") or {}).items() <= labels.items()
    terms = parse_terms(required.get("nodeSelectorTerms") or ()) if required else None
    return selected and (terms is None or any(term.matches(name, labels) for term in terms))
