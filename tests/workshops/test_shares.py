"""What one who comes by the room's door may take, and that nobody else misses it."""

import asyncio
from collections import Counter

import orjson
import pytest
import redis

from lab.apiserver.access import shared
from lab.apiserver.access.allowance import Allowance
from lab.apiserver.access.shared import Shared
from lab.apiserver.access.strangers import OPEN_MOST
from lab.workshops import shares
from lab.workshops.gate import COOKIE, Gate
from lab.workshops.seats import join


async def inside(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def away(keys, args):
    raise redis.ConnectionError("nobody is there")


class Answer:
    def __init__(self, sent: list[dict]):
        self.status = sent[0].get("status", 0)
        self.headers = dict(sent[0].get("headers", ()))
        self.said = orjson.loads(sent[1]["body"]) if self.status >= 400 else {}


def asked(path: str, *, token: str = "", address: str = "192.0.2.1", app=inside, method: str = "GET", **headers: str):
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request"}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    raw += [(b"cookie", f"{COOKIE}={token}".encode())] if token else []
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    return Gate(app)({**scope, "client": (address, 1), "state": {}}, receive, send), sent


def ask(path: str, **more) -> Answer:
    coming, sent = asked(path, **more)
    asyncio.run(coming)
    return Answer(sent)


@pytest.fixture(autouse=True)
def afresh(monkeypatch) -> list[float]:
    """Full buckets of this web server's own, for there is no broker, and a clock that stands."""
    now = [0.0]
    monkeypatch.setattr(shared, "_give", away)
    for name in ("SEATS", "ADDRESSES"):
        old = getattr(shares, name)
        monkeypatch.setattr(shares, name, Shared(name, old._a_second, old._at_once, lambda: now[0]))
    return now


@pytest.fixture
def two(workshop) -> tuple[tuple[str, str], tuple[str, str]]:
    """(path, token) of two learners."""
    (ada, a), (bob, b) = join(workshop.code, "Ada"), join(workshop.code, "Bob")
    return (f"/clusters/{ada.cluster}/api/v1/pods", a), (f"/clusters/{bob.cluster}/api/v1/pods", b)


def test_a_bucket_fills_by_itself_up_to_its_brim():
    now = [0.0]
    bucket = Allowance(2, 10, lambda: now[0])
    assert [bucket.wait("a", 5) for _ in range(3)] == [0, 0, 2.5]
    now[0] = 2.5
    assert (bucket.wait("a", 5), bucket.wait("b", 10)) == (0, 0)
    now[0] = 1000
    assert (bucket.wait("a", 1000), bucket.wait("a", 1)) == (0, 0.5)  # more than it holds is all that it holds


def test_a_code_tried_ten_thousand_times_keeps_nobody_out(workshop, two, afresh):
    async def try_all() -> Counter:
        codes: Counter = Counter()
        for _ in range(10_000):
            coming, sent = asked("/join", method="POST", content_length="40")
            await coming
            codes[sent[0]["status"]] += 1
        return codes

    (path, token), _ = two
    codes = asyncio.run(try_all())
    assert codes == {
        200: 150,
        429: 9850,
    }  # of those that come in, `tries` lets 100 be wrong
    refused = ask("/join", method="POST")
    assert (refused.status, refused.said["reason"], refused.headers[b"retry-after"]) == (429, "TooManyRequests", b"1")
    assert ask("/join", method="POST", address="192.0.2.2").status == 200  # who comes from elsewhere
    assert ask(path, token=token).status == 200  # who is in, from the very same address
    afresh[0] += 1
    assert ask("/join", method="POST").status == 200


def test_passwords_are_tried_slowly():
    codes = Counter(ask("/staff/sign-in", method="POST").status for _ in range(50))
    assert codes == {200: 10, 429: 40}


def test_one_learner_asks_too_much_and_the_next_notices_nothing(two, afresh):
    (hers, a), (his, b) = two
    answers = [ask(hers, token=a) for _ in range(201)]
    assert {each.status for each in answers[:200]} == {200} and answers[200].status == 429
    assert "more than its share" in answers[200].said["message"] and answers[200].headers[b"retry-after"] == b"1"
    assert ask(his, token=b).status == 200
    afresh[0] += 1
    assert [ask(hers, token=a).status for _ in range(21)] == [200] * 20 + [429]


def test_a_paste_of_five_megabytes_is_not_read(two):
    (hers, a), (his, b) = two
    answer = ask(hers, token=a, method="POST", content_length=str(5 << 20))
    assert (answer.status, answer.said["reason"]) == (413, "RequestEntityTooLarge")
    assert "in several pieces" in answer.said["message"]
    assert ask("/join", method="POST", content_length=str(5 << 20)).status == 413
    assert ask(hers, token=a, method="POST", transfer_encoding="chunked").status == 411
    # What is long, but not too long, costs what it takes to read it.
    codes = Counter(ask(hers, token=a, method="POST", content_length=str(256 << 10)).status for _ in range(20))
    assert codes == {200: 6, 429: 14}
    assert ask(his, token=b).status == 200


def test_there_is_a_most_of_streams_at_once(two):
    (hers, a), (his, b) = two

    async def crowd() -> tuple[list[int], int, int]:
        leave = asyncio.Event()

        async def watches(scope, receive, send) -> None:
            await leave.wait()
            await inside(scope, receive, send)

        coming = [asked(hers, token=a, app=watches) for _ in range(OPEN_MOST + 3)]
        tasks = [asyncio.create_task(each) for each, _ in coming]
        while sum(bool(sent) for _, sent in coming) < 3:
            await asyncio.sleep(0.01)
        other, theirs = asked(his, token=b)
        await other
        leave.set()
        await asyncio.gather(*tasks)
        after, again = asked(hers, token=a)
        await after
        return [sent[0]["status"] for _, sent in coming], theirs[0]["status"], again[0]["status"]

    hers_, his_, again = asyncio.run(crowd())
    assert Counter(hers_) == {200: OPEN_MOST, 429: 3} and (his_, again) == (200, 200)
