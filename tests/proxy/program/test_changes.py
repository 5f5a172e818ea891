"""What happens to requests while the data plane is told something new, or loses a part of itself."""

import contextlib
import http.client
import os
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

from tests.labs import free_port, is_alive, wait_until

from .conftest import HOST, NAME, Program
from .origin import Echo, Origin


class Load:
    """Somebody who asks again and again, on connections that stay, until told to stop; counts what came."""

    def __init__(self, program: Program, threads: int = 4):
        self.answers: Counter = Counter()
        self._program = program
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = self._program.connect()
        while not self._stop.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                self.answers[answer.status, answer.read().decode()] += 1
            except (OSError, http.client.HTTPException) as error:
                self.answers["failed", repr(error)] += 1
                connection.close()

    def wait_for(self, more: int) -> None:
        wanted = self.answers.total() + more
        wait_until(f"{more} more answers", lambda: self.answers.total() >= wanted, 30, 0.01)

    def failed(self) -> dict:
        return {what: count for what, count in self.answers.items() if what[0] != 200}


def test_servers_come_and_go_under_load_and_no_request_fails(program: Program, origins):
    servers = {f"u{n}": origins(f"web-{n}").server() for n in range(6)}
    names = list(servers)
    program.apply({name: servers[name] for name in names[:2]})
    with Load(program) as load:
        for step in range(20):
            present = {names[(step + n) % 6]: servers[names[(step + n) % 6]] for n in range(3)}
            leaving = {name: server | {"state": "drain"} for name, server in servers.items() if name == names[step % 6]}
            assert program.apply(present | leaving) == {"ok": True}
            load.wait_for(30)
    assert load.failed() == {}
    assert {body for _, body in load.answers} == {f"web-{n}" for n in range(6)}


def test_all_traffic_moves_to_other_servers_and_back_and_no_request_fails(program: Program, origins):
    blue, green = ({name: origins(name).server() for name in names} for names in (("b1", "b2"), ("g1", "g2")))
    off = {"weight": 0}
    both = {name: server | off for name, server in (blue | green).items()}
    program.apply(both | blue)
    with Load(program) as load:
        for at in range(10):
            program.apply(both | (green if at % 2 == 0 else blue))
            load.wait_for(50)
    assert not load.failed()


def test_services_come_and_go_under_load_and_no_request_fails(program: Program, origins):
    servers = {"u1": origins("web-1").server()}
    program.apply(servers)
    with Load(program) as load:
        for step in range(6):
            other = {"other/x:http": {"mode": "http", "servers": servers}} if step % 2 else {}
            program.want({"backends": other}, scope="west")
            load.wait_for(30)
    assert load.failed() == {}
    seen = program.counters()["u1"]["requests"]
    assert seen == load.answers.total()


def test_a_connection_that_outlives_a_change_finds_the_servers_that_came_after_it(program: Program, origins):
    """HAProxy's older process has it, which has to be told too."""
    one, two, three = origins("one"), origins("two"), origins("three")
    kept = []
    for servers in ({"u1": one.server()}, {"u2": two.server()}):
        program.apply(servers)
        kept.append(program.connect())
        kept[-1].request("GET", "/")
        assert kept[-1].getresponse().read() == servers.popitem()[1]["pod"].encode()
        program.want({"backends": {f"other/{len(kept)}:http": {"servers": {}}}}, scope="west")
    program.apply({"u3": three.server()})
    for connection in kept:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"three"
    if program.engine == "haproxy":
        wait_until("the older ones to end with that", lambda: len(children(program.process.pid)) == 1)


def test_a_server_in_drain_finishes_what_it_has_and_gets_nothing_new(program: Program, origins):
    old, new = origins("old"), origins("new")
    program.apply({"u1": old.server()})
    waiting: list = []
    thread = threading.Thread(target=lambda: waiting.append(program.get("/wait")))
    thread.start()
    wait_until("the request to be in flight", lambda: program.counters()["u1"]["inFlight"] == 1)
    program.apply({"u1": old.server(state="drain"), "u2": new.server()})
    assert [program.get()[1] for _ in range(4)] == ["new"] * 4
    assert program.counters()["u1"]["inFlight"] == 1
    program.apply({"u2": new.server()})  # even if it is not spoken of any more
    assert program.counters()["u1"]["inFlight"] == 1
    old.release.set()
    thread.join()
    assert waiting[0][:2] == (200, "old")
    wait_until("nothing to be in flight", lambda: not program.counters().get("u1", {}).get("inFlight"))
    assert old.seen == ["/wait"]


