"""Decoding: whether a body can be an object of its kind at all. The first thing an API server does with what it gets.

In Kubernetes this is the work of Go's JSON decoder, and its words are what people search the web for; they are
given here for the same mistakes. Whether the values make sense is asked later, by the strategies.
"""

import base64
import binascii
import functools
import re
from collections.abc import Iterable, Sequence

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from lab.apimachinery.errors import ApiError
from lab.apimachinery.meta import time_or_none
from lab.apimachinery.quantity import parse_quantity

from . import REF, root_of, schemas

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
RANGES = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}
RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")
# What one object may report; the rest of a body that is wrong everywhere helps nobody.
MOST_WARNINGS = 100


class Undecodable(ApiError):
    """400 for a body that is no object of its kind. `why`: what is wrong with it, without its kind. `unknown`: the
    fields that nobody knows, step by step, if that is what is wrong."""

    def __init__(self, kind: str, api_version: str, why: str, unknown: Sequence[list[str | int]] = ()):
        version = api_version.rpartition("/")[2]
        super().__init__(400, "BadRequest", f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')
        self.why, self.unknown = why, unknown


def check_object(
    obj: dict, api_version: str, kind: str, field_validation: str, doubled: Iterable[str] = ()
) -> list[str]:
    """Clean `obj` in place, so that it is what a server that knows its type would have decoded.

    A null counts as a field that is not there, as in Go. Unknown fields are dropped; `field_validation` says whether
    that is an error ("Strict"), one warning each ("Warn"), or silent ("Ignore"), and so for those that are `doubled`.
    Returns the warnings. Raises Undecodable for a wrong type or, if strict, an unknown field.
    """
    validator = _validator(root_of(api_version, kind))
    unknown, wrong = [], []
    if not validator.is_valid(obj):
        _drop_nulls(obj)
        for error in validator.iter_errors(obj):
            if isinstance(error.kind, ValidationErrorKind.AdditionalProperties):
                unknown += [(list(error.instance_path), field) for field in error.kind.unexpected]
            else:
                wrong.append(error)
    if wrong:
        first = min(wrong, key=lambda error: [str(step) for step in error.instance_path])
        raise Undecodable(kind, api_version, _go_message(root_of(api_version, kind), first))
    unknown.sort(key=str)
    found = [*doubled, *(f'unknown field "{_dotted([*path, field])}"' for path, field in unknown)][:MOST_WARNINGS]
    if found and field_validation == "Strict":
        words = f"strict decoding error: {', '.join(found)}"
        raise Undecodable(kind, api_version, words, [[*path, field] for path, field in unknown])
    for path, field in unknown:
        _drop(obj, path, field)
    return found if field_validation == "Warn" else []


@functools.cache
def _validator(name: str) -> jsonschema_rs.Draft4Validator:
    """Draft 4, because there 1.0 is no integer; in later drafts it is, and replicas of 1.0 would get in."""
    schema = {"$ref": REF + name, "components": {"schemas": _strict_schemas()}}
    return jsonschema_rs.Draft4Validator(schema, validate_formats=True, formats=FORMATS)


@functools.cache
def _strict_schemas() -> dict[str, dict]:
    """The definitions as decoding needs them: no unknown fields, integers within range, and nothing required,
    since Go's decoder does not know of missing fields: that is left to validation."""
    strict = {name: _strict(schema) for name, schema in schemas().items()}
    strict[QUANTITY] = {"type": ["string", "number"], "format": "quantity"}
    strict[INT_OR_STRING] = {"type": ["string", "integer"], **RANGES["int32"]}
    return strict


def _strict(schema: dict) -> dict:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    new: dict = {"type": schema["type"]} if "type" in schema else {}
    if "properties" in schema:
        new["properties"] = {field: _strict(property_) for field, property_ in schema["properties"].items()}
        new["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        new["additionalProperties"] = _strict(schema["additionalProperties"])
    if "items" in schema:
        new["items"] = _strict(schema["items"])
    form = schema.get("format", "")
    if form in RANGES:
        new.update(RANGES[form])
    elif form in ("date-time", "byte"):
        new["format"] = form
    return new


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except ApiError:
        return False
    return True


def _is_time(text: str) -> bool:
    """As Go reads them: without leap seconds, and in capitals. What nobody else can read would stop who reads it."""
    return bool(RFC_3339.fullmatch(text)) and time_or_none(text) is not None


FORMATS = {"byte": _is_base64, "quantity": _is_quantity, "date-time": _is_time}


def _drop_nulls(node: dict | list) -> None:
    if isinstance(node, dict):
        for field in [field for field, child in node.items() if child is None]:
            del node[field]
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            _drop_nulls(child)


def _drop(obj: dict, path: list[str | int], field: str) -> None:
    node = obj
    for step in path:
        node = node[step]
    del node[field]


def _dotted(path: list[str | int]) -> str:
    """`spec.containers[0].image`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _go_message(root: str, error: jsonschema_rs.ValidationError) -> str:
    """What Go's decoder would say: `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas
    of type int32`. It names the struct that has the field, the way to the field, and Go's type."""
    struct: str = root
    schema: dict = {"$ref": REF + root}
    for step in error.instance_path:
        if "$ref" in schema:
            struct = schema["$ref"].removeprefix(REF)
            schema = schemas()[struct]
        if isinstance(step, int):
            schema = schema["items"]
        else:
            schema = schema.get("properties", {}).get(step) or schema["additionalProperties"]
    if isinstance(error.kind, ValidationErrorKind.Format):
        return _format_message(error.kind.format, str(error.instance))
    way = ".".join(step for step in error.instance_path if isinstance(step, str))
    place = f"struct field {struct.rpartition('.')[2]}.{way}" if way else "value"
    wanted = _go_type(schema)
    return f"json: cannot unmarshal {_go_value(error.instance, wanted)} into Go {place} of type {wanted}"


def _format_message(form: str, text: str) -> str:
    if form == "quantity":
        try:
            parse_quantity(text)
        except ApiError as refused:
            return refused.message
    if form == "byte":
        return "illegal base64 data: values of `data` are base64; plain text belongs in `stringData`"
    return f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as RFC 3339'


def _go_value(instance: object, wanted: str) -> str:
    """Go names the number only where a number was right and this one was not."""
    if isinstance(instance, int | float) and not isinstance(instance, bool):
        return f"number {instance}" if wanted in RANGES else "number"
    named: dict[type, str] = {bool: "bool", str: "string", list: "array", dict: "object"}
    return named.get(type(instance), "null")


def _go_type(schema: dict) -> str:
    ref = schema.get("$ref", "").removeprefix(REF)
    if ref in (QUANTITY, INT_OR_STRING):
        return "int32" if ref == INT_OR_STRING else "string"
    if ref:
        target = schemas()[ref]
        return _go_type(target) if target["type"] != "object" else ".".join(ref.rsplit(".", 2)[1:])
    if schema["type"] == "array":
        return f"[]{_go_type(schema['items'])}"
    if schema["type"] == "object":
        of = schema.get("additionalProperties")
        return f"map[string]{_go_type(of)}" if of else "map[string]interface {}"
    if schema["type"] == "integer":
        return schema.get("format", "int64")
    return {"boolean": "bool", "number": "float64"}.get(schema["type"], schema["type"])
