"""The strategy of a kind without peculiarities: Kubernetes' defaults for strategies. The others override it."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lab.apimachinery import names, selectors
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import Kind

from ..schemas.check import check_object
from ..schemas.zero import complete
from .metadata import validate_metadata, validate_metadata_update
from .podspec.ignored import ignored_in

# How a field that is not set compares in a field selector, where that is not the empty text.
UNSET = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0", "status.successful": "0"}


class Strategy:
    """What the registry asks about a write, in this order: decode, default, prepare_…, allocate, validate_…,
    warnings.

    `default`, `prepare_…` and `allocate` change the object given first, and only where something is missing or not
    the client's to say: parts of `new` may be shared with `old`, so what is right already is left as it is.
    """

    name_rule: Callable[[str], names.Problems] = staticmethod(names.dns_subdomain)
    has_status = True
    first_status: dict | None = None  # what a new object has; its client's never counts
    finalizer = ""  # what keeps it while it is in use: Kubernetes' admission plug-in StorageObjectInUseProtection
    has_generation = False  # metadata.generation counts the changes of spec
    is_exclusive = False  # whether what `allocate` gives may be given once only
    status_may_label = False  # whether labels may be written through /status

    def __init__(self, kind: Kind):
        self.kind = kind
        self.allocates_from = kind.resource
        self._fields = [(name, name.split(".")) for name in selectors.selectable(kind)]

    def decode(self, obj: dict, field_validation: str, doubled: Iterable[str] = ()) -> list[str]:
        """Make `obj` what a server that knows its type would have decoded. Warnings about fields that are unknown or
        `doubled`; Undecodable for wrong types. `field_validation`: Strict, Warn or Ignore."""
        warnings = check_object(obj, self.kind.api_version, self.kind.kind, field_validation, doubled)
        complete(obj, self.kind.api_version, self.kind.kind)
        return warnings

    def default(self, obj: dict) -> None:
        """Fill in what the client left out, on create and update alike."""

    def keep_ours(self, new: dict, old: dict | None) -> None:
        """Take back what no client may say, because the lab's own parts go by it. `old` is None for a new object."""

    def prepare_create(self, obj: dict) -> None:
        """Take back what a client may not set on a new object."""
        if self.has_status:
            obj.pop("status", None)
        if self.first_status is not None:
            obj["status"] = copy.deepcopy(self.first_status)
        held = obj["metadata"].get("finalizers", ())
        if self.finalizer and self.finalizer not in held:
            obj["metadata"]["finalizers"] = [*held, self.finalizer]
        if self.has_generation:
            obj["metadata"]["generation"] = 1

    def prepare_update(self, new: dict, old: dict) -> None:
        """Take back what may not be changed by a write of the object itself: above all its status."""
        if self.has_status:
            keep(new, old, "status")
        if self.has_generation and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def prepare_status_update(self, new: dict, old: dict) -> None:
        """Take back what a write of `…/status` may not change: everything else."""
        for field in (new.keys() | old.keys()) - {"metadata", "status"}:
            keep(new, old, field)
        for field in (
            ("ownerReferences", "finalizers") if self.status_may_label else ("ownerReferences", "finalizers", "labels")
        ):
            keep(new["metadata"], old["metadata"], field)

    def prepare_finalize_update(self, new: dict, old: dict) -> None:
        """Take back what a write of `…/finalize` may not change. Only namespaces have that address."""
        self.prepare_update(new, old)

    def prepare_debug_update(self, new: dict, old: dict) -> None:
        """Take back what a write of `…/ephemeralcontainers` may not change. Only pods have that address."""
        self.prepare_update(new, old)

    def allocate(self, obj: dict, existing: Callable[[], list[dict]]) -> Iterable[Cause]:
        """Give the object what depends on others, and say what cannot be had: `existing` lists all of `allocates_from`,
        usually of its own kind, where something must be unique in the cluster."""
        return ()

    def warnings(self, obj: dict) -> Iterable[str]:
        """What may be stored, but will not do what its author expects."""
        return ignored_in(obj)

    def validate_create(self, obj: dict) -> list[Cause]:
        """What is wrong with the object, field by field; nothing if it may be stored."""
        return [*validate_metadata(obj["metadata"], self.name_rule), *self.validate(obj)]

    def validate_update(self, new: dict, old: dict) -> list[Cause]:
        """What is wrong with the new object, or with changing the old one into it."""
        return [
            *validate_metadata(new["metadata"], self.name_rule),
            *validate_metadata_update(new["metadata"], old["metadata"]),
            *self.validate_change(new, old),
        ]

    def validate_debug_update(self, new: dict, old: dict) -> list[Cause]:
        """What is wrong with a write of `…/ephemeralcontainers`."""
        return self.validate_update(new, old)

    def validate(self, obj: dict) -> Iterator[Cause]:
        """The rules of this kind beyond metadata, for an object by itself."""
        yield from ()

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """The rules of this kind for an update: more where something is immutable, fewer where nothing changed."""
        yield from self.validate(new)

    def grace_seconds(self, obj: dict, requested: int | None) -> int:
        """How long a deleted object stays, marked. Only pods have something to finish."""
        return 0

    def selectable_fields(self, obj: dict) -> dict[str, str]:
        """The values for field selectors, as text."""
        return {name: _text_at(obj, path, UNSET.get(name, "")) for name, path in self._fields}


def keep(new: dict, old: dict, field: str) -> None:
    if field in old:
        new[field] = old[field]
    else:
        new.pop(field, None)


def _text_at(obj: dict, path: list[str], unset: str) -> str:
    node: Any = obj
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    if node is None:
        return unset
    return str(node).lower() if isinstance(node, bool) else str(node)
