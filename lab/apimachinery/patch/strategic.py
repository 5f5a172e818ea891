"""Strategic merge patch: a merge patch that knows which lists are really maps, so that one container of three can be
changed by naming it. kubectl's `apply`, `edit` and `set image` send these.

A list with a merge key (containers: `name`) merges item by item; other lists are replaced. What a plain object cannot
say, directives do: `$patch: replace|delete|merge` for an object or a list's item, `$retainKeys` for a union,
`$deleteFromPrimitiveList/<field>` and `$setElementOrder/<field>` for a list of the same object. Semantics follow
`k8s.io/apimachinery/pkg/util/strategicpatch`.
"""

import copy
import functools
import json
from pathlib import Path
from typing import Any

from ..errors import ApiError, bad_request

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ORDER = "$setElementOrder/"


@functools.cache
def _table() -> dict:
    return json.loads(Path(__file__).with_name("merge_keys.json").read_text())


def type_of(api_version: str, kind: str) -> str:
    """The name of a kind's type in the table of merge keys; of no use for a kind that merges no list."""
    return _table()["roots"].get(f"{api_version} {kind}", "")


def apply(type_name: str, old: dict, patch: dict) -> dict:
    """The object after the patch, sharing nothing with `old`. Raises ApiError 400 or 422."""
    return _merge_object(copy.deepcopy(old), copy.deepcopy(patch), type_name)


def _merge_object(old: dict, patch: dict, type_name: str) -> dict:
    fields = _table()["types"].get(type_name, {})
    directive = patch.pop(DIRECTIVE, "merge")
    if directive == "delete":
        return {}
    if directive == "replace":
        return _plain(patch)
    if directive != "merge":
        raise bad_request(f"unrecognized type: unknown patch type: {directive}")
    _retain(old, patch)
    orders, deletions = _taken(patch, ORDER), _taken(patch, DELETE_FROM)
    for field, gone in deletions.items():
        if isinstance(old.get(field), list):
            old[field] = [item for item in old[field] if item not in gone]
    for field, wanted in patch.items():
        if wanted is None:
            old.pop(field, None)
        else:
            old[field] = _merge_value(old.get(field), wanted, fields.get(field, {}), orders.pop(field, None))
    for field, order in orders.items():
        if isinstance(old.get(field), list):
            old[field] = _ordered(old[field], order, fields.get(field, {}).get("key"), old[field])
    return old


def _taken(patch: dict, prefix: str) -> dict[str, list]:
    """The directives with this prefix, by the field they are about; taken out of the patch."""
    found = {}
    for name in [name for name in patch if name.startswith(prefix)]:
        found[name.removeprefix(prefix)] = patch.pop(name)
    if not all(isinstance(items, list) for items in found.values()):
        raise bad_request(f"invalid strategic merge patch: {prefix}… must be a list")
    return found


def _retain(old: dict, patch: dict) -> None:
    keep = patch.pop(RETAIN, None)
    if keep is None:
        return
    if not isinstance(keep, list) or any(
        field not in keep for field, wanted in patch.items() if wanted is not None and not field.startswith("$")
    ):
        raise bad_request("invalid patch format of retainKeys")
    for field in [field for field in old if field not in keep]:
        del old[field]


def _merge_value(old: Any, wanted: Any, about: dict, order: list | None) -> Any:
    strategies = about.get("strategy", "").split(",")
    if isinstance(wanted, dict):
        if "replace" in strategies:
            return _plain(wanted)
        return _merge_object(old if isinstance(old, dict) else {}, wanted, about.get("of", ""))
    if not isinstance(wanted, list) or "merge" not in strategies:
        return _plain(wanted)
    old, key = old if isinstance(old, list) else [], about.get("key")
    merged = _merge_maps(old, wanted, key, about.get("of", "")) if key else _merge_scalars(old, wanted)
    return _ordered(merged, wanted if order is None else order, key, old)


def _merge_scalars(old: list, wanted: list) -> list:
    return old + [item for at, item in enumerate(wanted) if item not in old and item not in wanted[:at]]


def _merge_maps(old: list[dict], wanted: list[dict], key: str, type_name: str) -> list[dict]:
    for item in wanted:
        if not isinstance(item, dict):
            raise bad_request("invalid strategic merge patch: a list of objects cannot be merged with plain values")
    if any(item.get(DIRECTIVE) == "replace" for item in wanted):
        return [_plain(item) for item in wanted if DIRECTIVE not in item]
    merged = list(old)
    for item in wanted:
        same = _identity(item, key)
        found = next((at for at, have in enumerate(merged) if have.get(key) == same), None)
        if item.get(DIRECTIVE) == "delete":
            merged = [have for have in merged if have.get(key) != same]
        elif found is None:
            merged.append(_merge_object({}, item, type_name))
        else:
            merged[found] = _merge_object(merged[found], item, type_name)
    return merged


def _identity(item: Any, key: str | None) -> Any:
    if key is None:
        return item
    if not isinstance(item, dict) or key not in item:
        raise ApiError(422, "Invalid", f"map: {item} does not contain declared merge key: {key}")
    return item[key]


def _ordered(merged: list, order: list, key: str | None, before: list) -> list:
    """`merged`, with the items named in `order` in that order. The others, which whoever wrote the patch did not
    know of, stay in front of a named one where they stood in front of it before, and else come after."""
    places = [_identity(item, key) for item in order if not (isinstance(item, dict) and DIRECTIVE in item)]
    known = [item.get(key) if key else item for item in before]
    named: list = []
    rest: list = []
    for item in merged:
        (named if (item.get(key) if key else item) in places else rest).append(item)
    named.sort(key=lambda item: places.index(item.get(key) if key else item))
    result: list = []
    while named and rest:
        first, other = (item.get(key) if key else item for item in (rest[0], named[0]))
        in_front = first in known and other in known and known.index(first) < known.index(other)
        result.append((rest if in_front else named).pop(0))
    return result + named + rest


def _plain(wanted: Any) -> Any:
    """The value with all directives and nulls taken out: what a patch leaves where nothing was before."""
    if isinstance(wanted, dict):
        return {k: _plain(v) for k, v in wanted.items() if v is not None and not k.startswith("$")}
    if isinstance(wanted, list):
        return [_plain(item) for item in wanted if not (isinstance(item, dict) and item.get(DIRECTIVE) == "delete")]
    return wanted
