"""Names: what cluster DNS answers, and the way to Services for programs without a network of their own."""

import asyncio
import base64
import http.client
import socket
import struct
from collections.abc import Callable

import pytest

from lab.proxy.program.dns import DnsServer
from lab.proxy.program.dnswire import AAAA, CNAME, NOERROR, NXDOMAIN, PTR, SERVFAIL, SRV, A, addresses, pointer, query
from lab.proxy.program.names import Names
from lab.proxy.program.plan import merge
from tests.labs import free_port

from .conftest import NAME, Program

DESIRED = {
    "names": {
        "hello.default.svc.cluster.local": ["10.96.0.7"],
        "many.default.svc.cluster.local": [f"10.9.{n // 200}.{n % 200 + 1}" for n in range(300)],
        "web-0.many.default.svc.cluster.local": ["10.9.1.1"],
        "empty.default.svc.cluster.local": [],
        "one.default.svc.cluster.local": ["10.9.1.9"],
        "10-9-1-9.one.default.svc.cluster.local": ["10.9.1.9"],
    },
    "services": {
        "_http._tcp.hello.default.svc.cluster.local": [[80, "hello.default.svc.cluster.local"]],
        "_http._tcp.one.default.svc.cluster.local": [[8080, "10-9-1-9.one.default.svc.cluster.local"]],
    },
    "aliases": {
        "out.default.svc.cluster.local": "example.test",
        "in.default.svc.cluster.local": "hello.default.svc.cluster.local",
    },
    "domain": "cluster.local",
}


def names() -> Names:
    return Names(merge({"default": DESIRED}))


class Asker:
    """Somebody who asks a name server, in the loop of the test."""

    def __init__(self, server: DnsServer, port: int):
        self._server = server
        self.port = port

    async def ask(self, name: str, kind: int = A) -> tuple[int, tuple[str, ...], bytes]:
        """Code, addresses, the whole message."""
        question = query(7, name)[:-4] + struct.pack("!2H", kind, 1)
        said = await asyncio.to_thread(self._udp, question)
        assert said[:2] == question[:2]
        return said[3] & 15, addresses(said), said

    def _udp(self, question: bytes) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(20)
            asking.sendto(question, ("127.0.0.1", self.port))
            return asking.recv(65536)

    async def ask_over_tcp(self, name: str) -> tuple[str, ...]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        question = query(7, name)
        writer.write(struct.pack("!H", len(question)) + question)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        said = await reader.readexactly(length)
        writer.close()
        return addresses(said)


@pytest.fixture
async def asker(tmp_path) -> Asker:
    """A name server that itself knows nobody to ask."""
    server, port = DnsServer(names, tmp_path / "resolv.conf"), free_port()
    await server.listen("127.0.0.1", port)
    return Asker(server, port)


async def test_it_answers_with_the_address_of_a_service(asker: Asker):
    code, found, _ = await asker.ask("Hello.default.svc.Cluster.Local")
    assert (code, found) == (NOERROR, ("10.96.0.7",))


async def test_it_says_at_once_that_there_is_no_address_of_the_other_kind(asker: Asker):
    assert (await asker.ask("hello.default.svc.cluster.local", AAAA))[:2] == (NOERROR, ())


async def test_a_name_of_the_cluster_that_is_not_there_does_not_exist(asker: Asker):
    assert (await asker.ask("nobody.default.svc.cluster.local"))[0] == NXDOMAIN
    assert (await asker.ask("example.test.default.svc.cluster.local"))[0] == NXDOMAIN


async def test_a_service_without_endpoints_exists_and_has_no_address(asker: Asker):
    assert (await asker.ask("empty.default.svc.cluster.local"))[:2] == (NOERROR, ())


@pytest.mark.parametrize("service, port, name", [("hello", 80, "hello"), ("one", 8080, "10-9-1-9.one")])
async def test_a_port_with_a_name_is_found_by_it(asker: Asker, service: str, port: int, name: str):
    asked = f"_http._tcp.{service}.default.svc.cluster.local"
    code, _, said = await asker.ask(asked, SRV)
    where = struct.pack("!3H", 0, 100, port) + pointer(f"{name}.default.svc.cluster.local")
    assert code == NOERROR and said.endswith(struct.pack("!H", len(where)) + where)
    assert (await asker.ask(asked))[:2] == (NOERROR, ())
    assert (await asker.ask(f"_other._tcp.{service}.default.svc.cluster.local", SRV))[0] == NXDOMAIN


@pytest.mark.parametrize(
    "address, name", [("10.96.0.7", "hello"), ("10.9.1.9", "10-9-1-9.one"), ("10.9.1.1", "web-0.many")]
)
async def test_an_address_has_its_name(asker: Asker, address: str, name: str):
    code, _, said = await asker.ask(".".join(reversed(address.split("."))) + ".in-addr.arpa", PTR)
    assert code == NOERROR and said[6:8] == b"\0\1" and said.endswith(pointer(f"{name}.default.svc.cluster.local"))


