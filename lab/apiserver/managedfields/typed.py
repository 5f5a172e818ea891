"""A configuration that has its types, or what is wrong with it in the words of Kubernetes' structured merge."""

from collections.abc import Iterable
from typing import Any

from lab.apimachinery.errors import ApiError, bad_request

from ..schemas import root_of, schemas
from .paths import MEMBER, Path, in_words, item_step, leaves
from .shapes import ITEMS, Shape, shape_of


def untyped(config: dict, mistakes: list[str]) -> ApiError:
    """400 for a configuration that cannot be merged."""
    meta, version = config["metadata"], config["apiVersion"]
    what = f"{meta.get('namespace', '')}/{meta['name']}; {version if '/' in version else f'/{version}'}"
    listed = mistakes[0] if len(mistakes) == 1 else "errors:\n  " + "\n  ".join(mistakes)
    return bad_request(f"failed to create typed patch object ({what}, Kind={config['kind']}): {listed}")


def undeclared(config: dict, fields: Iterable[list[str | int]]) -> ApiError:
    """400 for fields that its schema does not have, given as steps: `["spec", "containers", 0, "port"]`."""
    shape = _shape(config)
    return untyped(config, [f"{_place(config, steps, shape)}: field not declared in schema" for steps in fields])


def check_members(config: dict) -> None:
    """Refuse lists that have a member twice: which of the two would be meant?"""
    seen: set[Path] = set()
    mistakes = []
    for path, value in leaves(config, _shape(config)):
        if value is MEMBER and path in seen:
            mistakes.append(f"{in_words(path[:-1])}: duplicate entries for key {in_words(path[-1:])}")
        seen.add(path)
    if mistakes:
        raise untyped(config, mistakes)


def _shape(obj: dict) -> Shape:
    return shape_of(schemas()[root_of(obj["apiVersion"], obj["kind"])])


def _place(node: Any, steps: list[str | int], shape: Shape) -> str:
    words = ""
    for step in steps:
        if isinstance(step, str):
            words, shape = f"{words}.{step}", shape.of_field(step)
        else:
            by_key = shape.how == ITEMS
            words += in_words((item_step(node[step], shape.keys),)) if by_key else f"[{step}]"
            shape = shape.of_item()
        node = node.get(step) if isinstance(node, dict) else node[step]
    return words
