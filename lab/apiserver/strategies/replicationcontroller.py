"""ReplicationController: a ReplicaSet of the first hour. Source: ValidateReplicationControllerSpec in
kubernetes/pkg/apis/core/validation/validation.go, and its defaults in pkg/apis/core/v1/defaults.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, required
from .podspec.validation import validate_lasting_template
from .workload import default_template, validate_replicas


class ReplicationControllerStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec)
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        if not obj["metadata"].get("labels") and labels:
            obj["metadata"]["labels"] = dict(labels)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from validate_replicas(spec)
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if not spec["selector"]:
            yield required("spec.selector")
        elif not spec["selector"].items() <= labels.items():
            yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
        yield from validate_lasting_template(spec["template"], "ReplicationController")
