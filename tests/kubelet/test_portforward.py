"""port-forward without SPDY, as the Python client speaks it, to the ports of a real process."""

import contextlib
import socket

import pytest
from wsproto import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request

from lab.apiserver.kubelet_token import token
from lab.kubelet.server import Server
from tests.labs import wait_until
from tests.websockets import Wire

from .test_server import refusal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(world):
    world.start()
    world.pod()
    address = world.running()["status"]["podIP"]
    wait_until("the pod to listen", lambda: connected(address, 8080))
    server = Server(lambda: world.agents)
    server.start()
    wait_until("it to listen", lambda: server.url and connected(*where(server)))
    yield server
    server.stop()


def where(server: Server) -> tuple[str, int]:
    name, port = server.url.removeprefix("http://").split(":")
    return name, int(port)


def connected(name: str, port: int) -> socket.socket | None:
    with contextlib.suppress(ConnectionRefusedError):
        return socket.create_connection((name, port))
    return None


def dial(server: Server, path: str) -> Wire:
    wire = Wire(connected(*where(server)), ConnectionType.CLIENT)
    shown = [(b"authorization", f"Bearer {token()}".encode())]
    wire.send(Request(host="kubelet", target=path, subprotocols=["v4.channel.k8s.io"], extra_headers=shown))
    accepted = wire.next()
    assert isinstance(accepted, AcceptConnection) and accepted.subprotocol == "v4.channel.k8s.io"
    return wire


def test_each_port_has_a_channel_for_data_and_one_for_errors(server):
    wire = dial(server, "/portForward/world/default/web?ports=8080&ports=1")
    numbers = {wire.message() for _ in range(4)}
    assert numbers == {b"\x00\x90\x1f", b"\x01\x90\x1f", b"\x02\x01\x00", b"\x03\x01\x00"}
    assert wire.message().startswith(b"\x03error forwarding port 1 to pod web: ")
    wire.send(BytesMessage(b"\x00GET /healthz HTTP/1.0\r\nConnection: close\r\n\r\n"))
    heard = b""
    while not isinstance(piece := wire.next(), CloseConnection):
        assert piece.data[:1] == b"\x00"
        heard += piece.data[1:]
    assert heard.startswith(b"HTTP/1.") and heard.endswith(b"ok\n")
    wire.socket.close()


def test_a_forward_without_a_websocket_or_a_port_is_refused(server, world):
    assert "WebSockets" in refusal(server, "/portForward/world/default/web", method="POST")[1]
    assert refusal(server, "/portForward/world/default/none", method="POST")[0] == 404
