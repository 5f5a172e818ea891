"""An object as the paths of its fields, in the words of FieldsV1.

A path is a tuple of steps: `f:<field>`, `k:<the keys of a list's item, as JSON>`, `v:<a set's value, as JSON>`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from lab.apimachinery.errors import ApiError

from .shapes import FIELDS, ITEMS, KEY_DEFAULTS, MAP, SET, Shape

Path = tuple[str, ...]
MEMBER = object()  # what stands at the path of a whole item, whose fields have paths of their own


def leaves(value: object, shape: Shape, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Every path that can have an owner, with what stands there. Raises ApiError 422 for an item without its key."""
    if shape.how in (FIELDS, MAP) and isinstance(value, dict) and value:
        for field, child in value.items():
            at = (*path, f"f:{field}")
            if shape.how == MAP and isinstance(child, dict | list):
                yield at, MEMBER
            yield from leaves(child, shape.of_field(field), at)
    elif shape.how == ITEMS and isinstance(value, list):
        for item in value:
            at = (*path, item_step(item, shape.keys))
            yield at, MEMBER
            yield from leaves(item, shape.of_item(), at)
    elif shape.how == SET and isinstance(value, list):
        for item in value:
            yield (*path, _step("v", item)), MEMBER
    else:
        yield path, value


def item_step(item: object, keys: tuple[str, ...]) -> str:
    values = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in keys} if isinstance(item, dict) else {}
    if not values or None in values.values():
        raise ApiError(422, "Invalid", f"an element of a list omits key field {', '.join(map(repr, keys))}: {item!r}")
    return _step("k", values)


def _step(kind: str, value: object) -> str:
    return f"{kind}:{orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()}"


def merged(live: Any, config: Any, shape: Shape) -> Any:
    """What `config` makes of `live`, which may be None; shares parts of both."""
    if shape.how in (FIELDS, MAP) and isinstance(live, dict) and isinstance(config, dict):
        return live | {field: merged(live.get(field), new, shape.of_field(field)) for field, new in config.items()}
    if shape.how == SET and isinstance(live, list) and isinstance(config, list):
        return live + [item for item in config if item not in live]
    if shape.how == ITEMS and isinstance(live, list) and isinstance(config, list):
        return _merged_items(live, config, shape)
    return config


def _merged_items(live: list, config: list, shape: Shape) -> list:
    """In the order of `config`; items that it does not name stay behind the one that they stood behind."""
    wanted = {item_step(item, shape.keys): item for item in config}
    there = [(item_step(item, shape.keys), item) for item in live]  # it may have some twice, as an `env` may
    known, made, left = dict(there), [], list(wanted)
    for step, item in there:
        if step not in wanted:
            made.append(item)
        while step in left:
            next_ = left.pop(0)
            made.append(merged(known.get(next_), wanted[next_], shape.of_item()))
    return made + [merged(None, wanted[step], shape.of_item()) for step in left]


def without(obj: dict, paths: Iterable[Path]) -> dict:
    """The object without what stands at these paths, and without what that leaves empty; an item that stays keeps its
    key. `obj` is changed."""
    for path in sorted(paths, key=len):  # an item before its fields
        if not (path[-2:-1] and path[-2].startswith("k:") and path[-1].partition(":")[2] in orjson.loads(path[-2][2:])):
            _remove(obj, path)
    return obj


def _remove(node: Any, path: Path) -> None:
    step, *rest = path
    at = _find(node, step)
    if at is None:
        return
    if rest:
        _remove(node[at], tuple(rest))
    if not rest or node[at] in ({}, []):
        del node[at]


def _find(node: object, step: str) -> str | int | None:
    """Where in a dict or list a step leads; None if it leads nowhere."""
    kind, _, text = step.partition(":")
    if kind == "f":
        return text if isinstance(node, dict) and text in node else None
    if not isinstance(node, list):
        return None
    wanted = orjson.loads(text)
    if kind == "v":
        return node.index(wanted) if wanted in node else None
    return next((at for at, item in enumerate(node) if item_step(item, tuple(wanted)) == step), None)


def as_fields(paths: Iterable[Path]) -> dict:
    """The tree that FieldsV1 is: `{"f:spec": {"f:replicas": {}}}`, with `.` for a node that is itself a member."""
    tree: dict = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return _without_lone_dots(tree)


def _without_lone_dots(tree: dict) -> dict:
    return {} if list(tree) == ["."] else {step: _without_lone_dots(child) for step, child in tree.items()}


def of_fields(tree: dict, path: Path = ()) -> Iterator[Path]:
    """The paths of a FieldsV1 tree. Raises ValueError for what is none."""
    if not isinstance(tree, dict):
        raise ValueError(f"not a tree of fields: {tree!r}")
    if not tree and path:
        yield path
    for step, child in tree.items():
        if step == ".":
            yield path
        elif step[:2] in ("f:", "k:", "v:"):
            yield from of_fields(child, (*path, step))
        else:
            raise ValueError(f"not a step of a path: {step!r}")


def in_words(path: Path) -> str:
    """As errors name it: `.spec.containers[name="web"].image`."""
    words = ""
    for step in path:
        kind, _, text = step.partition(":")
        if kind == "f":
            words += f".{text}"
        elif kind == "v":
            words += f"[={text}]"
        else:
            pairs = orjson.loads(text).items()
            words += "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in pairs) + "]"
    return words
