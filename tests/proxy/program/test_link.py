"""What the link takes off the wire: the kernel runs the filter, here a few lines do."""

import ipaddress
import struct

import pytest

from lab.proxy.program import link

RANGES = ["10.64.0.8/29", "10.64.2.0/24"]


def run(steps: list[tuple[int, int, int, int]], frame: bytes) -> int:
    """Classic BPF, as far as it is used."""
    accumulator = at = 0
    stored: dict[int, int] = {}
    while True:
        code, if_true, if_false, constant = steps[at]
        at += 1
        if code == link.LOAD_HALF:
            accumulator = struct.unpack_from(">H", frame, constant)[0]
        elif code == link.LOAD_WORD:
            accumulator = struct.unpack_from(">I", frame, constant)[0]
        elif code == link.LOAD_STORED:
            accumulator = stored[constant]
        elif code == link.STORE:
            stored[constant] = accumulator
        elif code == link.AND:
            accumulator &= constant
        elif code == link.JUMP:
            at += constant
        elif code == link.JUMP_IF_EQUAL:
            at += if_true if accumulator == constant else if_false
        else:
            assert code == link.RETURN
            return constant


def ipv4(to: str) -> bytes:
    return bytes(12) + b"\x08\x00" + bytes(16) + ipaddress.IPv4Address(to).packed + bytes(40)


def arp(target: str) -> bytes:
    return bytes(12) + b"\x08\x06" + bytes(24) + ipaddress.IPv4Address(target).packed


@pytest.mark.parametrize("frame", [ipv4, arp])
@pytest.mark.parametrize(
    "address, taken",
    [
        ("10.64.2.1", True),
        ("10.64.2.255", True),
        ("10.64.0.8", True),
        ("10.64.0.15", True),
        ("10.64.0.7", False),
        ("10.64.0.16", False),
        ("10.64.1.2", False),
        ("10.64.3.2", False),
        ("255.255.255.255", False),
    ],
)
def test_only_what_is_for_the_other_end_is_taken(frame, address, taken):
    assert bool(run(link.program(RANGES), frame(address))) is taken


def test_other_protocols_are_left_alone():
    ipv6 = bytes(12) + b"\x86\xdd" + ipv4("10.64.2.1")[14:]
    assert run(link.program(RANGES), ipv6) == 0


def test_nothing_is_taken_for_nobody():
    assert run(link.program([]), ipv4("10.64.2.1")) == 0
