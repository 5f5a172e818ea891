"""How a value merges, as its schema says (`x-kubernetes-list-type`, `x-kubernetes-map-type` and their elders)."""

from dataclasses import dataclass

from ..schemas import REF, schemas

WHOLE, FIELDS, MAP, ITEMS, SET = "whole", "fields", "map", "items", "set"
# What an item's key is where the item leaves it out. Source: the defaults in Kubernetes' published definitions.
KEY_DEFAULTS = {"protocol": "TCP"}


@dataclass(frozen=True, eq=False)
class Shape:
    """`how` is one of WHOLE (scalars, atomic lists and objects), FIELDS (an object of known fields), MAP (of any
    keys), ITEMS (a list whose items are told apart by `keys`), SET (a list of values)."""

    how: str
    keys: tuple[str, ...]
    schema: dict

    def of_field(self, name: str) -> "Shape":
        properties = self.schema.get("properties", {})
        return shape_of(properties.get(name) or self.schema.get("additionalProperties"))

    def of_item(self) -> "Shape":
        return shape_of(self.schema.get("items"))


def shape_of(schema: dict | bool | None) -> Shape:
    if not isinstance(schema, dict):
        return Shape(WHOLE, (), {})
    told = schema
    while "$ref" in told:
        told = schemas()[told["$ref"].removeprefix(REF)]
    if schema.get("x-kubernetes-map-type", told.get("x-kubernetes-map-type")) == "atomic":
        return Shape(WHOLE, (), told)
    if "properties" in told:
        return Shape(FIELDS, (), told)
    if told.get("type") == "object":
        return Shape(MAP, (), told)
    if told.get("type") == "array":
        return _of_list(told)
    return Shape(WHOLE, (), told)


def _of_list(schema: dict) -> Shape:
    kind, merged = schema.get("x-kubernetes-list-type"), "merge" in schema.get("x-kubernetes-patch-strategy", "")
    key = schema.get("x-kubernetes-patch-merge-key", "")
    if kind == "map" or (kind is None and merged and key):
        return Shape(ITEMS, tuple(schema.get("x-kubernetes-list-map-keys") or (key,)), schema)
    if kind == "set" or (kind is None and merged):
        return Shape(SET, (), schema)
    return Shape(WHOLE, (), schema)
