"""HTTP through the data plane: what comes in goes out, to the right server, once."""

import http.client
import socket
import stat
import threading
import time
from collections import Counter

import pytest

from tests.labs import wait_until

from .conftest import HOST, NAME, SIDE_DOOR, Program


def test_it_sends_a_request_through_the_front_door_and_says_which_pod_answered(program: Program, origins):
    assert program.apply({"u1": origins("web-1").server()}) == {"ok": True}
    status, body, headers = program.get()
    assert (status, body) == (200, "web-1")
    assert (headers["x-orrery-pod"], headers["x-orrery-version"]) == ("web-1", "abc")


def test_it_listens_at_the_address_of_the_service(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    assert program.get(port=program.service, host="whatever")[1] == "web-1"


def test_it_names_who_asked_and_gives_each_request_an_id(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    told = program.get("/headers")[1]
    assert "x-forwarded-for: 127.0.0.1" in told.lower()
    assert "x-request-id: " in told.lower()
    kept = program.get("/headers", **{"X-Request-Id": "mine"})[1].lower()
    assert "x-request-id: mine" in kept and kept.count("x-request-id") == 1


def test_its_side_door_leads_to_the_same_for_this_user_alone(program: Program, origins):
    def asked() -> tuple[int, bytes, str | None]:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(program.folder / SIDE_DOOR))
        connection.request("GET", "/", headers={"Host": HOST})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers["X-Orrery-Pod"]

    program.apply({"u1": origins("web-1").server()})
    assert asked() == (200, b"web-1", "web-1")
    assert stat.S_IMODE((program.folder / SIDE_DOOR).stat().st_mode) == 0o600
    program.want({})  # HAProxy is replaced
    assert asked()[0] == 404
    program.process.terminate()
    program.process.wait()
    program.start()
    program.apply({"u1": origins("web-2").server()})
    assert asked() == (200, b"web-2", "web-2") and program.get()[1] == "web-2"


def test_it_answers_many_requests_on_one_connection(program: Program, origins):
    program.apply({"u1": origins("web-1").server(), "u2": origins("web-2").server()})
    connection = program.connect()
    answers = []
    for _ in range(10):
        connection.request("GET", "/")
        answers.append(connection.getresponse().read())
    assert Counter(answers) == {b"web-1": 5, b"web-2": 5}


def test_it_shares_by_weight(program: Program, origins):
    program.apply({"u1": origins("web-1").server(weight=30), "u2": origins("web-2").server(weight=10)})
    connection = program.connect()
    answers = Counter()
    for _ in range(80):
        connection.request("GET", "/")
        answers[connection.getresponse().read()] += 1
    assert answers == {b"web-1": 60, b"web-2": 20}


def test_it_passes_bodies_of_every_kind(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    connection = program.connect()
    body = bytes(range(256)) * 8000
    connection.request("POST", "/", body)
    assert connection.getresponse().read() == body
    connection.request("POST", "/", iter([b"one ", b"two"]))
    assert connection.getresponse().read() == b"one two"
    connection.request("GET", "/chunked")
    assert connection.getresponse().read() == b"one two three"
    connection.request("HEAD", "/")
    assert connection.getresponse().read() == b""
    connection.request("GET", "/until-close")
    assert connection.getresponse().read() == b"all of it"


def test_it_lets_a_slow_reader_wait_and_loses_nothing(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    size = 30_000_000
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as slow:
        slow.sendall(f"GET /big?bytes={size} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        # Somebody else is served meanwhile, and the program holds next to nothing of what is not read.
        assert program.get()[0] == 200
        assert resident_megabytes(program.process.pid) < 40
        received = b"".join(iter(lambda: slow.recv(1 << 20), b""))
    assert received.count(b"x") >= size


def resident_megabytes(pid: int) -> float:
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


def test_it_becomes_a_tunnel_where_both_sides_agree(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as tunnel:
        tunnel.sendall(b"GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nahead\n")
        stream = tunnel.makefile("rb")
        assert b"101" in stream.readline()
        while stream.readline().strip():
            pass
        assert stream.readline() == b"ahead\n"
        tunnel.sendall(b"hello\n")
        assert stream.readline() == b"hello\n"
        assert program.counters()["u1"]["inFlight"] == 1


def test_it_answers_requests_that_were_sent_ahead_in_their_order(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as ahead:
        ahead.sendall(b"".join(b"GET /big?bytes=%d HTTP/1.1\r\nHost: x\r\n\r\n" % size for size in (3, 1, 2)))
        stream = ahead.makefile("rb")
        for size in (3, 1, 2):
            assert b" 200 " in stream.readline()
            assert int(http.client.parse_headers(stream)["Content-Length"]) == size
            assert stream.read(size) == b"x" * size


def test_it_goes_to_another_server_where_none_listens(program: Program, origins):
    gone = origins("gone")
    gone.end()
    program.apply({"u1": gone.server(), "u2": origins("web-2").server()})
    assert [program.get()[1] for _ in range(6)] == ["web-2"] * 6


def test_ready_endpoints_that_take_no_connection_are_told_from_none(program: Program, origins):
    gone = origins("gone")
    gone.end()
    program.apply({"u1": gone.server()})
    status, body, _ = program.get()
    assert (status, "none took a connection" in body, "no endpoint is ready" in body) == (503, True, False)


def test_a_request_that_was_sent_is_never_sent_again(program: Program, origins):
    first, second = origins("web-1"), origins("web-2")
    program.apply({"u1": first.server(), "u2": second.server()})
    assert program.get("/break")[0] == 502
    assert first.seen + second.seen == ["/break"]


def test_it_says_which_service_has_nobody_ready(program: Program):
    program.apply({})
    status, body, _ = program.get()
    assert status == 503
    assert "Service hello in namespace default" in body


def test_it_says_why_nobody_is_ready_as_long_as_that_is_so(program: Program, origins):
    origin = origins("web-1")
    program.apply({})
    program.apply({}, note='its 2 pods are simulated; 50% of "them"')
    status, body, _ = program.get()
    assert (status, "its 2 pods are simulated; 50" in body) == (503, True)
    program.apply({}, note="another reason")
    assert "another reason" in program.get()[1]
    program.apply({"u1": origin.server()}, note="")
    assert program.get()[0] == 200
    program.apply({"u1": origin.server(state="drain")})
    assert "no endpoint is ready" in program.get()[1]


def test_an_unknown_host_gets_the_list_of_those_there_are(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    status, body, _ = program.get(host="nobody.localhost")
    assert status == 404
    assert f"http://{HOST}:{program.front_door}/" in body


@pytest.mark.parametrize(
    ("host", "path", "words"),
    [
        ("ghost.default.default.localhost", "/", "There is no Service ghost in namespace default of cluster default"),
        ("hello.ghost.default.localhost", "/", "There is no Service hello in namespace ghost of cluster default"),
        ("hello.default.ghost.localhost", "/", "There is no cluster ghost"),
        ("db.default.default.localhost", "/", "db in namespace default of cluster default has no such port for HTTP"),
        ("99.hello.default.default.localhost", "/", "hello in namespace default of cluster default has no such port"),
        ("default.localhost", "/", "No Ingress rule of cluster default names default.localhost"),
        ("shop.test", "/x", "No Ingress rule of shop.test leads to /x"),
        ("other.test", "/<b>", "No Ingress rule names other.test"),
    ],
)
def test_whoever_leads_nowhere_is_told_what_is_missing(program: Program, origins, host, path, words):
    hosts = [{"host": HOST, "path": "/", "backend": NAME}, {"host": "shop.test", "path": "/cart", "backend": NAME}]
    names = {f"{service}.default.svc.cluster.local": ["10.96.0.1"] for service in ("hello", "db")}
    program.want({"hosts": hosts, "names": names, "backends": {NAME: {"servers": {"u1": origins("web-1").server()}}}})
    status, body, _ = program.get(path, host=host)
    assert (status, words in body, "<b>" in body) == (404, True, False)


def test_it_goes_by_the_longest_path_and_by_whole_elements(program: Program, origins):
    names = ("root", "shop", "cart", "only")
    backends = {f"default/{name}:http": {"mode": "http", "servers": {name: origins(name).server()}} for name in names}
    rules = [("/", "prefix", "root"), ("/shop", "prefix", "shop"), ("/shop/cart/", "prefix", "cart")]
    rules.append(("/shop/only", "exact", "only"))
    hosts = [{"host": HOST, "path": p, "match": m, "backend": f"default/{name}:http"} for p, m, name in rules]
    hosts.append({"host": "*.wild.test", "path": "/", "match": "prefix", "backend": "default/cart:http"})
    assert program.want({"hosts": hosts, "backends": backends}) == {"ok": True}
    asked = {
        "/": "root", "/shopping": "root", "/shop": "shop", "/shop/?q=/shop/cart": "shop", "/shop/cart": "cart",
        "/shop/cart/1": "cart", "/shop/only": "only", "/shop/only/1": "shop",
    }  # fmt: skip
    assert {path: program.get(path)[1] for path in asked} == asked
    assert program.get(host="a.wild.test")[1] == "cart"
    assert program.get("/", host=HOST.upper())[1] == "root"


def test_a_client_stays_with_its_server_where_the_service_says_so(program: Program, origins):
    servers = {f"u{n}": origins(f"web-{n}").server() for n in range(4)}
    program.apply(servers, affinitySeconds=60)
    answers = {program.get()[1] for _ in range(12)}
    assert len(answers) == 1
    left = {uid: server for uid, server in servers.items() if server["pod"] not in answers}
    program.apply(left | {"gone": servers[f"u{answers.copy().pop()[-1]}"] | {"state": "drain"}}, affinitySeconds=60)
    moved = {program.get()[1] for _ in range(12)}
    assert len(moved) == 1 and moved != answers


def test_it_refuses_what_could_be_read_in_two_ways(program: Program, origins):
    origin = origins("web-1")
    program.apply({"u1": origin.server()})
    for lengths in (
        b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: x", b"Content-Length : 3",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\nContent-Length: 4",
    ):  # fmt: skip
        with socket.create_connection(("127.0.0.1", program.service), timeout=20) as rude:
            rude.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n\r\nabc")
            assert b" 400 " in rude.recv(65536)
    assert origin.seen == []


def test_a_client_that_wants_to_be_asked_for_its_body_is(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as polite:
        polite.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        stream = polite.makefile("rb")
        assert b" 100 " in stream.readline()
        assert stream.readline() == b"\r\n"
        polite.sendall(b"hello")
        assert b" 200 " in stream.readline()
        while stream.readline().strip():
            pass
        assert stream.read(5) == b"hello"


def test_who_breaks_off_in_the_middle_of_a_request_is_not_waited_for(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as rude:
        rude.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf")
        wait_until("the request", lambda: program.counters()["u1"]["inFlight"])
        rude.shutdown(socket.SHUT_WR)
        wait_until("its end", lambda: not program.counters()["u1"]["inFlight"])


def test_who_has_said_all_and_closed_that_side_still_gets_the_answer(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as brief:
        brief.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nwhole")
        brief.shutdown(socket.SHUT_WR)
        assert brief.makefile("rb").read().endswith(b"whole")


def test_answers_that_nobody_reads_do_not_pile_up(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as slow:
        slow.sendall(b"GET /big?bytes=1000000 HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert program.get()[0] == 200
        time.sleep(1)
        assert resident_megabytes(program.process.pid) < 40
        received = 0
        while received < 100_000_000:
            received += len(slow.recv(1 << 20))


def test_it_serves_many_at_once(program: Program, origins):
    program.apply({f"u{n}": origins(f"web-{n}").server() for n in range(3)})
    answers: Counter = Counter()

    def ask() -> None:
        connection = program.connect()
        for _ in range(20):
            connection.request("GET", "/")
            answers[connection.getresponse().read()] += 1

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers.values()) == 240
    assert sum(server["requests"] for server in program.counters().values()) == 240
