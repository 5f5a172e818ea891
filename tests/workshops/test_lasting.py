"""A stream ends when what it was let in by does."""

import asyncio
import time

import pytest

from lab.apimachinery.errors import ApiError
from lab.workshops import lasting as module
from lab.workshops.lasting import lasting

pytestmark = pytest.mark.django_db(transaction=True)  # the threads on which is looked have connections


@pytest.fixture(autouse=True)
def often(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)


def played(messages: list[dict], may_until: float, pause: float = 0.0) -> tuple[list[dict], list[dict], float]:
    """What was heard and what was sent, until the stream was over, and how long that took."""
    began, left = time.monotonic(), list(messages)
    heard: list[dict] = []
    sent: list[dict] = []

    async def receive() -> dict:
        await asyncio.sleep(pause)
        return left.pop(0) if left else await asyncio.Event().wait()

    async def send(message: dict) -> None:
        sent.append(message)

    def check() -> None:
        if time.monotonic() - began > may_until:
            raise ApiError(403, "Forbidden", "it is taken back")

    async def serve() -> None:
        hear, say = lasting(receive, send, check, socket=True)
        while not heard or heard[-1]["type"] != "websocket.disconnect":
            heard.append(await hear())
        await say({"type": "websocket.send", "text": "too late"})

    asyncio.run(asyncio.wait_for(serve(), 5))
    return heard, sent, time.monotonic() - began


def test_it_is_closed_with_the_reason_and_who_serves_it_hears_that_it_is_over():
    heard, sent, seconds = played([{"type": "websocket.connect"}], 0.2)
    assert [one["type"] for one in heard] == ["websocket.connect", "websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "it is taken back"}]
    assert 0.2 <= seconds < 2


def test_who_types_all_the_time_is_no_exception():
    words = [{"type": "websocket.receive", "text": str(n)} for n in range(1000)]
    heard, _, seconds = played(words, 0.2, pause=0.01)
    assert heard[-1]["type"] == "websocket.disconnect" and len(heard) < 1000 and seconds < 2
    assert [one["text"] for one in heard[:-1]] == [str(n) for n in range(len(heard) - 1)]  # and none is lost before


def test_a_client_that_goes_is_heard_as_ever():
    heard, sent, _ = played([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}], 9)
    assert heard[-1]["code"] == 1001 and sent == [{"type": "websocket.send", "text": "too late"}]


def answered(pieces: int, may_until: float) -> tuple[list[dict], list[str]]:
    """What was sent of an answer in so many pieces, one each 0.1 s, and what its server heard at last."""
    began = time.monotonic()
    heard: list[str] = []
    sent: list[dict] = []

    async def receive() -> dict:
        return await asyncio.Event().wait()

    async def send(message: dict) -> None:
        sent.append(message)

    def check() -> None:
        if time.monotonic() - began > may_until:
            raise ApiError(403, "Forbidden", "it is taken back")

    async def serve() -> None:
        hear, say = lasting(receive, send, check, socket=False)

        async def listen() -> None:
            heard.append((await hear())["type"])

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.2)
        await say({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(pieces):
            await say({"type": "http.response.body", "body": b"%d" % number, "more_body": number < pieces - 1})
            await asyncio.sleep(0.1)
        listening.cancel()

    asyncio.run(asyncio.wait_for(serve(), 5))
    return sent, heard


def test_an_answer_that_goes_on_ends_too_and_one_that_was_given_is_whole():
    sent, heard = answered(40, 1.0)
    assert heard == ["http.disconnect"] and 3 < len(sent) < 40
    assert sent[-1] == {"type": "http.response.body", "body": b""}  # it is over, and not broken off
    sent, heard = answered(1, 0.1)  # it took longer than that to begin
    assert [one.get("body") for one in sent] == [None, b"0"] and heard == []
