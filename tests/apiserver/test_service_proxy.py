"""Requests to a Service through the API: what is passed on, what comes back, and what neither may do."""

import http.server
import socketserver
import threading
from contextlib import contextmanager

import pytest

from lab.apiserver.views.proxy import SANDBOX
from lab.dashboard.requests import ask

SERVICE = {
    "metadata": {"name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]},
}
ALONE = {"metadata": {"name": "one"}, "spec": {"ports": [{"port": 80}]}}
PROXY = "/api/v1/namespaces/default/services/{}/proxy"


class Behind(http.server.BaseHTTPRequestHandler):
    """What stands in for the front door: it says what it was asked."""

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        said = [self.command, self.headers["Host"], self.path, self.rfile.read(length).decode()]
        said += [f"{name}: {value}" for name, value in sorted(self.headers.items()) if name in ("Cookie", "X-Mine")]
        body = "\n".join(said).encode()
        self.send_response(302 if self.path == "/old" else 418)
        for name, value in (
            ("Set-Cookie", "orrery-seat=mine"),
            ("Clear-Site-Data", '"cookies"'),
            ("Strict-Transport-Security", "max-age=99"),
            ("Alt-Svc", 'h2=":99"'),
            ("Content-Security-Policy", "default-src *"),
            ("Location", "/new?a=b"),
            ("Content-Type", "text/html"),
            ("Content-Length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *said):
        pass


@contextmanager
def listening(monkeypatch):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ORRERY_FRONT_DOOR", f"http://localhost:{server.server_port}/")
        yield
        server.shutdown()


@pytest.fixture
def door(api, monkeypatch):
    for service in (SERVICE, ALONE):
        api.create("/api/v1/namespaces/default/services", service)
    with listening(monkeypatch):
        yield api


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("one", "one.default.default.localhost"),
        ("one:80", "one.default.default.localhost"),
        ("http:one:", "one.default.default.localhost"),
        ("web", "web.default.default.localhost"),
        ("web:admin", "admin.web.default.default.localhost"),
        ("http:web:81", "admin.web.default.default.localhost"),
    ],
)
def test_each_port_is_asked_by_the_name_that_the_front_door_knows_it_by(door, name, host):
    reply = door.ask("GET", f"{PROXY.format(name)}/a/b%20c/?x=1&y=%2F")
    assert (reply.code, reply.raw.decode().split("\n")[:3]) == (418, ["GET", host, "/a/b%20c/?x=1&y=%2F"])


def test_where_the_front_door_is_on_another_network_its_side_door_is_used(door, tmp_path, monkeypatch):
    class ByUnix(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    path = str(tmp_path / "door.sock")
    with ByUnix(path, Behind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ORRERY_FRONT_DOOR", "http://localhost:1/")
        monkeypatch.setenv("ORRERY_SIDE_DOOR", path)
        reply = door.ask("GET", f"{PROXY.format('one')}/a")
        assert reply.raw.decode().split("\n")[:3] == ["GET", "one.default.default.localhost", "/a"]
        assert ask("default", "GET", "web:admin", "default", "/b")[1].startswith(
            "GET\nadmin.web.default.default.localh"
        )
        server.shutdown()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_any_request_goes_there_and_the_answer_comes_back_as_a_page_of_nobodys(door, method):
    headers = {"Cookie": "orrery-seat=secret", "X_Mine": "yes", "Origin": "null", "Sec_Fetch_Site": "cross-site"}
    body = b"{not json" if method in ("POST", "PUT", "PATCH") else None
    reply = door.ask(method, PROXY.format("one"), body, **headers)
    if method != "HEAD":
        said = [method, "one.default.default.localhost", "/", (body or b"").decode(), "X-Mine: yes"]
        assert reply.raw.decode().split("\n") == said
    assert reply.headers["content-security-policy"] == SANDBOX
    of_us_all = {"set-cookie", "clear-site-data", "strict-transport-security", "alt-svc"}
    assert of_us_all.isdisjoint(name.lower() for name in reply.headers)


def test_a_redirection_leads_to_where_one_came_from(door):
    reply = door.ask("GET", f"{PROXY.format('one')}/old")
    assert reply.headers["location"] == f"/clusters/default{PROXY.format('one')}/new?a=b"


def test_what_is_not_there_is_said_as_a_status(door, monkeypatch):
    for name, code, words in (
        ("none", 404, 'services "none" not found'),
        ("web:82", 503, 'no service port "82" found for service "web"'),
        ("https:web:80", 400, 'invalid service request "https:web:80"'),
        ("a:b:c:d", 400, 'invalid service request "a:b:c:d"'),
    ):
        reply = door.ask("GET", f"{PROXY.format(name)}/")
        assert (reply.code, words in reply.json["message"]) == (code, True), reply.raw.decode()
    monkeypatch.setenv("ORRERY_FRONT_DOOR", "http://localhost:1/")
    assert door.ask("GET", f"{PROXY.format('one')}/").json["message"].startswith("error trying to reach service")
