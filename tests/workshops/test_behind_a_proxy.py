"""The room's port behind a reverse proxy with TLS: whom it believes, what browsers are told, who is let in."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from socket import create_server
from urllib.parse import urlencode

import pytest

from lab.httpserver import QuietServer
from lab.models import Seat
from lab.web import strangers
from tests.labs import HOME, clean_environment, wait_until

ROOM = "https://lab.school.example/"
HOST = "lab.school.example"
BY_TLS = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


@pytest.fixture
def door(settings, broker) -> Iterator[Callable[..., int]]:
    """Opens the room's port for a lab with these settings; the port."""
    opened = []

    def open_door(proxies: str) -> int:
        settings.ROOM, settings.PROXIES = ROOM, proxies
        settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = [HOST], [ROOM.rstrip("/")]
        listener, server = create_server(("127.0.0.1", 0)), QuietServer(strangers())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        opened.append((listener, server, thread))
        wait_until("the room to open", lambda: server.started, step=0.01)
        return listener.getsockname()[1]

    yield open_door
    for listener, server, thread in opened:
        server.should_exit = server.force_exit = True
        thread.join(20)
        listener.close()


def ask(port: int, method: str, path: str, body: str = "", **headers: str) -> tuple[int, list[str], str]:
    """Code, cookies, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    return answer.status, cookies, answer.read().decode()


def join(port: int, code: str, origin: str = ROOM.rstrip("/"), **headers: str) -> tuple[int, list[str], str]:
    _, cookies, _ = ask(port, "GET", "/join", **headers)
    token = cookies[0].partition("=")[2].partition(";")[0]
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}", "Origin": origin}
    body = urlencode({"code": code, "nickname": "Ada", "csrfmiddlewaretoken": token})
    return ask(port, "POST", "/join", body, **headers, **form)


def test_one_joins_by_tls_and_no_cookie_goes_without(workshop, door):
    port = door("127.0.0.1")
    code, cookies, _ = join(port, workshop.code, **BY_TLS)
    assert code == 302 and Seat.objects.get().nickname == "Ada"
    seats = [cookie for cookie in cookies if cookie.startswith("orrery-seat=")]
    assert seats and all(cookie.endswith("; Secure") for cookie in [*cookies, *ask(port, "GET", "/join", **BY_TLS)[1]])
    assert join(port, workshop.code, origin="https://elsewhere.example", **BY_TLS)[0] == 403


def test_the_page_of_a_learner_stays_in_touch_by_a_websocket(workshop, door):
    port = door("127.0.0.1")
    _, cookies, _ = join(port, workshop.code, **BY_TLS)
    seat = next(cookie for cookie in cookies if cookie.startswith("orrery-seat=")).partition(";")[0]
    shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Cookie": seat}  # fmt: skip

    async def code_of(origin: str) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = [f"{name}: {value}" for name, value in {**BY_TLS, **shake, "Origin": origin}.items()]
        writer.write(("GET /room/live HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
        status = int((await asyncio.wait_for(reader.readline(), 30)).split()[1])
        writer.close()
        return status

    assert asyncio.run(code_of(ROOM.rstrip("/"))) == 101
    assert asyncio.run(code_of("https://elsewhere.example")) == 403


@pytest.mark.parametrize("proxies, known", [("127.0.0.1", True), ("10.0.0.0/8", False), ("", False)])
def test_who_guesses_is_known_by_the_address_that_the_proxy_tells_and_nobody_else_is_believed(
    workshop, door, monkeypatch, proxies, known
):
    seen = []
    monkeypatch.setattr("lab.workshops.learner.was_wrong", seen.append)
    assert join(door(proxies), "ZZZZZZ", **BY_TLS)[0] == 422
    assert seen == ["203.0.113.7" if known else "127.0.0.1"]


@pytest.mark.parametrize(
    "room, hosts, trusted",
    [(ROOM, [HOST], [ROOM.rstrip("/")]), ("http://10.0.0.5:8091/", ["10.0.0.5"], []), ("", [], [])],
)
def test_one_setting_says_how_browsers_call_the_room(tmp_path, room, hosts, trusted):
    three = "[s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS, s.TLS_PORT]"
    shows = f"import json; from lab import settings as s; print(json.dumps({three}))"
    env = clean_environment(ORRERY_DATA=str(tmp_path), ORRERY_ROOM=room, ALLOWED_HOSTS="a", ORRERY_TLS_PORT="90-91")
    said = subprocess.run([sys.executable, "-c", shows], cwd=HOME, env=env, capture_output=True, check=True).stdout
    assert json.loads(said) == [["a", *hosts], trusted, 90]
