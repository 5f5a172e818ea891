"""DNS messages, as far as a cluster's name server needs them (RFC 1035). Pure."""

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass

A, CNAME, PTR, AAAA, SRV, OPT, ANY = 1, 5, 12, 28, 33, 41, 255
NOERROR, SERVFAIL, NXDOMAIN, NOTIMP = 0, 2, 3, 4
TTL = 5  # seconds, as CoreDNS says for a cluster's names
UDP_MOST = 512  # without a word about more
RESPONSE, AUTHORITATIVE, TRUNCATED, RECURSION_WANTED, RECURSION_HAD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080


class BadMessage(Exception):
    """No question that could be understood."""


@dataclass(frozen=True)
class Question:
    number: int
    flags: int
    name: str
    kind: int
    raw: bytes  # the question as it came: it stands in the answer again
    size: int  # of the largest answer that whoever asks takes over UDP


def question(message: bytes) -> Question:
    """Raises BadMessage."""
    try:
        number, flags, questions, answers, authorities, more = struct.unpack_from("!6H", message)
        if questions != 1 or flags & RESPONSE:
            raise BadMessage("not one question")
        name, at = _name(message, 12)
        kind, _ = struct.unpack_from("!2H", message, at)
        raw, at = message[12 : at + 4], at + 4
        size = UDP_MOST
        for _ in range(answers + authorities + more):
            _, at = _name(message, at)
            other, told, _, length = struct.unpack_from("!2HIH", message, at)
            size = max(size, min(told, 4096)) if other == OPT else size
            at += 10 + length
        return Question(number, flags, name, kind, raw, size)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadMessage(str(error)) from error


def _name(message: bytes, at: int) -> tuple[str, int]:
    """The name that begins there, and where it ends. A pointer to an earlier place may stand for its rest."""
    labels, end = [], 0
    for _ in range(128):
        length = message[at]
        if length >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from("!H", message, at)[0] & 0x3FFF
        elif length:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
        else:
            return ".".join(labels), end or at + 1
    raise BadMessage("a name that does not end")


def answer(
    asked: Question, code: int, aliases: tuple[tuple[str, str], ...] = (), data: Iterable[bytes] = (),
    most: int = 65535, authoritative: bool = True,
) -> bytes:  # fmt: skip
    """The whole message; one that would be longer than `most` says only that it was cut. `data`: of each record of the
    kind that was asked for, at the end of the aliases."""
    records = [_record(name, CNAME, pointer(other)) for name, other in aliases]
    owner = aliases[-1][1] if aliases else asked.name
    records += [_record(owner, A if asked.kind == ANY else asked.kind, each) for each in data]
    flags = RESPONSE | RECURSION_HAD | (asked.flags & RECURSION_WANTED) | (AUTHORITATIVE if authoritative else 0) | code
    body = asked.raw + b"".join(records)
    if 12 + len(body) > most:
        flags, records, body = flags | TRUNCATED, [], asked.raw
    return struct.pack("!6H", asked.number, flags, 1, len(records), 0, 0) + body


def address(text: str) -> bytes:
    """What an A record holds."""
    return ipaddress.IPv4Address(text).packed


def service(port: int, name: str) -> bytes:
    """What an SRV record holds: all are as good as each other."""
    return struct.pack("!3H", 0, 100, port) + pointer(name)


def _record(name: str, kind: int, data: bytes) -> bytes:
    return pointer(name) + struct.pack("!2HIH", kind, 1, TTL, len(data)) + data


def pointer(name: str) -> bytes:
    """A name as messages have it: what PTR and CNAME records hold."""
    labels = name.rstrip(".").encode("ascii").split(b".") if name.rstrip(".") else []
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def query(number: int, name: str) -> bytes:
    """A question for addresses of another name server's."""
    return struct.pack("!6H", number, RECURSION_WANTED, 1, 0, 0, 0) + pointer(name) + struct.pack("!2H", A, 1)


def addresses(message: bytes) -> tuple[str, ...]:
    """The addresses in an answer of another name server."""
    try:
        _, _, questions, answers, _, _ = struct.unpack_from("!6H", message)
        at, found = 12, []
        for _ in range(questions):
            at = _name(message, at)[1] + 4
        for _ in range(answers):
            at = _name(message, at)[1]
            kind, _, _, length = struct.unpack_from("!2HIH", message, at)
            at += 10
            if kind == A and length == 4:
                found.append(str(ipaddress.IPv4Address(message[at : at + 4])))
            at += length
        return tuple(found)
    except (struct.error, IndexError, UnicodeDecodeError, BadMessage):
        return ()
