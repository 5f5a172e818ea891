"""Ingress: which host and path of the front door lead to which Service.

Source: kubernetes/pkg/apis/networking/validation/validation.go.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, one_of, required, unlike

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


class IngressStrategy(Strategy):
    has_generation = True

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj.get("spec") or {}
        rules = spec.get("rules") or ()
        if not rules and not spec.get("defaultBackend"):
            yield invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")
        if spec.get("defaultBackend"):
            yield from _validate_backend(spec["defaultBackend"], "spec.defaultBackend")
        for at, rule in enumerate(rules):
            where = f"spec.rules[{at}]"
            if rule.get("host"):
                yield from unlike(f"{where}.host", rule["host"], names.dns_subdomain(rule["host"].removeprefix("*.")))
            for nth, path in enumerate((rule.get("http") or {}).get("paths") or ()):
                yield from _validate_path(path, f"{where}.http.paths[{nth}]")


def _validate_path(path: dict, where: str) -> Iterator[Cause]:
    if not path.get("pathType"):
        yield required(f"{where}.pathType")
    else:
        yield from one_of(f"{where}.pathType", path["pathType"], PATH_TYPES)
    text = path.get("path", "")
    if (text or path.get("pathType") in ("Exact", "Prefix")) and not text.startswith("/"):
        yield invalid(f"{where}.path", text, "must be an absolute path")
    yield from _validate_backend(path.get("backend") or {}, f"{where}.backend")


def _validate_backend(backend: dict, where: str) -> Iterator[Cause]:
    service = backend.get("service") or {}
    if not service.get("name"):
        yield required(f"{where}.service.name")
    port = service.get("port") or {}
    if not port.get("name") and not port.get("number"):
        yield required(f"{where}.service.port")
