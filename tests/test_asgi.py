"""What the web server does with a request before any view of it runs."""

import asyncio
import http.client
import socket
import subprocess
import sys
import tempfile
import threading
from types import SimpleNamespace

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import OperationalError
from django.db.backends.signals import connection_created

from lab.apiserver import bodies
from lab.apiserver.threads import THREADS
from lab.asgi import application
from lab.client.clusters import ensure_cluster
from lab.dashboard.consumers import TRY_AGAIN_LATER
from lab.httpserver import QuietServer
from lab.supervisor.probe import http_get
from lab.web import plain

from .dashboard.wire import wire
from .labs import HOME, clean_environment, free_port, wait_until

STYLE = "/static/board/board.css"


def ask(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    code = connection.getresponse().status
    connection.close()
    return code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/clusters/pages/board/panel/create", "/clusters/pages/api/v1/pods"])
def test_the_database_is_connected_to_by_the_thread_and_not_by_the_request(web_server, path):
    ensure_cluster("pages")
    made = []

    def note(**_) -> None:
        made.append(1)

    connection_created.connect(note)
    assert {ask(web_server, path) for _ in range(3 * THREADS)} == {200}
    connection_created.disconnect(note)
    assert len(made) <= THREADS


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/clusters/pages/board/panel/create", "/clusters/pages/api/v1/pods", STYLE])
def test_no_thread_is_begun_for_a_request(web_server, path, monkeypatch):
    """To begin one, the whole server waits until it has come to run."""
    ensure_cluster("pages")
    for _ in range(3 * THREADS):
        assert ask(web_server, path) == 200
    begun, begin = [], threading.Thread.start

    def start(thread: threading.Thread) -> None:
        begun.append(thread.name)
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert {ask(web_server, path) for _ in range(3)} == {200}
    assert begun == []


async def test_no_answer_waits_for_the_acknowledgement_of_its_first_half():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = QuietServer(plain())
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET /static/none HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"404" in await reader.readline()
        (connection,) = server.server_state.connections
        served = connection.transport.get_extra_info("socket")
        assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        server.should_exit = server.force_exit = True
        await serving


def test_a_board_opens_while_there_is_no_broker(tmp_path):
    port, nobody = free_port(), f"redis://127.0.0.1:{free_port()}/0"
    env = clean_environment(ORRERY_DATA=str(tmp_path), REDIS_URL=nobody, ORRERY_RUNTIME="simulated")
    subprocess.run([sys.executable, "manage.py", "prepare"], cwd=HOME, env=env, check=True)
    words = ("-m", "lab.web", "--http", f"127.0.0.1:{port}", "--https", f"127.0.0.1:{free_port()}")
    web = subprocess.Popen([sys.executable, *words], cwd=HOME, env=env)
    try:
        wait_until(
            "the web server to answer", lambda: http_get(("127.0.0.1", port), "/clusters/default/version")[0] == 200
        )
        with wire(SimpleNamespace(port=port, address=f"http://127.0.0.1:{port}")) as board:
            board.resume("none", 0)
            assert board.news()["type"] == "snap"
    finally:
        web.kill()
        web.wait()


@pytest.mark.django_db(transaction=True)  # the board's thread may have a connection, which it looks at
async def test_a_board_without_a_database_is_told_to_come_back_later(monkeypatch):
    def is_away(cluster: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("lab.dashboard.feed.feed_of", is_away)
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    scope = {"type": "websocket", "path": "/clusters/default/board", "headers": headers}
    browser = ApplicationCommunicator(application, scope)
    await browser.send_input({"type": "websocket.connect"})
    assert (await browser.receive_output(60))["type"] == "websocket.accept"
    assert await browser.receive_output(60) == {"type": "websocket.close", "code": TRY_AGAIN_LATER}
    await browser.wait()


@pytest.mark.parametrize("path", ["/", "/nowhere", "/clusters/default/boards", "/clusters/UPPER/board"])
async def test_a_websocket_to_nowhere_is_refused_and_no_error_of_ours(path):
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    scope = {"type": "websocket", "path": path, "root_path": "", "query_string": b"", "headers": headers}
    browser = ApplicationCommunicator(application, scope)
    await browser.send_input({"type": "websocket.connect"})
    assert (await browser.receive_output())["type"] == "websocket.close"


@pytest.mark.django_db(transaction=True)
def test_a_body_without_an_end_is_refused_and_not_kept(monkeypatch):
    """Django keeps what comes in a file before it asks who sends it."""
    kept, come = [], 0
    write = tempfile.SpooledTemporaryFile.write
    monkeypatch.setattr(
        tempfile.SpooledTemporaryFile, "write", lambda self, data: kept.append(len(data)) or write(self, data)
    )
    sent: list[dict] = []

    async def receive() -> dict:
        nonlocal come
        come += 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/v1/namespaces/default/configmaps", "query_string": b""}
    asyncio.run(application({**scope, "headers": [(b"host", b"localhost")], "client": ("::1", 1)}, receive, send))
    assert sent[0]["status"] == 413
    assert sum(kept) <= bodies.LONGEST + 1
