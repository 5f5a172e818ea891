"""SPDY's frames: what one side writes the other reads, in whatever pieces it arrives."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lab.kubelet import spdy

HEADERS = {"streamtype": "data", "port": "8080", "requestid": "0"}
# The number by which zlib names a dictionary that both sides must have: 1,423 bytes, the last of which is a dot.
NAME_OF_THE_DICTIONARY = 0xE3C6A7C2

RESET_OF_3 = struct.pack(">HHIII", 0x8003, 3, 8, 3, 5)  # its last number says: cancelled


def test_headers_are_packed_with_the_dictionary_that_the_protocol_names():
    assert zlib.adler32(spdy.DICTIONARY) == NAME_OF_THE_DICTIONARY


@given(some.lists(some.binary(max_size=200), max_size=5), some.integers(1, 40))
def test_frames_arrive_whole_however_they_are_cut(pieces, cut):
    here, there = spdy.Connection(), spdy.Connection()
    sent = here.open(1, HEADERS) + here.open(3, {"ä": ""}) + b"".join(spdy.data(1, piece) for piece in pieces)
    sent += spdy.ping(7) + spdy.data(1, b"", finished=True) + RESET_OF_3
    read = [event for at in range(0, len(sent), cut) for event in there.receive(sent[at : at + cut])]
    assert read == [
        spdy.Opened(1, HEADERS),
        spdy.Opened(3, {"ä": ""}),
        *(spdy.Data(1, piece) for piece in pieces),
        spdy.Pinged(7),
        spdy.Data(1, b"", finished=True),
        spdy.Reset(3),
    ]


def test_replies_do_not_disturb_the_headers_after_them():
    here, there = spdy.Connection(), spdy.Connection()
    assert list(there.receive(here.open(1, HEADERS))) == [spdy.Opened(1, HEADERS)]
    assert list(here.receive(there.reply(1) + there.reply(3) + there.open(2, HEADERS))) == [spdy.Opened(2, HEADERS)]


@pytest.mark.parametrize(
    "noise", [b"\x80\x02" + spdy.ping(1)[2:], b"\x80\x03\0\1\0\0\0\x0c" + b"x" * 12], ids=["SPDY/2", "headers"]
)
def test_what_is_not_spdy_is_refused(noise):
    with pytest.raises(ValueError):
        list(spdy.Connection().receive(noise))
