"""What a client in Go does before it sends an object: dicts to protobuf, with every zero that Go writes."""

import base64
import json
from datetime import datetime

from lab.apiserver import protobuf


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    about = _field(1, api_version.encode()) + _field(2, kind.encode())
    return protobuf.MAGIC + _field(1, about) + _field(2, raw) + _field(3, b"") + _field(4, b"")


def encode(obj: dict) -> bytes:
    roots, messages = protobuf._table()
    name = roots[f"{obj['apiVersion']} {obj['kind']}"]
    return envelope(obj["apiVersion"], obj["kind"], _message(obj, messages[name], messages))


def _message(obj: dict, fields: dict, messages: dict) -> bytes:
    made = b""
    for number, (name, kind, flags) in fields.items():
        value = obj if not name else obj.get(name)
        if flags == "m":
            for key, item in (value or {}).items():
                made += _field(number, _field(1, key.encode()) + _field(2, _value(item, kind, messages)))
        elif flags == "r":
            made += b"".join(_field(number, _value(item, kind, messages)) for item in value or ())
        elif value is not None or flags == "z":
            zero = 0 if kind in ("int", "bool", "intorstring") else {} if "/" in kind else ""
            made += _field(number, _value(zero if value is None else value, kind, messages))
    return made


def _value(value, kind: str, messages: dict) -> int | bytes:
    if kind in ("int", "bool"):
        return int(value)
    if kind == "string":
        return value.encode()
    if kind == "quantity":
        return _field(1, value.encode())
    if kind == "intorstring":
        number, text = (value, "") if isinstance(value, int) else (0, value)
        return _field(1, int(isinstance(value, str))) + _field(2, number) + _field(3, text.encode())
    if kind in ("time", "microtime"):
        if not value:
            return b""
        moment = datetime.fromisoformat(value)
        return _field(1, int(moment.timestamp())) + _field(2, moment.microsecond * 1000)
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "json":
        return _field(1, json.dumps(value).encode())
    if kind == "strings":
        return b"".join(_field(1, item.encode()) for item in value)
    return _message(value, messages[kind], messages)


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    number &= 0xFFFF_FFFF_FFFF_FFFF
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])
