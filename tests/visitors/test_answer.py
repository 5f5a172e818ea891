"""HTTP answers, however they are cut into pieces."""

import pytest

from lab.visitors.program.answer import Malformed, Reader

CHUNKED = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nnobo\r\n8\r\ndy there\r\n0\r\nA: b\r\n\r\n"
LENGTH = b"HTTP/1.1 503 No\r\nContent-length: 12\r\nX-Orrery-Pod: web-1\r\n\r\nnobody there"


@pytest.mark.parametrize("raw", [CHUNKED, LENGTH, b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_answer_is_complete_with_its_last_byte_and_not_before(raw, size):
    reader = Reader()
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    *before, last = [reader.feed(piece) for piece in pieces]
    assert not any(before)
    assert (last.status, last.body, last.keeps) == (503, b"nobody there", True)


def test_an_answer_without_a_length_ends_with_the_connection():
    reader = Reader()
    assert reader.feed(b"HTTP/1.1 500 No\r\n\r\nnobody") is None
    answer = reader.end()
    assert (answer.body, answer.keeps) == (b"nobody", False)


def test_an_answer_that_is_cut_short_is_none():
    reader = Reader()
    reader.feed(LENGTH[:-1])
    assert reader.end() is None


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_some_answers_have_no_body(head):
    assert Reader().feed(head).keeps


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK", False),
    ],
)
def test_a_connection_is_kept_as_the_answer_says(head, keeps):
    assert Reader().feed(head).keeps is keeps


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 okay\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
        b"x" * 100_000,
    ],
)
def test_what_is_no_answer_is_refused(raw):
    with pytest.raises(Malformed):
        Reader().feed(raw)
