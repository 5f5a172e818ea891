"""What our own proxy understands of HTTP, and what it refuses because another program might understand it otherwise."""

import pytest

from lab.proxy.program.own.heads import BadMessage, Chunked, parse


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: x\nContent-Length: 3",
        b"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\n Host: x",
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(raw: bytes):
    with pytest.raises(BadMessage):
        parse(raw)


@pytest.mark.parametrize("raw", [b"0x3\r\nabc\r\n0\r\n\r\n", b"3\nabc\r\n0\r\n\r\n", b"-3\r\n", b"\r\n", b"1_0\r\n"])
def test_so_is_a_chunk(raw: bytes):
    with pytest.raises(BadMessage):
        Chunked().feed(raw)


@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_a_chunked_body_ends_where_it_ends_however_it_comes(step: int):
    body, raw = Chunked(), b"3;note=x\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    sent, taken = raw + b"GET /", 0
    while not body.done:
        taken += body.feed(sent[taken : taken + step])
    assert taken == len(raw)
