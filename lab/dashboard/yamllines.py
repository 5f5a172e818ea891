"""YAML with its line numbers: so that what the API server says of a field can be said beside the line.

Pure. `documents` reads a file of one or more objects; `Document.line_of` finds the line of a path as Status errors
write it: `spec.template.spec.containers[0].image`, `metadata.labels[app]`.
"""

import re
from dataclasses import dataclass

import yaml

from lab.apimachinery.manifests import Loader

STEP = re.compile(r"\[(?P<index>[^\]]*)\]|(?P<key>[^.\[\]]+)")


class BadYaml(Exception):
    """It is not YAML, or not an object. `line` counts from 1."""

    def __init__(self, line: int, message: str):
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass
class Document:
    """One object of a file, with the tree that remembers where each part of it stood."""

    object: dict
    root: yaml.Node

    @property
    def line(self) -> int:
        return self.root.start_mark.line + 1

    def line_of(self, path: str) -> int:
        """The line of the field, or of the nearest parent that is there, when it is missing."""
        node, line = self.root, self.line
        for index, key in STEP.findall(path):
            found = _step(node, key or index)
            if found is None:
                break
            line, node = found
        return line


def _step(node: yaml.Node, key: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key.strip("\"'"):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
        value = node.value[int(key)]
        return value.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and not key.isdigit():  # "containers.image": of which one is not said
        return next((found for item in node.value if (found := _step(item, key))), None)
    return None


def documents(text: str) -> list[Document]:
    """The objects in `text`, empty documents left out. Raises BadYaml."""
    loader = Loader(text)
    found = []
    try:
        while loader.check_node():
            root = loader.get_node()
            obj = loader.construct_document(root)
            if obj is None:
                continue
            if not isinstance(obj, dict):
                raise BadYaml(
                    root.start_mark.line + 1, "this is not an object: an object begins with apiVersion and kind"
                )
            found.append(Document(obj, root))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadYaml(mark.line + 1 if mark else 1, getattr(error, "problem", None) or str(error)) from None
    finally:
        loader.dispose()
    return found