def test_a_weight_of_nothing_gets_nothing(program: Program, origins):
    one, two = origins("one"), origins("two")
    program.apply({"u1": one.server(weight=0), "u2": two.server()})
    assert {program.get()[1] for _ in range(6)} == {"two"}
    program.apply({"u1": one.server(weight=256), "u2": two.server(weight=0)})
    assert {program.get()[1] for _ in range(6)} == {"one"}


def test_it_counts_requests_errors_and_time_for_each_server(program: Program, origins):
    good, bad = origins("good"), origins("bad")
    program.apply({"u1": good.server()})
    for _ in range(5):
        program.get()
    program.apply({"u1": good.server(state="drain"), "u2": bad.server()})
    program.get("/?status=500")
    program.get("/?status=503")
    program.get("/break")
    program.get()
    told = program.counters()
    assert (told["u1"]["requests"], told["u1"]["errors"]) == (5, 0)
    assert (told["u2"]["requests"], told["u2"]["errors"]) == (4, 3)
    assert 0 <= told["u1"]["totalMs"] < 5000
    assert set(told["u1"]) == {"requests", "errors", "unreached", "inFlight", "totalMs"}


def test_requests_for_which_no_connection_was_taken_are_told_apart(program: Program, origins):
    program.apply({"u1": {**origins("gone").server(), "port": free_port()}})
    assert {program.get()[0] for _ in range(3)} == {503}
    told = program.counters()["u1"]
    assert (told["requests"], told["errors"], told["unreached"]) == (3, 3, 3)
    program.apply({"u2": origins("bad").server()})
    program.get("/?status=503")
    program.get("/break")
    told = program.counters()["u2"]
    assert (told["errors"], told["unreached"]) == (2, 0)


def test_a_request_that_another_server_had_to_take_counts_only_there(program: Program, origins):
    nobody = {**origins("gone").server(), "port": free_port()}
    program.apply({"u1": nobody, "u2": origins("web-2").server()})
    assert {program.get()[1] for _ in range(6)} == {"web-2"}
    told = program.counters()
    assert [(told[key]["requests"], told[key]["errors"]) for key in ("u1", "u2")] == [(0, 0), (6, 0)]


def test_counters_go_on_when_services_change(program: Program, origins):
    servers = {"u1": origins("web-1").server()}
    program.apply(servers)
    program.get()
    program.want({"backends": {"other/x:http": {"mode": "http", "servers": servers}}}, scope="west")
    program.get()
    assert program.counters()["u1"]["requests"] == 2
    assert program.counters("west", "other/x:http")["u1"]["requests"] == 0


