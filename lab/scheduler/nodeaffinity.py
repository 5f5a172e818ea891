"""Which nodes a pod wants or insists on: node selector terms. Source: k8s.io/component-helpers/scheduling/corev1."""

from dataclasses import dataclass

from lab.apimachinery.selectors import LabelSelector, parse_label_selector


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    """All that it asks of a node's labels and fields must hold; a term that asks nothing matches no node."""

    labels: LabelSelector
    fields: LabelSelector  # metadata.name is the only field there is

    def matches(self, name: str, labels: dict[str, str]) -> bool:
        if not self.labels.requirements and not self.fields.requirements:
            return False
        return self.labels.matches(labels) and self.fields.matches({"metadata.name": name})


def parse_terms(terms: list[dict]) -> tuple[NodeSelectorTerm, ...]:
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
        listed = [requirement.values for requirement in term.fields.requirements if requirement.op == "In"]
        if not listed:
            return None
        names.update(frozenset.intersection(*listed))
    return frozenset(names)
