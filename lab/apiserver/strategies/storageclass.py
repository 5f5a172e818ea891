"""StorageClass: a kind of storage that claims may ask for. Source: pkg/apis/storage/validation/validation.go.

Nothing of it can be changed later, or two volumes of one class would not be alike.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import forbidden, one_of, required, unchanged, unlike

RECLAIM_POLICIES = ("Delete", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")


class StorageClassStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def validate(self, obj: dict) -> Iterator[Cause]:
        provisioner = obj.get("provisioner", "")
        if not provisioner:
            yield required("provisioner")
        else:
            yield from unlike("provisioner", provisioner, names.qualified_name(provisioner.lower()))
        yield from one_of("reclaimPolicy", obj["reclaimPolicy"], RECLAIM_POLICIES)
        yield from one_of("volumeBindingMode", obj["volumeBindingMode"], BINDING_MODES)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        for field in ("parameters", "provisioner"):
            if new.get(field) != old.get(field):
                yield forbidden(field, f"updates to {field} are forbidden.")
        for field in ("reclaimPolicy", "volumeBindingMode"):
            yield from unchanged(field, new[field], old[field])
