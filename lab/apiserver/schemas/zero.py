"""What a body leaves out and Go's types hold all the same: the zero value of whatever is no pointer there.

A decoded object has them, so who reads it need not ask. Only where a reader relies on them are they filled in here: an
empty `spec`, the metadata of a template, and what a status must say. What a spec must say, validation asks for.

And the other way round: an empty list or map that nobody must give is left out when Go writes it (`omitempty`), so to
give one is to give none, and `env: []` makes no other template than no `env`. Our own kinds are as those of a
CustomResourceDefinition, which keeps what it was given.
"""

from lab.apimachinery.kinds import OWN

from . import REF, root_of, schemas

OBJECT_META = REF + "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
ZERO = {"string": "", "integer": 0, "number": 0, "boolean": False}


def complete(obj: dict, api_version: str, kind: str) -> None:
    """Fill `obj`, whose types are right, in place."""
    schema = schemas()[root_of(api_version, kind)]
    if "spec" in schema.get("properties", ()):
        obj.setdefault("spec", {})
    _complete(obj, schema, is_status=False, is_go=not api_version.startswith(f"{OWN}/"))


def _complete(value: object, schema: dict, is_status: bool, is_go: bool) -> None:
    schema = schemas()[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema
    if isinstance(value, list):
        for item in value:
            _complete(item, schema.get("items", {}), is_status, is_go)
    elif isinstance(value, dict):
        fields = schema.get("properties", {})
        for field in [field for field, child in value.items() if child in ([], {})] if is_go else ():
            if _is_omitted(fields.get(field, {}), field in schema.get("required", ())):
                del value[field]
        for field, type_ in fields.items():
            if type_.get("$ref") == OBJECT_META:
                value.setdefault(field, {})
        for field in schema.get("required", ()) if is_status else ():
            if (zero := ZERO.get(fields[field].get("type"))) is not None:
                value.setdefault(field, zero)
        rest = schema.get("additionalProperties") or {}
        for field, child in value.items():
            _complete(child, fields.get(field, rest), is_status or field == "status", is_go)


def _is_omitted(schema: dict, required: bool) -> bool:
    """Whether Go leaves a field of this type out where it is empty: a list or a map, but no struct."""
    return not required and (schema.get("type") == "array" or "additionalProperties" in schema)
