"""Event: what happened to an object, kept for an hour. Source: kubernetes/pkg/apis/core/validation/events.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause
from lab.apimachinery.selectors import REFERENCE, REGARDING

from .base import Strategy
from .causes import invalid

# Events about objects without a namespace are kept here.
HOME_OF_THE_HOMELESS = "default"


class EventStrategy(Strategy):
    has_status = False

    def validate(self, obj: dict) -> Iterator[Cause]:
        about = (obj.get("involvedObject") or {}).get("namespace", "") or HOME_OF_THE_HOMELESS
        if about != obj["metadata"].get("namespace", ""):
            yield invalid("involvedObject.namespace", about, "does not match event.namespace")

    def selectable_fields(self, obj: dict) -> dict[str, str]:
        """In the words of both groups. `source` is its component; newer events carry that as `reportingComponent`."""
        fields = super().selectable_fields(obj)
        fields["source"] = (obj.get("source") or {}).get("component", "") or obj.get("reportingComponent", "")
        fields["reportingComponent"] = fields["reportingController"] = fields["reportingComponent"] or fields["source"]
        fields |= {f"{REGARDING}.{field}": fields[f"involvedObject.{field}"] for field in REFERENCE}
        return fields
