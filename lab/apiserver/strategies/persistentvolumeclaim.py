"""PersistentVolumeClaim: storage that somebody needs. Source: ValidatePersistentVolumeClaim in
pkg/apis/core/validation/validation.go, and the admission plug-in DefaultStorageClass."""

from collections.abc import Callable, Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import STORAGECLASSES, Kind
from lab.apimachinery.quantity import milli_value
from lab.apimachinery.volumes import CLAIM_PROTECTION, default_class

from .base import Strategy
from .causes import forbidden, invalid, named, required
from .persistentvolume import validate_modes
from .podspec.resources import canonicalise
from .podspec.selectors import validate_label_selector

IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
NO_GROWING = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)
NO_COPIES = "the lab's driver makes empty volumes: it neither clones nor restores"


class PersistentVolumeClaimStrategy(Strategy):
    first_status = {"phase": "Pending"}
    finalizer = CLAIM_PROTECTION

    def __init__(self, kind: Kind):
        super().__init__(kind)
        self.allocates_from = STORAGECLASSES.resource

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("volumeMode", "Filesystem")
        canonicalise((spec.get("resources") or {}).get("requests"))

    def allocate(self, obj: dict, existing: Callable[[], list[dict]]) -> Iterable[Cause]:
        """Whoever names no class gets the default one, even if that comes later; "" means: none, and really none."""
        spec = obj["spec"]
        if spec.get("storageClassName") is None and not spec.get("volumeName") and (found := default_class(existing())):
            spec["storageClassName"] = found
        return ()

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from validate_modes(spec)
        if spec.get("selector"):
            yield from validate_label_selector(spec["selector"], "spec.selector")
        for field in ("dataSource", "dataSourceRef"):
            if spec.get(field):
                yield forbidden(f"spec.{field}", NO_COPIES)
        storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
        if storage is None:
            yield required("spec.resources[storage]")
        elif milli_value(storage) <= 0:
            yield invalid("spec.resources[storage]", storage, "must be greater than zero")
        yield from named("spec.storageClassName", spec.get("storageClassName"), names.dns_subdomain)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """Its controller may say which volume it got, and of which class; nobody else may change anything."""
        yield from self.validate(new)
        asked, was = dict(new["spec"]), dict(old["spec"])
        if not was.get("volumeName"):
            for field in ("volumeName", "storageClassName"):
                if was.get(field) is None:
                    asked.pop(field, None)
                    was.pop(field, None)
        if asked.pop("resources", None) != was.pop("resources", None):
            yield forbidden("spec.resources.requests", NO_GROWING)
        if asked != was:
            yield forbidden("spec", IMMUTABLE)
