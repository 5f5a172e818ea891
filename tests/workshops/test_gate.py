"""The room's door: whose way leads where."""

import asyncio
from collections.abc import Callable

import pytest

from lab.httpserver import ONLY_CLUSTER
from lab.workshops.gate import COOKIE, Gate
from lab.workshops.seats import join


async def inside(scope, receive, send) -> None:
    """What lies behind: answers with the only cluster that who asks may see."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope.get("state", {}).get(ONLY_CLUSTER, "all").encode()})


@pytest.fixture
def ask(workshop) -> Callable[..., tuple[int, str]]:
    def asked(path: str, token: str = "", method: str = "GET", kind: str = "http", cookie: str = COOKIE):
        sent: list[dict] = []
        comes = iter(["websocket.connect", "websocket.disconnect"])
        path, _, query = path.partition("?")
        scope = {"type": kind, "method": method, "path": path, "query_string": query.encode(), "state": {}}
        scope["headers"] = [(b"cookie", f"{cookie}={token}".encode())] if token else []

        async def send(message: dict) -> None:
            sent.append(message)

        async def receive() -> dict:
            return {"type": next(comes), "code": 1006}

        asyncio.run(Gate(inside)(scope, receive, send))
        return sent[0].get("status", 0), sent[0]["type"] if kind == "websocket" else sent[1]["body"].decode()

    return asked


def test_a_learner_reaches_their_own_cluster_and_no_other(workshop, ask):
    (ada, key), (bob, other) = join(workshop.code, "Ada"), join(workshop.code, "Bob")
    mine, theirs = f"/clusters/{ada.cluster}/", f"/clusters/{bob.cluster}/"
    for path in (mine, f"{mine}api/v1/pods", "/lessons/", f"/lessons/?cluster={ada.cluster}", "/room/"):
        assert ask(path, key) == (200, ada.cluster)
    for path in (theirs, f"{theirs}api/v1/pods", "/clusters/default/", "/api/v1/pods", "/lessons/predictions",
                 f"/lessons/?cluster={bob.cluster}", f"/lessons/?cluster={ada.cluster}&cluster={bob.cluster}",
                 f"{mine[:-1]}0/", "/apis"):  # fmt: skip
        assert ask(path, key)[0] == 403, path
    assert ask(f"{theirs}board", key, kind="websocket") == (0, "websocket.close")
    assert ask(f"{mine}board", key, kind="websocket")[1] == "http.response.start"  # it came through
    assert ask(theirs, other) == (200, bob.cluster)


def test_a_stranger_can_join_and_nothing_else(workshop, ask):
    ada, key = join(workshop.code, "Ada")
    for path in ("/join", "/static/board/main.js", "/staff/sign-in", "/back/x"):
        assert ask(path) == (200, "all")
    for token in ("", "x", key[:-1], ada.key):
        for path in (f"/clusters/{ada.cluster}/", "/clusters/default/api/v1/secrets", "/lessons/"):
            assert ask(path, token)[0] == 403
        assert ask("/", token)[0] == 303
    assert ask(f"/clusters/{ada.cluster}/", "made-up", cookie="orrery-staff")[0] == 403
