"""Environment variables: plain values, and those taken from ConfigMaps, Secrets and the pod's own fields."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import invalid, must_be_named, named, required
from .downward import IN_VARIABLES, validate_field, validate_resource

SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def default_environment(container: dict) -> None:
    for variable in container.get("env") or ():
        field = (variable.get("valueFrom") or {}).get("fieldRef")
        if field is not None and not field.get("apiVersion"):
            field["apiVersion"] = "v1"


def validate_environment(container: dict, path: str) -> Iterator[Cause]:
    for at, variable in enumerate(container.get("env") or ()):
        here = f"{path}.env[{at}]"
        name = variable.get("name", "")
        yield from must_be_named(f"{here}.name", name, names.env_name)
        if variable.get("valueFrom") is not None:
            yield from _validate_source(variable, f"{here}.valueFrom")
    for at, source in enumerate(container.get("envFrom") or ()):
        yield from _validate_import(source, f"{path}.envFrom[{at}]")


def _validate_source(variable: dict, path: str) -> Iterator[Cause]:
    source = variable["valueFrom"]
    given = [name for name in SOURCES if source.get(name) is not None]
    if not given:
        words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(path, "", words)
        return
    if variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")
    for name in given:
        yield from _validate_reference(name, source[name], f"{path}.{name}")


def _validate_reference(name: str, reference: dict, path: str) -> Iterator[Cause]:
    if name == "fieldRef":
        yield from validate_field(reference, path, IN_VARIABLES)
    elif name == "resourceFieldRef":
        yield from validate_resource(reference, path)
    else:
        yield from must_be_named(f"{path}.key", reference.get("key"), names.config_key)


def _validate_import(source: dict, path: str) -> Iterator[Cause]:
    yield from named(f"{path}.prefix", source.get("prefix"), names.env_name)
    given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    if not given:
        yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")
    for name in given:
        if not source[name].get("name"):
            yield required(f"{path}.{name}.name")