def test_a_scope_that_wants_nothing_is_forgotten_and_leaves_the_others_alone(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    program.want({"hosts": [], "backends": {"a/b:c": {"servers": {}}}}, scope="west")
    program.want({}, scope="west")
    assert program.get()[1] == "web-1"
    program.want({})
    assert program.get()[0] == 404
    assert list(program.folder.glob("*.json")) == []


def test_it_refuses_what_is_wrong_and_goes_on_as_before(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    assert "no backend" in program.want({"hosts": [{"host": "x", "path": "/", "backend": "a/b:c"}]})["error"]
    assert "weight" in program.apply({"u1": {"address": "127.0.0.1", "port": 1, "weight": 300}})["error"]
    assert "error" in program.apply({"u1": {"address": "not one", "port": 1}})
    assert "scope" in program.want({}, scope="../x")["error"]
    assert "error" in program.ask({"do": "dance"})
    assert program.get()[1] == "web-1"


def test_it_says_where_it_cannot_listen_and_serves_the_rest(program: Program, origins):
    with socket.create_server(("127.0.0.1", program.service)):
        told = program.apply({"u1": origins("web-1").server()})
        assert told["ok"] and list(told["refused"]) == [f"127.0.0.1:{program.service}"]
        assert program.get()[1] == "web-1"


def test_killed_and_started_again_it_serves_what_it_served_and_refuses_nobody(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    os.killpg(program.process.pid, signal.SIGKILL)
    program.process.wait()
    answers: list = []
    thread = threading.Thread(target=lambda: answers.append(program.get()))
    thread.start()  # who comes in between waits at the front door
    program.start()
    thread.join()
    assert answers[0][:2] == (200, "web-1")
    assert program.get(port=program.service)[1] == "web-1"


def test_haproxy_killed_is_back_at_once_and_counts_on(program: Program, origins):
    if program.engine != "haproxy":
        return
    program.apply({"u1": origins("web-1").server()})
    program.get()
    before = program.counters()["u1"]["requests"]
    wait_until("the first one, which served nobody, to end", lambda: len(children(program.process.pid)) == 1)
    (child,) = children(program.process.pid)
    os.kill(child, signal.SIGKILL)
    assert program.get()[:2] == (200, "web-1")
    wait_until("both to be counted", lambda: program.counters()["u1"]["requests"] == before + 1)
    assert not is_alive(child)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_long_sessions_outlive_every_change(program: Program, origins):
    program.apply({"u1": origins("web-1").server()})
    with socket.create_connection(("127.0.0.1", program.service), timeout=20) as tunnel:
        tunnel.sendall(b"GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        stream = tunnel.makefile("rb")
        while stream.readline().strip():
            pass
        program.want({"backends": {"a/b:c": {"servers": {}}}}, scope="west")
        program.apply({"u2": origins("web-2").server()})
        assert program.get()[1] == "web-2"
        tunnel.sendall(b"still here\n")
        assert stream.readline() == b"still here\n"
        assert program.counters()["u1"]["inFlight"] == 1


def test_tcp_goes_through_both_ways_and_each_end_is_passed_on(program: Program):
    with contextlib.closing(Echo()) as echo:
        program.apply({"u1": {"address": "127.0.0.1", "port": echo.port}}, mode="tcp")
        with socket.create_connection(("127.0.0.1", program.service), timeout=20) as connection:
            data = os.urandom(1_000_000)
            sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
            sender.start()
            received = b"".join(iter(lambda: connection.recv(65536), b""))
            sender.join()
        assert received == data
        assert program.counters()["u1"]["requests"] == 1
        wait_until("it to be over", lambda: program.counters()["u1"]["inFlight"] == 0)


def test_a_server_that_starts_again_is_waited_for_if_it_is_the_only_one(program: Program, origins):
    gone = origins("web-1")
    gone.end()
    program.apply({"u1": gone.server()})
    answers: list = []
    thread = threading.Thread(target=lambda: answers.append(program.get()))
    thread.start()
    time.sleep(0.1)
    again = Origin("web-1 again", port=gone.port)
    thread.join()
    again.end()
    assert answers[0][:2] == (200, "web-1 again")


def test_hosts_of_two_clusters_stand_beside_each_other(program: Program, origins):
    for scope in ("east", "west"):
        name = f"{scope}.localhost"
        hosts = [{"host": name, "path": "/", "match": "prefix", "backend": NAME}]
        program.want({"hosts": hosts, "backends": {NAME: {"servers": {"u1": origins(scope).server()}}}}, scope)
    assert [program.get(host=f"{scope}.localhost")[1] for scope in ("east", "west")] == ["east", "west"]
    assert program.get(host=HOST)[0] == 404


def test_no_cluster_answers_to_a_name_of_another_one(program: Program, origins):
    """An exact path or a longer one would come before the other's own rule, which is for all paths."""
    for scope, claimed in (
        ("east", ("web.default.west.localhost", "*.west.localhost", "shop.localhost")),
        ("west", ()),
    ):
        own = [{"host": f"web.default.{scope}.localhost", "path": "/", "match": "prefix", "backend": NAME}]
        others = [{"host": host, "path": "/in", "match": how, "backend": NAME} for host in claimed
                  for how in ("exact", "prefix")]  # fmt: skip
        servers = {"u1": origins(scope).server()}
        program.want({"hosts": [*own, *others], "backends": {NAME: {"servers": servers}}}, scope)
    assert program.get("/in", host="web.default.west.localhost")[1] == "west"
    assert program.get("/in/it", host="web.default.west.localhost")[1] == "west"
    assert program.get("/in", host="db.west.localhost")[0] == 404
    assert program.get("/in", host="shop.localhost")[1] == "east"
