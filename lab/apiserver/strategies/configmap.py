"""ConfigMap: settings by key. Source: ValidateConfigMap in kubernetes/pkg/apis/core/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import forbidden, invalid, too_long, unlike

MOST_BYTES = 1024 * 1024
FROZEN = "field is immutable when `immutable` is set"


class ConfigMapStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        for field in ("data", "binaryData"):
            if not obj.get(field):
                obj.pop(field, None)  # nothing in it is the same as none, and told so

    def validate(self, obj: dict) -> Iterator[Cause]:
        data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        for field, held in (("data", data), ("binaryData", binary)):
            for key in held:
                yield from unlike(f"{field}[{key}]", key, names.config_key(key))
        for key in data.keys() & binary.keys():
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        yield from validate_size("[]", data, binary)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from validate_frozen(new, old, ("data", "binaryData"))
        yield from self.validate(new)


def validate_size(path: str, *maps: dict[str, str]) -> Iterator[Cause]:
    if sum(len(value.encode()) for held in maps for value in held.values()) > MOST_BYTES:
        yield too_long(path, MOST_BYTES)


def validate_frozen(new: dict, old: dict, fields: tuple[str, ...]) -> Iterator[Cause]:
    """`immutable: true` cannot be taken back, and nothing under it changed: so the kubelet need not watch it."""
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", FROZEN)
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, FROZEN)
