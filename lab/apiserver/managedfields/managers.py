"""The entries of `metadata.managedFields`: one for each writer and way of writing, with the fields it stands for.

Two ways of writing: an Update owns what it has changed; an Apply owns what its configuration says, and is refused where
another owner has said otherwise, unless it is forced.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError, Cause

from ..schemas import root_of, schemas
from .paths import Path, as_fields, in_words, leaves, merged, of_fields, without
from .shapes import Shape, shape_of

APPLY, UPDATE = "Apply", "Update"
# Nobody owns what the server itself says. Source: k8s.io/apimachinery/pkg/util/managedfields/internal/stripmeta.go
SERVERS_OWN = {
    *("f:name", "f:namespace", "f:uid", "f:resourceVersion", "f:generation", "f:managedFields", "f:selfLink"),
    *("f:creationTimestamp", "f:deletionTimestamp", "f:deletionGracePeriodSeconds"),
}
MOST_UPDATERS = 10  # more are taken together. Source: managedfields/internal/fieldmanager.go
ANCIENT, BEFORE = "ancient-changes", "before-first-apply"


class Manager(NamedTuple):
    """Who writes, and how; what tells one entry from another."""

    name: str
    operation: str = UPDATE
    subresource: str = ""

    def in_words(self, api_version: str) -> str:
        of = f' with subresource "{self.subresource}"' if self.subresource else ""
        return f'"{self.name}"{of}' + (f" using {api_version}" if self.operation == UPDATE else "")


Entries = dict[Manager, tuple[frozenset[Path], str]]  # with the time of the last change, RFC 3339


def tracked(old: dict | None, new: dict, manager: Manager) -> list[dict]:
    """`managedFields` after a write that makes `new` of `old`; what is created is made of nothing."""
    entries = _entries(old, new)
    before, after = (_owned(obj, manager.subresource) if obj else {} for obj in (old, new))
    removed = before.keys() - after.keys()
    changed = _changed(before, after)
    if removed or changed:
        mine = (_paths_of(entries, manager) | changed) - removed
        _give_up(entries, manager, changed | removed)
        _set(entries, manager, mine)
        _bound(entries)
    return _as_list(entries, new["apiVersion"])


def created_by_apply(config: dict, manager: Manager) -> list[dict]:
    """`managedFields` of an object that a configuration has made."""
    entries: Entries = {}
    _set(entries, manager, _owned(config, manager.subresource).keys())
    return _as_list(entries, config["apiVersion"])


def applied(old: dict, config: dict, manager: Manager, force: bool) -> dict:
    """What applying `config` makes of `old`, with its `managedFields`. Raises ApiError 409 where another owner of a
    field has given it another value, and `force` is not said.

    What this manager had applied before and does not say any more goes, unless somebody else owns it too.
    """
    entries = _entries(old, old)
    before = _owned(old, manager.subresource)
    if not entries and before:
        entries[Manager(BEFORE)] = (frozenset(before), meta.now())
    said = _owned(config, manager.subresource)
    made = merged(old, _only(config, manager.subresource), _shape(old))
    changed = _changed(before, _owned(made, manager.subresource))
    if not force:
        _refuse(entries, manager, changed, old["apiVersion"])
    last = _paths_of(entries, manager)
    _give_up(entries, manager, changed)
    _set(entries, manager, said.keys())
    owned = set().union(*(paths for paths, _ in entries.values()))
    still_owned = {path[:length] for path in owned for length in range(1, len(path) + 1)}
    made = without(meta.copied(made), last - still_owned)
    made["metadata"]["managedFields"] = _as_list(entries, old["apiVersion"])
    return made


def _shape(obj: dict) -> Shape:
    return shape_of(schemas()[root_of(obj["apiVersion"], obj["kind"])])


def _only(obj: dict, subresource: str) -> dict:
    """The part of the object that is written at its own address, or at that of its status."""
    return {field: value for field, value in obj.items() if (field == "status") is (subresource == "status")}


def _owned(obj: dict, subresource: str) -> dict[Path, object]:
    found = leaves(_only(obj, subresource), _shape(obj))
    return {path: value for path, value in found if not _is_servers(path)}


def _is_servers(path: Path) -> bool:
    top, *rest = path or ("f:kind",)
    return top in ("f:apiVersion", "f:kind") or (top == "f:metadata" and (not rest or rest[0] in SERVERS_OWN))


def _changed(before: dict[Path, object], after: dict[Path, object]) -> set[Path]:
    return {path for path, value in after.items() if path not in before or before[path] != value}


def _entries(old: dict | None, new: dict) -> Entries:
    """Those that the write itself carries, as a client does that renames a manager; else what there was. A list of one
    empty entry forgets them all."""
    given = new["metadata"].get("managedFields")
    if given == [{}]:
        return {}
    return _read(given) or _read(old["metadata"].get("managedFields") if old else None)


def _read(given: list | None) -> Entries:
    entries: Entries = {}
    try:
        for entry in given or ():
            manager = Manager(entry["manager"], entry["operation"], entry.get("subresource", ""))
            entries[manager] = (frozenset(of_fields(entry.get("fieldsV1") or {})), entry.get("time") or meta.now())
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    return entries


def _paths_of(entries: Entries, manager: Manager) -> frozenset[Path]:
    return entries[manager][0] if manager in entries else frozenset()


def _set(entries: Entries, manager: Manager, paths: Iterable[Path]) -> None:
    """An entry keeps its time while its fields stay the same: so that writing the same again changes nothing."""
    paths = frozenset(paths)
    if not paths:
        entries.pop(manager, None)
    elif paths != _paths_of(entries, manager):
        entries[manager] = (paths, meta.now())


def _give_up(entries: Entries, manager: Manager, paths: set[Path]) -> None:
    """Others do not own what this manager has changed."""
    for other in [other for other in entries if other != manager]:
        left, time = entries[other]
        if left & paths:
            entries[other] = (left - paths, time)
        if not left - paths:
            del entries[other]


def _bound(entries: Entries) -> None:
    updaters = sorted((each for each in entries if each.operation == UPDATE), key=lambda each: entries[each][1])
    oldest = updaters[: len(updaters) - MOST_UPDATERS + 1] if len(updaters) > MOST_UPDATERS else ()
    if oldest:
        together = [entries.pop(each) for each in oldest]
        entries[Manager(ANCIENT)] = (frozenset().union(*(paths for paths, _ in together)), together[-1][1])


def _refuse(entries: Entries, manager: Manager, changed: set[Path], api_version: str) -> None:
    found = [
        (other.in_words(api_version), in_words(path))
        for other, (paths, _) in entries.items()
        if other != manager
        for path in paths & changed
    ]
    if not found:
        return
    found.sort()
    causes = [Cause(path, f"conflict with {owner}", "FieldManagerConflict").as_dict() for owner, path in found]
    if len(found) == 1:
        words = f"conflict with {found[0][0]}: {found[0][1]}"
    else:
        lines = [
            line
            for owner in sorted({owner for owner, _ in found})
            for line in (f"conflicts with {owner}:", *(f"- {path}" for of, path in found if of == owner))
        ]
        words = "\n".join(lines)
    message = f"Apply failed with {len(found)} conflict{'s' * (len(found) > 1)}: {words}"
    raise ApiError(409, "Conflict", message, {"causes": causes})


def _as_list(entries: Entries, api_version: str) -> list[dict]:
    """As Kubernetes orders them: who applies first, then by time and name."""
    listed = []
    for manager, (paths, time) in sorted(entries.items(), key=lambda pair: (pair[0].operation, pair[1][1], pair[0])):
        entry = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": api_version,
            "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": as_fields(paths),
        }
        listed.append(entry | ({"subresource": manager.subresource} if manager.subresource else {}))
    return listed
