"""Logs and kill go through the API server to the node's kubelet, as they come."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.apimachinery.kinds import NODES, PODS
from lab.apiserver.kubelet_token import is_token
from lab.client import Client

from ..labs import free_port, wait_until
from .conftest import pod

POD = "/api/v1/namespaces/default/pods/web-1"


class Kubelet(BaseHTTPRequestHandler):
    """The far end of the wire: answers as the test says, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[str] = []
    hung_up = threading.Event()

    def answer(self) -> None:
        if not is_token(self.headers.get("Authorization", "").removeprefix("Bearer ")):
            return self.whole(401, b"who are you?")
        self.asked.append(f"{self.command} {self.path}")
        if "/broken" in self.path:
            return self.whole(500, b"the engine does not answer")
        if "follow=true" in self.path:
            return self.lines_without_end()
        return self.whole(200, b"one\ntwo\n")

    do_GET = do_POST = answer

    def whole(self, code: int, text: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def lines_without_end(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"5\r\ntick\n\r\n")
                time.sleep(0.05)
        except OSError:
            self.hung_up.set()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def kubelet() -> Iterator[str]:
    Kubelet.asked, Kubelet.hung_up = [], threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubelet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def started(api):
    """Put pod web-1 on node n1, whose kubelet is at `address`, with one running container for each name."""

    def start(address: str, *names: str, **state) -> None:
        client = Client("default", "test")
        client.create(NODES, {"metadata": {"name": "n1", "annotations": {"orrery.io/kubelet": address}}})
        new = pod("web-1")
        new["metadata"]["namespace"] = "default"
        new["spec"]["containers"] = [{"name": name, "image": "busybox"} for name in names]
        made = client.create(PODS, new)
        client.bind([(made, "n1", None)])
        statuses = [
            {"name": name, "image": "busybox", "imageID": "", "ready": True, "restartCount": 0,
             "state": state or {"running": {}}}
            for name in names
        ]  # fmt: skip
        client.patch(PODS, "default", "web-1", {"status": {"containerStatuses": statuses}}, "status")

    return start


def test_a_log_is_what_the_kubelet_says(api, started, kubelet):
    started(kubelet, "app")
    log = api.get(f"{POD}/log?tailLines=2&timestamps=true&sinceSeconds=9&limitBytes=99")
    assert (log.code, log.headers["content-type"], log.raw) == (200, "text/plain", b"one\ntwo\n")
    assert Kubelet.asked == [
        "GET /containerLogs/default/default/web-1/app?timestamps=true&tailLines=2&sinceSeconds=9&limitBytes=99"
    ]


def test_a_followed_log_arrives_as_it_is_written_and_ends_with_the_client(api, started, kubelet):
    started(kubelet, "app")
    with api.watch(f"{POD}/log?follow=true") as stream:
        assert [stream.answer.readline() for _ in range(3)] == [b"tick\n"] * 3
        assert not Kubelet.hung_up.is_set()
    assert Kubelet.hung_up.wait(20)


def test_the_container_must_be_one_of_the_pods(api, started, kubelet):
    started(kubelet, "app", "proxy")
    unclear = api.get(f"{POD}/log")
    assert (unclear.code, "choose one of: [app proxy]" in unclear.json["message"]) == (400, True)
    assert api.get(f"{POD}/log?container=proxy").code == 200
    assert api.get(f"{POD}/log?container=x").json["reason"] == "BadRequest"


def test_a_container_that_waits_has_no_log(api, started, kubelet):
    started(kubelet, "app", waiting={"reason": "ContainerCreating"})
    refused = api.get(f"{POD}/log")
    words = 'container "app" in pod "web-1" is waiting to start: ContainerCreating'
    assert (refused.code, refused.json["message"]) == (400, words)


def test_a_pod_without_a_node_has_written_nothing(api):
    api.create("/api/v1/namespaces/default/pods", pod("web-1"))
    log = api.get(f"{POD}/log")
    assert (log.code, log.raw) == (200, b"")


def test_a_kubelet_that_is_away_is_said_to_be(api, started):
    started(f"http://127.0.0.1:{free_port()}", "app")
    refused = api.get(f"{POD}/log")
    assert (refused.code, refused.json["reason"]) == (503, "ServiceUnavailable")
    assert "does not answer" in refused.json["message"]


def test_a_node_without_a_kubelet_is_said_to_have_none(api, started):
    started("", "app")
    assert 'node "n1" has no kubelet to ask' in api.get(f"{POD}/log").json["message"]


def test_the_kubelets_own_refusal_is_passed_on(api, started, kubelet):
    started(kubelet, "broken")
    refused = api.get(f"{POD}/log")
    assert (refused.code, refused.json["message"]) == (500, "the engine does not answer")


def test_killing_a_container_asks_its_kubelet(api, started, kubelet):
    started(kubelet, "app")
    killed = api.ask("POST", f"{POD}/kill?container=app")
    assert (killed.code, killed.json["status"]) == (200, "Success")
    assert Kubelet.asked == ["POST /kill/default/default/web-1/app?signal=KILL"]


def test_many_logs_are_followed_at_once(api, started, kubelet):
    started(kubelet, "app")
    streams = [api.watch(f"{POD}/log?follow=true") for _ in range(30)]
    assert all(stream.answer.readline() == b"tick\n" for stream in streams)
    assert api.get(POD).code == 200
    for stream in streams:
        stream.connection.close()
    wait_until("the kubelet to be left alone", Kubelet.hung_up.is_set)
