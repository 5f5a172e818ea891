"""The room's door: who comes in there is a stranger until a seat or an account says otherwise.

The plain port on the loopback belongs to the machine's own user. A room's learners come by a port of their own
(`manage.py up --room`), and this gate stands behind it, before pages, API and websockets alike. A learner reaches the
pages of joining, the lessons, and one cluster: their own. Instructors reach everything, but a learner's cluster
only as far as that learner has let them (`helping`); who only assists or observes reaches nothing beside that but the
lessons, to read.
"""

import re
from collections.abc import Callable
from functools import partial
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

import orjson
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib.auth.models import User
from django.template.loader import render_to_string

from lab.apimachinery.errors import ApiError
from lab.apiserver.access.strangers import check_body, one_more
from lab.apiserver.threads import in_thread
from lab.dashboard.frontdoor import THROUGH, through
from lab.httpserver import AUTHOR, BY_ROOM, LED, LETS, ONLY_CLUSTER, SHOWN_CLUSTERS, Receive, Scope, Send, quoted
from lab.models import Seat

from . import shares
from .accounts import account_of
from .acts import INSTRUCTOR
from .beginning import check_begun
from .entering import (
    LESSONS,
    NOT_FOR_LEARNERS,
    check_acts,
    check_beside,
    check_elsewhere,
    check_free,
    check_named,
    check_own,
    offered,
)
from .helping import code_of, is_act, whose
from .lasting import lasting
from .roles import instructs
from .seats import lately

COOKIE = "orrery-seat"
KEY = "/key/"
OF_API = "apis?|openapi|version|healthz|livez|readyz"
KEYED = re.compile(rf"/key/([\w-]+)(/clusters/([^/]+)/(?:{OF_API})(?:/.*)?)", re.DOTALL)
EVERYBODY = ("/static/", "/join", "/back/", "/staff/", "/livez")
SEATED = ("/room/", LESSONS)
ROOM = "/room/"  # what is done there is no act in a cluster
PAGES = re.compile(r"/clusters/[^/]+/(lessons/[^/]+/)?")
POLICY = b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-ancestors 'none'"
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
            await (WebsocketDenier()(scope, receive, send) if is_socket(scope) else refuse(error, scope, send))

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ApiError for what is too much, before anything is answered."""
        cookies = read_cookies(scope)
        path = scope["path"]
        if path.startswith(THROUGH):
            await self._lead_through(scope, receive, send)
            return
        if path.startswith(KEY):
            await self._enter_by_key(scope, receive, send)
            return
        if not path.startswith(EVERYBODY) and (user := await teaches(cookies)):
            await self._enter_staff(scope, receive, send, user)
            return
        check_body(scope["headers"])
        if path.startswith(EVERYBODY):
            await self._admit_everybody(scope, cookies)
            await self._inner(scope, receive, send)
            return
        seat = await in_thread(lately, cookies[COOKIE]) if COOKIE in cookies else None
        if seat and may(seat, path, scope.get("query_string", b"")):
            await self._enter_seat(scope, receive, send, seat)
            return
        await shares.of_address(scope)
        if is_socket(scope):
            await WebsocketDenier()(scope, receive, send)
        else:
            await turn_away(scope, send, seat, COOKIE in cookies)

    async def _enter_seat(self, scope: Scope, receive: Receive, send: Send, seat: Seat) -> None:
        path = scope["path"]
        await shares.of_seat(scope, seat.cluster)
        if seat.workshop.is_waiting and not path.startswith(ROOM):
            if not is_page(scope):
                check_begun(seat)
            await lead(ROOM, send)
            return
        if acts(scope) and not path.startswith(ROOM):
            receive, send = await hold(scope, receive, send, partial(check_acts, seat))
        own = {BY_ROOM: True, ONLY_CLUSTER: seat.cluster, LETS: partial(check_own, seat)}
        scope["state"] = {**(scope.get("state") or {}), **own}
        with one_more(seat.cluster):
            await self._inner(scope, receive, send)

    async def _enter_by_key(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A kubectl of a learner's own, which has no cookie: it sends no credentials without TLS, so that what lets it
        in stands in its server's address, and opens the API of one cluster."""
        check_body(scope["headers"])
        found = KEYED.fullmatch(scope["path"])
        seat = await in_thread(lately, found[1]) if found else None
        if not found or seat is None or found[3] != seat.cluster:
            await shares.of_address(scope)
            raise ApiError(401, "Unauthorized", "this kubeconfig opens nothing any more, or something else")
        check_begun(seat)
        await self._enter_seat({**scope, "path": found[2], "raw_path": quoted(found[2]).encode()}, receive, send, seat)

    async def _enter_staff(self, scope: Scope, receive: Receive, send: Send, user: User) -> None:
        path = scope["path"]
        seat = await in_thread(whose, path)
        if seat:
            try:
                receive, send = await hold(
                    scope, receive, send, partial(check_beside, path, user.username, acts(scope))
                )
            except ApiError:
                if not (is_page(scope) and PAGES.fullmatch(path)):
                    raise
                await lead(f"/staff/workshops/{seat.workshop.code}/wall#{seat.cluster}", send)
                return
        elif path == "/" and is_page(scope) and not instructs(user):
            await lead("/staff/workshops/", send)
            return
        else:
            await in_thread(check_elsewhere, user, path, scope.get("query_string", b""), is_page(scope))
            if code_of(path):
                check = partial(check_free, path, user.username, acts(scope))
                receive, send = await hold(scope, receive, send, check)
        state = {BY_ROOM: True, LETS: partial(check_named, user.username), **({AUTHOR: INSTRUCTOR} if seat else {})}
        state[SHOWN_CLUSTERS] = partial(offered, user) if instructs(user) else lambda: [seat.cluster] if seat else []
        scope["state"] = {**(scope.get("state") or {}), **state}
        await self._inner(scope, receive, send)

    async def _lead_through(self, scope: Scope, receive: Receive, send: Send) -> None:
        """To a learner's Service, whoever has its link: a page of nobody's asks, with no cookie."""
        check_body(scope["headers"])
        way = through(scope["path"])
        if way is None or is_socket(scope):
            await shares.of_address(scope)
            raise ApiError(404, "NotFound", "this link leads nowhere; copy all of it")
        await shares.of_seat(scope, way.cluster)
        state = {**(scope.get("state") or {}), BY_ROOM: True, ONLY_CLUSTER: way.cluster, LED: way.prefix}
        with one_more(way.cluster):
            await self._inner(
                {**scope, "path": way.path, "raw_path": quoted(way.path).encode(), "state": state}, receive, send
            )

    async def _admit_everybody(self, scope: Scope, cookies: dict[str, str]) -> None:
        """Who teaches is not kept out by what others at the same address do."""
        try:
            await shares.of_address(scope)
        except ApiError:
            if not await teaches(cookies):
                raise


