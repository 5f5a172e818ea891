"""YAML as Kubernetes reads it. Pure."""

from typing import Any

import yaml

MOST_VALUES = 100_000  # no manifest has a hundredth of that, unless a few of its lines refer to each other


class Loader(yaml.SafeLoader):
    """A date stays the text that it is, and a text that unfolds into more than any memory holds is refused."""

    def construct_document(self, node: yaml.Node) -> Any:
        if _size(node, {}) > MOST_VALUES:
            raise yaml.constructor.ConstructorError(
                None, None, f"its aliases unfold into more than {MOST_VALUES} values", node.start_mark
            )
        return super().construct_document(node)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values there are in it once every alias stands for what it refers to; endless for a loop."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MOST_VALUES  # an alias of itself, if it is met again in there
        children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]
