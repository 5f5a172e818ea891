"""One wrong field, in Kubernetes' words: `Invalid value: -1: must be greater than or equal to 0`.

Messages follow `k8s.io/apimachinery/pkg/util/validation/field`; the same mistake must read the same here and there.
"""

import json
from collections.abc import Callable, Iterable, Iterator

from lab.apimachinery.errors import Cause

IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"
POSITIVE = "must be greater than zero"


def shown(value: object) -> str:
    """A value as Go prints it in these messages; objects as JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _cause(path: str, reason: str, words: str, detail: str) -> Cause:
    return Cause(path, f"{words}: {detail}" if detail else words, reason)


def required(path: str, detail: str = "") -> Cause:
    return _cause(path, "FieldValueRequired", "Required value", detail)


def invalid(path: str, value: object, detail: str) -> Cause:
    return _cause(path, "FieldValueInvalid", f"Invalid value: {shown(value)}", detail)


def unsupported(path: str, value: object, supported: Iterable[str]) -> Cause:
    listed = ", ".join(f'"{one}"' for one in sorted(supported))
    return _cause(path, "FieldValueNotSupported", f"Unsupported value: {shown(value)}", f"supported values: {listed}")


def duplicate(path: str, value: object) -> Cause:
    return _cause(path, "FieldValueDuplicate", f"Duplicate value: {shown(value)}", "")


def not_found(path: str, value: object) -> Cause:
    return _cause(path, "FieldValueNotFound", f"Not found: {shown(value)}", "")


def forbidden(path: str, detail: str) -> Cause:
    return _cause(path, "FieldValueForbidden", "Forbidden", detail)


def too_long(path: str, most: int) -> Cause:
    return _cause(path, "FieldValueTooLong", "Too long", f"may not be more than {most} bytes")


def unlike(path: str, value: str, problems: Iterable[str]) -> Iterator[Cause]:
    """One cause for each thing that is wrong with the value."""
    for problem in problems:
        yield invalid(path, value, problem)


def named(path: str, value: str | None, rule: Callable[[str], Iterable[str]]) -> Iterator[Cause]:
    """A name that may be left out, and follows a rule if it is there."""
    if value:
        yield from unlike(path, value, rule(value))


def must_be_named(
    path: str, value: str | None, rule: Callable[[str], Iterable[str]], detail: str = ""
) -> Iterator[Cause]:
    """A name that may not."""
    if not value:
        yield required(path, detail)
    yield from named(path, value, rule)


def not_negative(path: str, value: int | None) -> Iterator[Cause]:
    if value is not None and value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def one_of(path: str, value: str | None, supported: tuple[str, ...]) -> Iterator[Cause]:
    """A value out of an enumeration; one that is missing is required."""
    if not value:
        yield required(path, f"valid values: {', '.join(shown(one) for one in sorted(supported))}")
    elif value not in supported:
        yield unsupported(path, value, supported)


def unchanged(path: str, new: object, old: object) -> Iterator[Cause]:
    if new != old:
        yield invalid(path, new, IMMUTABLE)
