"""What differs between two states of an object, or of a cluster, path by path. Pure.

A path is written as people write it: `spec.template.spec.containers[web].image`. Items of a list that have a name (or a
type, as conditions have) go by it, others by their number. Of a Secret one learns which of its data differ, not what is
in them.
"""

from collections.abc import Iterable, Iterator

from lab.apimachinery.kinds import SECRETS
from lab.store import View

HIDDEN = "(not shown)"
SECRET_FIELDS = ("data", "stringData")
UNTOLD = ("metadata.resourceVersion", "metadata.managedFields", "metadata.generation")  # differ with whatever differs
NAMED_BY = ("name", "type", "key", "uid", "ip")


def between(before: View, after: View) -> list[dict]:
    """The objects that are not the same: `{resource, kind, namespace, name, change, paths}`, by resource and key.

    `change` is added, removed or changed; `paths` (of what was changed): `{path, from, to}`, without what is not there.
    """
    pairs = sorted((key, old, new) for key, old, new in _pairs(_by_key(before), _by_key(after)))
    return [_told(key, old, new) for key, old, new in pairs]


Key = tuple[str, str, str]


def _by_key(view: View) -> dict[Key, dict]:
    return {
        (resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj
        for resource in view.resources()
        for obj in view.list(resource)
    }


def _pairs(before: dict[Key, dict], after: dict[Key, dict]) -> Iterator[tuple[Key, dict | None, dict | None]]:
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if not (old and new and version(old) == version(new)):
            yield key, old, new


def version(obj: dict) -> str:
    return obj["metadata"]["resourceVersion"]


def _told(key: Key, old: dict | None, new: dict | None) -> dict:
    resource, namespace, name = key
    told = {"resource": resource, "kind": (new or old or {})["kind"], "namespace": namespace, "name": name}
    if old and new:
        return {**told, "change": "changed", "paths": changed(old, new)}
    return {**told, "change": "added" if new else "removed"}


def changed(old: dict, new: dict) -> list[dict]:
    """The paths at which two states of one object differ, each with the value that was (`from`) and that is (`to`)."""
    untold = (*UNTOLD, *SECRET_FIELDS) if new["kind"] == SECRETS.kind else UNTOLD
    found = [item for item in _walk("", old, new) if not item["path"].startswith(untold)]
    if new["kind"] == SECRETS.kind:
        found += [item for part in SECRET_FIELDS for item in _hidden(part, old.get(part, {}), new.get(part, {}))]
    return found


def _hidden(part: str, old: dict, new: dict) -> Iterator[dict]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            said = {word: HIDDEN for word, side in (("from", old), ("to", new)) if key in side}
            yield {"path": f"{part}.{key}", **said}


def shown(obj: dict) -> dict:
    """The object as it may be shown: of a Secret without what it keeps."""
    if obj["kind"] != SECRETS.kind:
        return obj
    return {**obj, **{part: dict.fromkeys(obj[part], HIDDEN) for part in SECRET_FIELDS if part in obj}}


def _walk(path: str, old: object, new: object) -> Iterator[dict]:
    if old == new:
        return
    olds, news = _parts(old), _parts(new)
    if olds is None or news is None or (isinstance(old, dict) != isinstance(new, dict)):
        yield {"path": path, "from": old, "to": new}
        return
    for key in dict.fromkeys([*olds, *news]):
        inner = f"{path}[{key}]" if isinstance(old, list) else f"{path}.{key}" if path else key
        if key not in olds:
            yield {"path": inner, "to": news[key]}
        elif key not in news:
            yield {"path": inner, "from": olds[key]}
        else:
            yield from _walk(inner, olds[key], news[key])


def _parts(value: object) -> dict[str, object] | None:
    """What a value is made of, by name; None if it is one value."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    for field in NAMED_BY:
        names = [name for item in value if isinstance(item, dict) and isinstance(name := item.get(field), str)]
        if value and len(set(names)) == len(value):
            return dict(zip(names, value, strict=True))
    return {str(number): item for number, item in enumerate(value)}


MAPS = ("metadata.annotations.", "metadata.labels.", "data.")  # whose keys have dots of their own


def in_words(paths: Iterable[dict]) -> str:
    """The most telling difference in a few words: `replicas 3 → 5`, `skip set to the-opening`, `annotations added`."""
    told = sorted(paths, key=lambda item: _telling(item["path"]))
    if not told:
        return ""
    first, more = told[0], len(told) - 1
    path = first["path"]
    name = next((path.removeprefix(one) for one in MAPS if path.startswith(one)), _called(path))
    return f"{name} {_how(first)}" + (f", {more} more" if more else "")


def _how(item: dict) -> str:
    if any(isinstance(item.get(side), dict | list) for side in ("from", "to")):
        return "changed" if "from" in item and "to" in item else "added" if "to" in item else "removed"
    if "from" not in item:
        return f"set to {_short(item['to'])}"
    if "to" not in item:
        return f"taken away, it was {_short(item['from'])}"
    return f"{_short(item['from'])} → {_short(item['to'])}"


def _called(path: str) -> str:
    """By its last part; the value of what has a name (`env[FAULTS].value`) by that."""
    *_, whose, last = ("", *path.split("."))
    return whose.rpartition("[")[2].removesuffix("]") if last == "value" and whose.endswith("]") else last


def _telling(path: str) -> tuple[int, int]:
    order = ("spec.replicas", "spec.template.spec", "spec", "metadata.annotations", "metadata", "status")
    return next((n for n, start in enumerate(order) if path.startswith(start)), len(order)), len(path)


def _short(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text:
        return "nothing"
    return text if len(text) <= 40 else f"{text[:39]}…"