async def test_an_alias_comes_with_what_it_leads_to(asker: Asker):
    code, found, said = await asker.ask("in.default.svc.cluster.local")
    assert (code, found) == (NOERROR, ("10.96.0.7",))
    assert struct.pack("!2H", CNAME, 1) in said


async def test_an_answer_too_long_for_a_datagram_is_cut_and_whole_over_tcp(asker: Asker):
    _, found, said = await asker.ask("many.default.svc.cluster.local")
    assert found == () and said[2] & 2
    assert len(await asker.ask_over_tcp("many.default.svc.cluster.local")) == 300


async def test_it_says_at_once_that_it_knows_nobody_to_ask_for_other_names(asker: Asker):
    assert (await asker.ask("example.test"))[0] == SERVFAIL
    assert (await asker.ask("out.default.svc.cluster.local"))[0] == SERVFAIL


async def test_it_is_silent_to_what_is_no_question_and_goes_on(asker: Asker):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rude:
        for message in (b"", b"x", b"\0" * 12, b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", b"\xff" * 600):
            rude.sendto(message, ("127.0.0.1", asker.port))
    assert (await asker.ask("hello.default.svc.cluster.local"))[0] == NOERROR


@pytest.mark.parametrize(
    "said, found",
    [
        ("hello", ("10.96.0.7",)),
        ("hello.default", ("10.96.0.7",)),
        ("hello.default.svc", ("10.96.0.7",)),
        ("HELLO.default.svc.cluster.local.", ("10.96.0.7",)),
        ("in", ("10.96.0.7",)),
        ("out", ("example.test",)),
        ("empty", ()),
        ("example.test", None),
    ],
)
def test_a_pod_may_say_a_name_short_or_in_full(said: str, found: tuple | None):
    assert names().search("default", "default", said) == found


def test_another_namespace_is_not_searched_for_a_short_name():
    assert names().search("default", "other", "hello") is None
    assert names().search("default", "other", "hello.default") == ("10.96.0.7",)


Ask = Callable[[str, str], tuple[int, str]]


@pytest.fixture
def through(program: Program) -> Ask:
    """A request as a program with `http_proxy` set sends it: (who it says it is, URL) → status, body."""

    def ask(user: str, url: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", program.front_door, timeout=20)
        shown = base64.b64encode(f"{user}:".encode()).decode()
        connection.request("GET", url, headers={"Proxy-Authorization": f"Basic {shown}"} if user else {})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    return ask


def test_a_program_without_a_network_reaches_a_service_by_its_name(program: Program, origins, through: Ask):
    origin = origins("web-1")
    program.want(
        {
            "listeners": [{"address": "127.0.0.1", "port": program.service, "mode": "http", "backend": NAME}],
            "names": {"hello.default.svc.cluster.local": ["127.0.0.1"]},
            "backends": {NAME: {"mode": "http", "servers": {"u1": origin.server()}}},
        }
    )
    for name in ("hello", "hello.default", "hello.default.svc.cluster.local"):
        assert through("default.default", f"http://{name}:{program.service}/?at={name}") == (200, "web-1")
    assert "/?at=hello" in origin.seen
    told = through("default.default", f"http://hello:{program.service}/headers")[1].lower()
    assert "proxy-authorization" not in told and f"host: hello:{program.service}" in told
    assert program.counters()["u1"]["requests"] == 4


def test_what_is_no_name_of_the_cluster_is_asked_outside(program: Program, origins, through: Ask):
    origin = origins("outside")
    assert through("default.default", f"http://127.0.0.1:{origin.port}/") == (200, "outside")
    assert through("", f"http://localhost:{origin.port}/x") == (200, "outside")


def test_a_service_without_endpoints_is_nobody_to_ask(program: Program, through: Ask):
    program.want({"names": {"empty.default.svc.cluster.local": []}})
    status, body = through("default.default", "http://empty/")
    assert (status, "no endpoint is ready" in body) == (503, True)


@pytest.mark.parametrize("name", ["ghost", "ghost.default.svc", "ghost.default.svc.cluster.local"])
def test_a_name_that_only_a_service_can_have_and_none_has_is_told_from_one_without_endpoints(
    program: Program, through: Ask, name: str
):
    full = ("empty.default", "other.default", "web-0.empty.default", "far.away")
    program.want({"names": {f"{each}.svc.cluster.local": [] for each in full}})
    status, body = through("default.default", f"http://{name}/")
    assert (status, body.startswith(f"{name}: cluster default has no Service of this name")) == (404, True)
    assert "There is empty, other;" in body


def test_a_name_that_nobody_has_is_no_matter_of_endpoints(program: Program, through: Ask):
    program.want({"names": {"empty.default.svc.cluster.local": []}})
    status, body = through("default.default", "http://ghost.invalid/")
    assert (status, "it is no Service of the cluster" in body) == (503, True)


def test_what_no_proxy_can_do_is_refused(program: Program, through: Ask):
    assert through("", "http://")[0] == 400
    assert through("", "http://localhost:99999/")[0] == 400
