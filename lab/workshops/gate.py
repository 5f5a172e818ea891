"""The room's door: who comes in there is a stranger until a seat or an account says otherwise.

The plain port on the loopback belongs to the machine's own user. A room's learners come by a port of their own
(`manage.py up --room`), and this gate stands behind it, before pages, API and websockets alike. A learner reaches the
pages of joining, the lessons, and one cluster: their own. Staff reach everything, but a learner's cluster
only as far as that learner has let them (`helping`).
"""

import re
from collections.abc import Callable
from functools import partial
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

import orjson
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from lab.apimachinery.errors import ApiError
from lab.apiserver.threads import in_thread
from lab.httpserver import AUTHOR, BY_ROOM, ONLY_CLUSTER, Receive, Scope, Send
from lab.models import Seat

from . import shares
from .acts import INSTRUCTOR
from .closing import check_goes_on
from .helping import check_instructor, check_learner, is_act, whose
from .lasting import lasting
from .seats import lately

COOKIE = "orrery-seat"
EVERYBODY = ("/static/", "/join", "/back/", "/staff/", "/livez")
SEATED = ("/room/", "/lessons/")
ROOM = "/room/"  # what is done there is no act in a cluster
PAGES = re.compile(r"/clusters/[^/]+/(lessons/[^/]+/)?")
NOT_FOR_LEARNERS = ("/lessons/predictions",)
App = Callable[[Scope, Receive, Send], object]


class Gate:
    """ASGI: lets through whoever may go where they want to."""

    def __init__(self, inner: Callable):
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._inner(scope, receive, send)
            return
        try:
            await self._enter(scope, receive, send)
        except ApiError as error:
            await (WebsocketDenier()(scope, receive, send) if is_socket(scope) else refuse(error, send))

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ApiError for what is too much, before anything is answered."""
        cookies = read_cookies(scope)
        path = scope["path"]
        if not path.startswith(EVERYBODY) and (name := await teaches(cookies)):
            await self._enter_teacher(scope, receive, send, name)
            return
        shares.check_body(scope)
        if path.startswith(EVERYBODY):
            await self._admit_everybody(scope, cookies)
            await self._inner(scope, receive, send)
            return
        seat = await in_thread(lately, cookies[COOKIE]) if COOKIE in cookies else None
        if seat and may(seat, path, scope.get("query_string", b"")):
            shares.of_seat(scope, seat.cluster)
            if acts(scope) and not path.startswith(ROOM):
                receive, send = await hold(scope, receive, send, partial(check_acts, seat))
            scope["state"] = {**(scope.get("state") or {}), BY_ROOM: True, ONLY_CLUSTER: seat.cluster}
            with shares.one_more(seat.cluster):
                await self._inner(scope, receive, send)
            return
        shares.of_address(scope)
        if is_socket(scope):
            await WebsocketDenier()(scope, receive, send)
        else:
            await turn_away(scope, send, seat)

    async def _enter_teacher(self, scope: Scope, receive: Receive, send: Send, name: str) -> None:
        seat = await in_thread(whose, scope["path"])
        if seat:
            try:
                check = partial(check_instructor, seat, name, acts(scope))
                receive, send = await hold(scope, receive, send, check)
            except ApiError:
                if not (is_page(scope) and PAGES.fullmatch(scope["path"])):
                    raise
                await lead(f"/staff/workshops/{seat.workshop.code}/wall#{seat.cluster}", send)
                return
        state = {BY_ROOM: True, **({AUTHOR: INSTRUCTOR} if seat else {})}
        scope["state"] = {**(scope.get("state") or {}), **state}
        await self._inner(scope, receive, send)

    async def _admit_everybody(self, scope: Scope, cookies: dict[str, str]) -> None:
        """Who teaches is not kept out by what others at the same address do."""
        try:
            shares.of_address(scope)
        except ApiError:
            if not await teaches(cookies):
                raise


async def hold(scope: Scope, receive: Receive, send: Send, check: Callable[[], None]) -> tuple[Receive, Send]:
    """By what `check` says now, and of a stream as long as it lasts. Raises ApiError."""
    await in_thread(check)
    return lasting(receive, send, check) if is_socket(scope) else (receive, send)


def check_acts(seat: Seat) -> None:
    """Whether a learner may act. Raises ApiError."""
    check_goes_on(seat)
    check_learner(seat)


def is_socket(scope: Scope) -> bool:
    return scope["type"] == "websocket"


def acts(scope: Scope) -> bool:
    return is_act(scope["type"], scope.get("method", ""), scope["path"])


def is_page(scope: Scope) -> bool:
    return not is_socket(scope) and scope["method"] == "GET"


async def lead(where: str, send: Send) -> None:
    """To another page."""
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", where.encode())]})
    await send({"type": "http.response.body", "body": b""})


async def refuse(error: ApiError, send: Send) -> None:
    """As the API does: a Status, and when to come again."""
    headers = [(b"content-type", b"application/json")]
    if again := (error.details or {}).get("retryAfterSeconds"):
        headers.append((b"retry-after", str(again).encode()))
    await send({"type": "http.response.start", "status": error.code, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(error.as_status())})


def may(seat: Seat, path: str, query: bytes) -> bool:
    """Whether a learner may ask for this. Pure."""
    if path.startswith(f"/clusters/{seat.cluster}/"):
        return True
    asked = parse_qs(query.decode("latin-1")).get("cluster", [seat.cluster])
    return path.startswith(SEATED) and not path.startswith(NOT_FOR_LEARNERS) and set(asked) == {seat.cluster}


async def turn_away(scope: Scope, send: Send, seat: Seat | None) -> None:
    """A page that somebody looks at leads to where they may go; to anything else the answer is no."""
    if is_page(scope) and scope["path"] in ("/", "/room", "/room/", "/lessons"):
        await lead("/room/" if seat else "/join", send)
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    body = b"This is not yours. Your own place is at /room/, and /join is where one comes in.\n"
    await send({"type": "http.response.body", "body": body})


def read_cookies(scope: Scope) -> dict[str, str]:
    text = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(text).items()}
    except CookieError:
        return {}


async def teaches(cookies: dict[str, str]) -> str:
    """The account of who has signed in; empty for others."""
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    return await in_thread(account_of, key) if key else ""


def account_of(key: str) -> str:
    request = HttpRequest()
    request.session = SessionStore(key)
    user = get_user(request)
    return user.get_username() if user.is_authenticated else ""
