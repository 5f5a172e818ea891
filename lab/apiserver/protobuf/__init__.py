"""Kubernetes objects in protobuf, as kubectl, Helm and every client in Go send the kinds they know: bytes to dicts.

Pure. A request's body is four magic bytes and a message `Unknown`, which says which kind follows and holds it. The
result is what the same client would have sent as JSON; answers stay JSON, which all of these clients read. Fields that
the table does not know are skipped, as in Go. The table is made by `generate.py`:

    roots:     "apps/v1 Deployment" → a message;   " DeleteOptions" → one that comes under any apiVersion
    messages:  message → [[number, name in JSON ("" = inlined), type, flags], …]
    flags:     "r" a list, "m" a map from strings, "z" left out while it is zero (Go's omitempty of what is no pointer)

See https://protobuf.dev/programming-guides/encoding and k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
"""

import base64
import functools
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from lab.apimachinery.errors import ApiError, bad_request

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
DEEPEST = 100  # messages within messages
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_PATH = Path(__file__).with_name("fields.json.gz")

Raw = bytes | memoryview
Wire = int | Raw  # a varint or fixed number, or the bytes of anything longer


class Field(NamedTuple):
    name: str
    type: str
    flags: str


@functools.cache
def _table() -> tuple[dict[str, str], dict[str, dict[int, Field]]]:
    data = json.loads(gzip.decompress(_PATH.read_bytes()))
    messages = {name: {number: Field(*rest) for number, *rest in fields} for name, fields in data["messages"].items()}
    return data["roots"], messages


def decode(raw: bytes) -> dict:
    """The object in a request's body. Raises ApiError 400 for what is none, or of a kind that Kubernetes has not."""
    if not raw.startswith(MAGIC):
        raise _broken("it does not begin with the four bytes that mark a Kubernetes object")
    about: dict[int, str] = {}
    inner: Raw = b""
    encoding: Raw = b""
    for number, value in _fields(memoryview(raw)[len(MAGIC) :]):
        if number == 1:
            about = {key: _text(found) for key, found in _fields(_bytes(value))}
        elif number == 2:
            inner = _bytes(value)
        elif number == 3:
            encoding = _bytes(value)
    if encoding:
        raise _broken(f"its content encoding {_text(encoding)!r} is not supported")
    api_version, kind = about.get(1, ""), about.get(2, "")
    roots, _ = _table()
    message = roots.get(f"{api_version} {kind}") or roots.get(f" {kind}")
    if message is None:
        raise bad_request(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_message(inner, message, 0)}


def _message(raw: Raw, name: str, depth: int) -> dict:
    if depth > DEEPEST:
        raise _broken(f"it is nested more than {DEEPEST} levels deep")
    fields = _table()[1][name]
    made: dict = {}
    for number, wire in _fields(raw):
        field = fields.get(number)
        if field is None:
            continue
        if field.flags == "m":
            key, value = _entry(_bytes(wire), field.type, depth)
            made.setdefault(field.name, {})[key] = value
        elif field.flags == "r":
            made.setdefault(field.name, []).extend(_items(wire, field.type, depth))
        elif not field.name:
            made |= _message(_bytes(wire), field.type, depth + 1)
        else:
            value = _value(wire, field.type, depth)
            if value or (field.flags != "z" and value is not None):
                made[field.name] = value
    return made


def _value(wire: Wire, kind: str, depth: int) -> object:
    reader = READERS.get(kind)
    return reader(wire) if reader else _message(_bytes(wire), kind, depth + 1)


def _entry(raw: Raw, kind: str, depth: int) -> tuple[str, object]:
    """One pair of a map: a message of key (1) and value (2), either left out where it is empty."""
    found = dict(_fields(raw))
    return _text(found.get(1, b"")), _value(found.get(2, 0 if kind in ("int", "bool") else b""), kind, depth)


