"""PodTemplate: a template kept for whoever wants to make pods of it. Source: ValidatePodTemplate in
kubernetes/pkg/apis/core/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .podspec.validation import validate_template
from .workload import default_template


class PodTemplateStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        default_template(obj)

    def prepare_create(self, obj: dict) -> None:
        obj["metadata"]["generation"] = 1

    def prepare_update(self, new: dict, old: dict) -> None:
        if new["template"] != old["template"]:
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def validate(self, obj: dict) -> Iterator[Cause]:
        yield from validate_template(obj["template"], "template")
