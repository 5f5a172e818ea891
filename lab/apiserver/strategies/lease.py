"""Lease: a heartbeat, or who leads. Source: kubernetes/pkg/apis/coordination/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, not_negative


class LeaseStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        obj["spec"] = obj.get("spec") or {}  # as Go writes it: whoever reads heartbeats finds one

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        seconds = spec.get("leaseDurationSeconds")
        if seconds is not None and seconds <= 0:
            yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
        yield from not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
        if spec.get("holderIdentity") == "":
            yield invalid("spec.holderIdentity", "", "must not be empty")
