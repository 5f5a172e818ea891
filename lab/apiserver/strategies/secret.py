"""Secret: values in base64. Source: ValidateSecret in kubernetes/pkg/apis/core/validation/validation.go."""

import base64
import json
from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, required, unchanged, unlike
from .configmap import validate_frozen, validate_size

# The keys without which a secret of a type is of no use.
KEYS_OF_TYPE = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


class SecretStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        """Fold `stringData`, which exists only so that people need not encode by hand, into `data`."""
        plain = obj.pop("stringData", None)
        if plain:
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
            obj["data"] = {**(obj.get("data") or {}), **encoded}
        if not obj.get("type"):
            obj["type"] = "Opaque"

    def validate(self, obj: dict) -> Iterator[Cause]:
        data = obj.get("data") or {}
        for key in data:
            yield from unlike(f"data[{key}]", key, names.config_key(key))
        yield from validate_size("data", data)
        for key in KEYS_OF_TYPE.get(obj["type"], ()):
            if key not in data:
                yield required(f"data[{key}]")
            elif key.startswith(".docker"):
                yield from _validate_json(data[key], f"data[{key}]")
        if obj["type"] == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
            yield required("data[username]")
            yield required("data[password]")

    def warnings(self, obj: dict) -> Iterator[str]:
        if obj["type"] == "kubernetes.io/service-account-token":
            yield "type: no token is put into a secret here; `kubectl create token` makes one"

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from unchanged("type", new["type"], old["type"])
        yield from validate_frozen(new, old, ("data",))
        yield from self.validate(new)


def _validate_json(encoded: str, path: str) -> Iterator[Cause]:
    try:
        json.loads(base64.b64decode(encoded))
    except ValueError as error:
        yield invalid(path, "<secret contents redacted>", str(error))
