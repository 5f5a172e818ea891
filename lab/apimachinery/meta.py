"""Metadata that every object carries: names, keys, owners, conditions, times."""

import datetime
import random
import uuid

import orjson

# Kubernetes leaves out vowels and look-alikes, so that a random name never spells a word.
# Source: k8s.io/apimachinery/pkg/util/rand.
NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
LONGEST_GENERATED_BASE = 58


def now() -> str:
    """The time as Kubernetes writes it: RFC 3339 in UTC, whole seconds."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(seconds: float) -> str:
    """A moment, in seconds since the epoch, as `now` writes it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_now() -> str:
    """The time as Leases and Events write it (MicroTime): six digits after the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> float:
    """RFC 3339 text to seconds since the epoch."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def time_or_none(text: str) -> float | None:
    """The same of what anybody may have written, as in an annotation; None where it is no time."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        return None


def copied(obj: dict) -> dict:
    """A deep copy of what is JSON and nothing else: seven times as fast as `copy.deepcopy`."""
    return orjson.loads(orjson.dumps(obj))


def drop_empty(meta: dict) -> None:
    """A map or list in which nothing is left is none, as Go's `omitempty` has it."""
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if field in meta and not meta[field]:
            del meta[field]


def new_uid() -> str:
    return str(uuid.uuid4())


def generated_name(base: str) -> str:
    return base[:LONGEST_GENERATED_BASE] + "".join(random.choices(NAME_ALPHABET, k=5))


def key_of(obj: dict) -> str:
    """`namespace/name`, or just the name of an object without a namespace: what controllers queue."""
    meta = obj["metadata"]
    return join_key(meta.get("namespace", ""), meta["name"])


def join_key(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str, str]:
    """`("default", "web")` of `default/web`; the namespace is empty for objects without one."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def owner_reference(owner: dict, controller: bool = True) -> dict:
    """The reference that makes `owner` the owner of another object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: dict) -> dict | None:
    """The owner reference whose `controller` is true: the one part of the cluster that manages this object."""
    return next((ref for ref in obj["metadata"].get("ownerReferences", ()) if ref.get("controller")), None)


def is_deleting(obj: dict) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def condition(obj: dict, kind: str) -> dict | None:
    return next((c for c in obj.get("status", {}).get("conditions", ()) if c["type"] == kind), None)


def is_true(obj: dict, kind: str) -> bool:
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


def with_condition(conditions: list[dict], kind: str, status: str, reason: str, message: str = "") -> list[dict]:
    """The conditions with one set anew; `lastTransitionTime` moves only when `status` changes."""
    old = next((c for c in conditions if c["type"] == kind), None)
    unchanged = old if old and old["status"] == status else {}
    new = {
        "type": kind,
        "status": status,
        "lastTransitionTime": unchanged.get("lastTransitionTime") or now(),
        "reason": reason,
        "message": message,
    }
    if old is None:
        return [*conditions, new]
    return [new if c["type"] == kind else c for c in conditions]
