"""Rules for selectors as objects: label selectors, and the terms that select nodes."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import forbidden, invalid, required, unlike
from ..metadata import validate_labels

NODE_FIELDS = ("metadata.name",)


def validate_label_selector(selector: dict | None, path: str) -> Iterator[Cause]:
    selector = selector or {}
    yield from validate_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for at, expression in enumerate(selector.get("matchExpressions") or ()):
        here = f"{path}.matchExpressions[{at}]"
        yield from _validate_expression(expression, here, compares=False)
        for index, value in enumerate(expression.get("values") or ()):
            yield from unlike(f"{here}.values[{index}]", value, names.label_value(value))


def _validate_expression(expression: dict, here: str, compares: bool) -> Iterator[Cause]:
    """`compares`: whether it may say Gt and Lt."""
    operator, values, key = expression.get("operator", ""), expression.get("values") or [], expression.get("key", "")
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{here}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif compares and operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(f"{here}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
        elif not values[0].lstrip("+-").isdecimal():
            yield invalid(f"{here}.values", values[0], "for 'Gt', 'Lt' operators, the value must be an integer")
    else:
        yield invalid(f"{here}.operator", operator, "not a valid selector operator")
    yield from unlike(f"{here}.key", key, names.qualified_name(key))


def validate_node_term(term: dict, path: str) -> Iterator[Cause]:
    for at, expression in enumerate(term.get("matchExpressions") or ()):
        yield from _validate_expression(expression, f"{path}.matchExpressions[{at}]", compares=True)
    for at, expression in enumerate(term.get("matchFields") or ()):
        here = f"{path}.matchFields[{at}]"
        if expression.get("operator") not in ("In", "NotIn"):
            yield invalid(f"{here}.operator", expression.get("operator", ""), "not a valid selector operator")
        elif len(expression.get("values") or ()) != 1:
            words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield required(f"{here}.values", words)
        if expression.get("key") not in NODE_FIELDS:
            yield invalid(f"{here}.key", expression.get("key", ""), "not a valid field selector key")
