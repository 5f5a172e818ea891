import asyncio
from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from lab.apiserver.access.shared import Shared
from lab.httpserver import AUTHOR, LETS, ONLY_CLUSTER
from lab.models import Workshop
from lab.tutorials import shelf
from lab.tutorials.lesson import Lesson
from lab.workshops import shares
from lab.workshops.gate import COOKIE, Gate


@pytest.fixture(autouse=True)
def own_shares(monkeypatch, request) -> None:
    """No test waits for what those before it have asked: they all have the same clusters, and one address."""
    for name, allowance in (("SEATS", (20, 200)), ("ADDRESSES", (20, 600))):
        monkeypatch.setattr(shares, name, Shared(f"{name} of {request.node.name}", *allowance))


@pytest.fixture
def workshop(transactional_db) -> Workshop:
    User.objects.create_user("grace", password="a long one to keep", is_staff=True)
    return Workshop.objects.create(code="BCDFGH", title="A class", seats=3, by="grace", forget=date(2100, 1, 1))


@pytest.fixture
def teacher(workshop) -> Browser:
    browser = Browser()
    browser.post("/staff/sign-in", {"username": "grace", "password": "a long one to keep"})
    return browser


@pytest.fixture
def lesson() -> Lesson:
    return shelf.find("10-desired-state").lesson


async def inside(scope, receive, send) -> None:
    """What lies behind: answers with the only cluster that who asks may see."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    state = scope.get("state", {})
    inside.state, inside.lets = state, state.get(LETS)
    await send({"type": "http.response.body", "body": (state.get(ONLY_CLUSTER) or state.get(AUTHOR, "all")).encode()})


@pytest.fixture
def ask(workshop) -> Callable[..., tuple[int, str]]:
    def asked(path: str, token: str = "", method: str = "GET", kind: str = "http", cookie: str = COOKIE, headers=()):
        sent: list[dict] = []
        comes = iter(["websocket.connect", "websocket.disconnect"])
        path, _, query = path.partition("?")
        scope = {"type": kind, "method": method, "path": path, "query_string": query.encode(), "state": {}}
        scope["headers"] = [*headers, *([(b"cookie", f"{cookie}={token}".encode())] if token else [])]

        async def send(message: dict) -> None:
            sent.append(message)

        async def receive() -> dict:
            return {"type": next(comes), "code": 1006}

        asyncio.run(Gate(inside)(scope, receive, send))
        return sent[0].get("status", 0), sent[0]["type"] if kind == "websocket" else sent[1]["body"].decode()

    return asked
