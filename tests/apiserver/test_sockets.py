"""Watches over websockets, with a client of its own kind: what browsers' programs, Headlamp first, are told."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from websocket import WebSocket, WebSocketBadStatusException, create_connection

from lab.apiserver import feed
from lab.client import Client
from lab.store import compact

from ..labs import wait_until
from .conftest import Api, pod
from .secured import READ_PODS, Secured, add_robot

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def dial(api: Api) -> Iterator[Callable[..., WebSocket]]:
    """Open a websocket at a path of the API."""
    opened = []

    def dial(path: str, root: str = f"ws://127.0.0.1:{api.port}/clusters/default", **options) -> WebSocket:
        opened.append(create_connection(root + path, timeout=20, suppress_origin=True, **options))
        return opened[-1]

    yield dial
    for socket in opened:
        socket.close()


def next_of(socket: WebSocket) -> tuple[str, str]:
    event = json.loads(socket.recv())
    return event["type"], event["object"]["metadata"]["name"]


def refused(dial, path: str, **options) -> tuple[int, dict]:
    with pytest.raises(WebSocketBadStatusException) as told:
        dial(path, **options)
    return told.value.status_code, json.loads(told.value.resp_body)


def test_each_event_is_a_message_of_text(dial, api):
    for name in "ab":
        api.create(PODS, pod(name))
    socket = dial(f"{PODS}?watch=1", subprotocols=["base64.binary.k8s.io"])
    assert socket.getsubprotocol() == "base64.binary.k8s.io"
    assert [next_of(socket), next_of(socket)] == [("ADDED", "a"), ("ADDED", "b")]
    api.patch(f"{PODS}/a", {"metadata": {"labels": {"x": "y"}}})
    api.ask("DELETE", f"{PODS}/a")
    assert [next_of(socket), next_of(socket)] == [("MODIFIED", "a"), ("DELETED", "a")]


def test_it_takes_what_other_watches_take_and_no_subprotocol(dial, api):
    began = api.get(PODS).json["metadata"]["resourceVersion"]
    for name, app in (("a", "db"), ("b", "web")):
        api.create(PODS, pod(name, app=app))
    socket = dial(
        f"{PODS}?watch=1&resourceVersion={began}&labelSelector=app%3Dweb&timeoutSeconds=1", f"ws://127.0.0.1:{api.port}"
    )
    assert socket.getsubprotocol() is None
    assert next_of(socket) == ("ADDED", "b")
    assert socket.recv() == ""  # closed: its time is over


def test_forgotten_history_is_told_and_the_socket_closed(dial, api):
    for name in "ab":
        api.create(PODS, pod(name))
    compact("default", keep=0)
    socket = dial(f"{PODS}?watch=1&resourceVersion=1")
    event = json.loads(socket.recv())
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert socket.recv() == ""


def test_what_is_no_stream_is_answered_as_without_a_websocket(dial, api):
    api.create(PODS, pod("a"))
    code, answer = refused(dial, f"{PODS}/a")
    assert (code, answer["metadata"]["name"]) == (200, "a")
    code, answer = refused(dial, f"{PODS}?watch=1&resourceVersion=99999")
    assert (code, answer["kind"], answer["reason"]) == (504, "Status", "Timeout")
    assert refused(dial, "/api/v1/widgets?watch=1")[0] == 404
    assert refused(dial, f"{PODS}?watch=1", header=["Sec-Fetch-Site: cross-site"])[0] == 403


def test_nobody_is_told_anything_who_has_hung_up(dial, api):
    sockets = [dial(f"{PODS}?watch=1") for _ in range(5)]
    wait_until("all to watch", lambda: [f.watchers for f in feed._feeds.values()] == [5])
    sockets[0].close()
    for socket in sockets[1:]:
        socket.sock.shutdown(2)
    wait_until("the feed to be closed", lambda: not feed._feeds)


def test_a_token_may_be_shown_as_a_subprotocol_and_roles_count(dial, api, tls_server):
    add_robot(Client("default", "test"), READ_PODS)
    asked = api.create("/api/v1/namespaces/default/serviceaccounts/robot/token", {})
    token = asked["status"]["token"]
    shown = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    authority = {"sslopt": {"ca_certs": str(settings.PKI_DIR / "ca.crt"), "cert_reqs": ssl.CERT_REQUIRED}}
    root = Secured(tls_server).url.replace("https", "wss")
    api.create(PODS, pod("a"))
    socket = dial(f"{PODS}?watch=1", root, subprotocols=["binary.k8s.io", shown], **authority)
    assert socket.getsubprotocol() == "binary.k8s.io"
    assert next_of(socket) == ("ADDED", "a")
    asked = {"root": root, **authority}
    for protocols in ([shown], ["binary.k8s.io"], ["x", shown, shown], ["x", shown + "!"], ["x", shown[:-9]]):
        assert refused(dial, f"{PODS}?watch=1", subprotocols=protocols, **asked)[1]["reason"] == "Unauthorized"
    code, answer = refused(dial, "/api/v1/nodes?watch=1", subprotocols=["x", shown], **asked)
    assert code == 403 and 'cannot watch resource "nodes"' in answer["message"]