async def hold(scope: Scope, receive: Receive, send: Send, check: Callable[[], None]) -> tuple[Receive, Send]:
    """By what `check` says now, and as long as a stream lasts. Raises ApiError."""
    await in_thread(check)
    return lasting(receive, send, check, is_socket(scope))


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


async def refuse(error: ApiError, scope: Scope, send: Send) -> None:
    """As the API does: a Status, and when to come again. Who has sent a form of a page gets a page."""
    said = dict(scope["headers"])
    to_a_page = b"text/html" in said.get(b"accept", b"") and b"hx-request" not in said
    json = (b"application/json", orjson.dumps(error.as_status()))
    kind, body = (b"text/html; charset=utf-8", sorry(error)) if to_a_page else json
    headers = [(b"content-type", kind), (b"content-security-policy", POLICY), (b"cache-control", b"no-store")]
    if again := (error.details or {}).get("retryAfterSeconds"):
        headers.append((b"retry-after", str(again).encode()))
    await send({"type": "http.response.start", "status": error.code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def sorry(error: ApiError) -> bytes:
    """In words, with a way back."""
    said = {"heading": "Not now", "words": f"{error.message[:1].upper()}{error.message[1:]}.", "back": "To your place"}
    return render_to_string("_sorry.html", said).encode()


def may(seat: Seat, path: str, query: bytes) -> bool:
    """Whether a learner may ask for this. Pure."""
    if path.startswith(f"/clusters/{seat.cluster}/"):
        return True
    asked = parse_qs(query.decode("latin-1")).get("cluster", [seat.cluster])
    return path.startswith(SEATED) and not path.startswith(NOT_FOR_LEARNERS) and set(asked) == {seat.cluster}


async def turn_away(scope: Scope, send: Send, seat: Seat | None, had_one: bool) -> None:
    """A page that somebody looks at leads to where they may go; to anything else the answer is no. `had_one`: a seat,
    once."""
    path = scope["path"]
    lost = seat is None and had_one and PAGES.fullmatch(path)  # the board of a class that is deleted
    if is_page(scope) and (lost or path in ("/", "/room", "/room/", "/lessons")):
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


async def teaches(cookies: dict[str, str]) -> User | None:
    """The account of who has signed in. Whoever has not costs no look into the database."""
    return await in_thread(account_of, cookies) if settings.SESSION_COOKIE_NAME in cookies else None
