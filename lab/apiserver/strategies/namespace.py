"""Namespace: a room for names. Source: kubernetes/pkg/registry/core/namespace/strategy.go."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy, keep
from .metadata import validate_finalizer

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


class NamespaceStrategy(Strategy):
    name_rule = staticmethod(names.dns_label)
    first_status = {"phase": "Active"}

    def default(self, obj: dict) -> None:
        """The label by which selectors can name a namespace: they cannot select by name."""
        meta = obj["metadata"]
        name = meta.get("name")
        if name and (meta.get("labels") or {}).get(NAME_LABEL) != name:
            meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: name}

    def prepare_create(self, obj: dict) -> None:
        """Until its controller has emptied it and taken this finalizer off, a namespace cannot go."""
        super().prepare_create(obj)
        spec = obj.get("spec") or {}
        finalizers = spec.get("finalizers") or []
        if FINALIZER not in finalizers:
            finalizers = [*finalizers, FINALIZER]
        obj["spec"] = {**spec, "finalizers": finalizers}

    def prepare_update(self, new: dict, old: dict) -> None:
        """`spec.finalizers` is written through `…/finalize` alone."""
        super().prepare_update(new, old)
        keep(new, old, "spec")

    def prepare_finalize_update(self, new: dict, old: dict) -> None:
        """A write of `…/finalize` changes `spec.finalizers` and nothing else."""
        keep(new, old, "status")
        for field in ("labels", "annotations", "finalizers", "ownerReferences"):
            keep(new["metadata"], old["metadata"], field)

    def validate(self, obj: dict) -> Iterator[Cause]:
        for at, finalizer in enumerate((obj.get("spec") or {}).get("finalizers") or ()):
            yield from validate_finalizer(finalizer, f"spec.finalizers[{at}]")