def _items(wire: Wire, kind: str, depth: int) -> list:
    """What one occurrence of a repeated field adds: numbers may come packed."""
    if kind in ("int", "bool") and not isinstance(wire, int):
        packed, position = [], 0
        while position < len(wire):
            number, position = _varint(wire, position)
            packed.append(READERS[kind](number))
        return packed
    return [_value(wire, kind, depth)]


# The wire.


def _fields(raw: Raw) -> Iterator[tuple[int, Wire]]:
    """The fields of a message as they lie in it: (number, value)."""
    position, end = 0, len(raw)
    while position < end:
        tag, position = _varint(raw, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _varint(raw, position)
            yield number, value
            continue
        if wire_type == BYTES:
            size, position = _varint(raw, position)
        elif wire_type in (FIXED32, FIXED64):
            size = 4 if wire_type == FIXED32 else 8
        else:
            raise _broken(f"it has a field of the unknown wire type {wire_type}")
        if position + size > end:
            raise _broken("it ends in the middle of a field")
        yield number, raw[position : position + size]
        position += size


def _varint(raw: Raw, position: int) -> tuple[int, int]:
    """(number, where it ends): seven bits a byte, the lowest first, the eighth bit says that more follow."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(raw):
            raise _broken("it ends in the middle of a number")
        byte = raw[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise _broken("it has a number of more than ten bytes")


def _bytes(wire: Wire) -> Raw:
    if isinstance(wire, int):
        raise _broken("it has a number where a text or a message belongs")
    return wire


def _broken(why: str) -> ApiError:
    return bad_request(f"the object provided is unrecognized: it is not valid protobuf: {why}")


# Values.


def _text(wire: Wire) -> str:
    try:
        return str(_bytes(wire), "utf-8")
    except UnicodeDecodeError as error:
        raise _broken(f"a text is not UTF-8: {error.reason}") from None


def _int(wire: Wire) -> int:
    """Negative ones come as 64 bits, two's complement."""
    if not isinstance(wire, int):
        raise _broken("it has a text where a number belongs")
    number = wire & 0xFFFF_FFFF_FFFF_FFFF
    return number - (1 << 64) if number >> 63 else number


def _moment(wire: Wire) -> tuple[datetime, int] | None:
    """(to the second, nanoseconds); None for Go's zero time, which lies before 1970, or is sent as nothing at all."""
    found = dict(_fields(_bytes(wire)))
    seconds = _int(found.get(1, 0))
    if not found or seconds < 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC), _int(found.get(2, 0))
    except (ValueError, OverflowError, OSError):
        raise _broken(f"{seconds} is no time") from None


def _time(wire: Wire) -> str | None:
    found = _moment(wire)
    return found and f"{found[0]:%Y-%m-%dT%H:%M:%SZ}"


def _microtime(wire: Wire) -> str | None:
    found = _moment(wire)
    return found and f"{found[0]:%Y-%m-%dT%H:%M:%S}.{found[1] // 1000:06d}Z"


def _quantity(wire: Wire) -> str:
    return _text(dict(_fields(_bytes(wire))).get(1, b""))


def _int_or_string(wire: Wire) -> int | str:
    """Kind (0 a number, 1 a text), number, text."""
    found = dict(_fields(_bytes(wire)))
    return _text(found.get(3, b"")) if found.get(1) else _int(found.get(2, 0))


def _json(wire: Wire) -> Any:
    raw = bytes(dict(_fields(_bytes(wire))).get(1, b""))
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError as error:
        raise _broken(f"a JSON value in it cannot be read: {error}") from None


def _strings(wire: Wire) -> list[str]:
    return [_text(item) for number, item in _fields(_bytes(wire)) if number == 1]


READERS: dict[str, Callable[[Wire], object]] = {
    "string": _text,
    "bytes": lambda wire: base64.b64encode(_bytes(wire)).decode(),
    "bool": lambda wire: bool(_int(wire)),
    "int": _int,
    "time": _time,
    "microtime": _microtime,
    "json": _json,
    "quantity": _quantity,
    "intorstring": _int_or_string,
    "strings": _strings,
}
