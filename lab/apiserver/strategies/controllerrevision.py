"""ControllerRevision: one version of a StatefulSet or DaemonSet, as it was. Source: ValidateControllerRevision in
kubernetes/pkg/apis/apps/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import not_negative, required, unchanged


class ControllerRevisionStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        obj.setdefault("revision", 0)

    def validate(self, obj: dict) -> Iterator[Cause]:
        if obj.get("data") is None:
            yield required("data", "data is mandatory")
        yield from not_negative("revision", obj["revision"])

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self.validate(new)
        yield from unchanged("data", new.get("data"), old.get("data"))
