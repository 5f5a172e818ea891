"""exec, attach and port-forward at the API server: who is let through to the kubelet, and what becomes of it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from wsproto import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, RejectData, Request

from lab.apimachinery.kinds import NODES, PODS
from lab.apiserver.kubelet_token import is_token
from lab.client import Client

from ..labs import free_port
from ..websockets import Wire
from .conftest import Api, pod

POD = "/api/v1/namespaces/default/pods/web-1"
PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
EXEC = f"{POD}/exec?command=true&stdout=true"


@pytest.fixture
def dial(api: Api) -> Iterator[Callable[..., Wire]]:
    """Ask for a websocket at a path of the API, with these headers."""
    opened = []

    def dial(path: str, base: str = "/clusters/default", **headers: str) -> Wire:
        wire = Wire(socket.create_connection(("127.0.0.1", api.port)), ConnectionType.CLIENT)
        opened.append(wire)
        extra = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        host = f"127.0.0.1:{api.port}"
        wire.send(Request(host=host, target=base + path, subprotocols=PROTOCOLS, extra_headers=extra))
        return wire

    yield dial
    for wire in opened:
        wire.socket.close()


def refused(wire: Wire) -> dict:
    """The Status that is sent instead of a stream."""
    refusal, body = wire.next(), b""
    assert isinstance(refusal, RejectConnection)
    while not (piece := wire.next()).body_finished:
        assert isinstance(piece, RejectData)
        body += piece.data
    status = json.loads(body + piece.data)
    assert status["code"] == refusal.status_code
    return status


@pytest.fixture
def kubelet() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        yield listening


@pytest.fixture
def answer(kubelet: socket.socket) -> Callable[..., threading.Thread]:
    """Play the kubelet of web-1 for one websocket, in a thread."""
    client = Client("default", "test")
    address = f"http://127.0.0.1:{kubelet.getsockname()[1]}"
    client.create(NODES, {"metadata": {"name": "n1", "annotations": {"orrery.io/kubelet": address}}})
    new = pod("web-1")
    new["metadata"]["namespace"] = "default"
    client.bind([(client.create(PODS, new), "n1", None)])

    def answer(play: Callable[[Wire, Request], None]) -> threading.Thread:
        def run() -> None:
            connection, _ = kubelet.accept()
            with connection:
                wire = Wire(connection, ConnectionType.SERVER)
                play(wire, wire.next())

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    return answer


def test_pages_of_other_sites_get_no_stream(dial, api):
    assert refused(dial(EXEC, Origin="http://evil.example"))["reason"] == "Forbidden"
    assert refused(dial(EXEC, Sec_Fetch_Site="cross-site"))["reason"] == "Forbidden"
    assert refused(dial(EXEC, Origin=f"http://127.0.0.1:{api.port}"))["reason"] == "NotFound"


def test_pages_of_other_sites_get_no_board_and_neither_do_those_that_pods_serve(dial, api):
    own = f"127.0.0.1:{api.port}"
    for origin in ("http://evil.example", "http://127.0.0.1:1", f"http://web.localhost:{api.port}", "null"):
        assert dial("/board", Origin=origin).next().status_code == 403
    assert dial("/board", Origin=f"http://{own}", Sec_Fetch_Site="same-site").next().status_code == 403
    assert isinstance(dial("/board", Origin=f"http://{own}").next(), AcceptConnection)


def test_what_a_websocket_is_refused_with_is_what_the_post_after_it_is_told(dial, api):
    client = Client("default", "test")
    for path, message in [
        (EXEC, 'pods "web-1" not found'),
        (f"{EXEC}&container=none", "container none is not valid for pod web-1, choose one of: [app]"),
        (EXEC, "pod web-1 does not have a host assigned"),
        (EXEC, 'node "n1" has no kubelet to ask: it carries no annotation orrery.io/kubelet'),
        (EXEC, "does not answer"),
    ]:
        if "valid" in message:
            new = pod("web-1")
            new["metadata"]["namespace"] = "default"
            made = client.create(PODS, new)
        elif "annotation" in message:
            client.create(NODES, {"metadata": {"name": "n1"}})
            client.bind([(made, "n1", None)])
        elif "answer" in message:
            annotation = {"orrery.io/kubelet": f"http://127.0.0.1:{free_port()}"}
            client.patch(NODES, "", "n1", {"metadata": {"annotations": annotation}})
        status = refused(dial(path))
        assert message in status["message"]
        assert api.ask("POST", path, Connection="Upgrade", Upgrade="SPDY/3.1").json == status


def test_the_kubelet_is_asked_what_the_client_asks_and_both_hear_each_other(dial, answer):
    asked = []

    def play(wire: Wire, request: Request) -> None:
        asked.append((request.target, dict(request.extra_headers)[b"authorization"].decode(), request.subprotocols))
        wire.send(AcceptConnection(subprotocol=PROTOCOLS[0]))
        heard = wire.message()
        for number in range(3000):
            wire.send(BytesMessage(b"\x01%d" % number))
        wire.send(BytesMessage(b"\x01" + heard))
        wire.send(CloseConnection(code=1000))

    thread = answer(play)
    wire = dial(f"{POD}/exec?command=a%20b&command=c%26&stdout=true", base="")  # the default cluster, at the root
    assert wire.next().subprotocol == PROTOCOLS[0]
    noise = bytes(range(256)) * 500
    wire.send(BytesMessage(b"\x00" + noise))
    assert [wire.message() for _ in range(3000)] == [b"\x01%d" % number for number in range(3000)]
    assert wire.message() == b"\x01\x00" + noise
    assert wire.next().code == 1000
    thread.join(20)
    ((target, shown, protocols),) = asked
    assert target == "/exec/default/default/web-1/app?command=a+b&command=c%26&stdout=true"
    assert is_token(shown.removeprefix("Bearer ")) and protocols == PROTOCOLS


def test_a_kubelet_that_dies_in_the_middle_ends_the_stream_in_words(dial, answer):
    def play(wire: Wire, request: Request) -> None:
        wire.send(AcceptConnection(subprotocol=PROTOCOLS[0]))
        wire.send(BytesMessage(b"\x01half a w"))

    answer(play)
    wire = dial(EXEC)
    assert isinstance(wire.next(), AcceptConnection)
    assert wire.message() == b"\x01half a w"
    last = wire.message()
    assert last[0] == 3 and "the kubelet has hung up" in json.loads(last[1:])["message"]
    assert isinstance(wire.next(), CloseConnection)


def test_a_client_that_hangs_up_is_hung_up_on_at_the_kubelet_too(dial, answer):
    ended = threading.Event()

    def play(wire: Wire, request: Request) -> None:
        wire.send(AcceptConnection(subprotocol=PROTOCOLS[0]))
        assert isinstance(wire.next(), CloseConnection)
        ended.set()

    answer(play)
    wire = dial(EXEC)
    assert isinstance(wire.next(), AcceptConnection)
    wire.socket.close()
    assert ended.wait(20)
