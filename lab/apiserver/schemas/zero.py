"""What a body leaves out and Go's types hold all the same: the zero value of whatever is no pointer there.

A decoded object has them, so who reads it need not ask. Only where a reader relies on them are they filled in here: an
empty `spec`, the metadata of a template, and what a status must say. What a spec must say, validation asks for.
"""

from . import REF, root_of, schemas

OBJECT_META = REF + "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
ZERO = {"string": "", "integer": 0, "number": 0, "boolean": False}


def complete(obj: dict, api_version: str, kind: str) -> None:
    """Fill `obj`, whose types are right, in place."""
    schema = schemas()[root_of(api_version, kind)]
    if "spec" in schema.get("properties", ()):
        obj.setdefault("spec", {})
    _complete(obj, schema, is_status=False)


def _complete(value: object, schema: dict, is_status: bool) -> None:
    schema = schemas()[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema
    if isinstance(value, list):
        for item in value:
            _complete(item, schema.get("items", {}), is_status)
    elif isinstance(value, dict):
        fields = schema.get("properties", {})
        for field, type_ in fields.items():
            if type_.get("$ref") == OBJECT_META:
                value.setdefault(field, {})
        for field in schema.get("required", ()) if is_status else ():
            if (zero := ZERO.get(fields[field].get("type"))) is not None:
                value.setdefault(field, zero)
        rest = schema.get("additionalProperties") or {}
        for field, child in value.items():
            _complete(child, fields.get(field, rest), is_status or field == "status")
