"""The kubelet's HTTP server: logs, kills and figures for whoever shows the token."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from lab.apiserver.kubelet_token import token
from lab.kubelet.server import Server
from tests.labs import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TALK = ["sh", "-c", "for i in 1 2 3; do echo line $i; done; while true; do echo more; sleep 0.05; done"]


@pytest.fixture
def server(world):
    server = Server(lambda: world.agents)
    server.start()
    wait_until("its address", lambda: server.url, 5, 0.01)
    yield server
    server.stop()


def ask(server: Server, path: str, method: str = "GET", shown: str | None = None):
    request = urllib.request.Request(server.url + path, method=method)
    request.add_header("Authorization", f"Bearer {token() if shown is None else shown}")
    return urllib.request.urlopen(request, timeout=10)


def refusal(server: Server, path: str, **options) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, path, **options)
    return refused.value.code, refused.value.read().decode()


def talking(world) -> None:
    world.start()
    world.pod(containers=[{"name": "web", "image": "orrery/hello:v1", "command": TALK}])
    world.running()


def test_logs_are_for_those_who_show_the_token(server, world):
    talking(world)
    path = "/containerLogs/world/default/web/web?tailLines=1"
    assert ask(server, path).status == 200
    assert refusal(server, path, shown="guess")[0] == 401
    assert urllib.request.urlopen(f"{server.url}/healthz", timeout=5).read() == b"ok"


def test_a_log_can_be_cut_at_either_end(server, world):
    talking(world)
    log = "/containerLogs/world/default/web/web"
    wait_until("three lines", lambda: b"line 3" in ask(server, log).read(), 5)
    assert ask(server, f"{log}?limitBytes=9").read() == b"line 1\nli"
    assert ask(server, f"{log}?tailLines=1").read() == b"more\n"


def test_what_is_not_there_is_said_to_be_missing(server, world):
    talking(world)
    assert refusal(server, "/containerLogs/world/default/none/web") == (
        404,
        'pod "none" not found in namespace "default"\n',
    )
    assert "previous terminated container" in refusal(server, "/containerLogs/world/default/web/web?previous=true")[1]
    assert refusal(server, "/nothing")[0] == 404
    assert refusal(server, "/kill/world/default/web/web")[0] == 405


def test_a_killed_container_is_healed_like_any_other(server, world):
    talking(world)
    ask(server, "/kill/world/default/web/web", method="POST")
    world.running(restarts=1)


def test_another_signal_only_tells_it_something(server, world):
    talking(world)
    assert ask(server, "/kill/world/default/web/web?signal=HUP", method="POST")
    assert refusal(server, "/kill/world/default/web/web?signal=HAPPY", method="POST") == (
        400,
        'there is no signal "HAPPY": name one as KILL, TERM or HUP\n',
    )


def test_figures_of_every_running_container_are_told(server, world):
    talking(world)

    def used() -> int:
        (pod,) = json.load(ask(server, "/stats/summary"))["pods"]
        assert pod["podRef"]["name"] == "web" and pod["node"] == "node-a"
        return pod["containers"][0]["memory"]["workingSetBytes"] if pod["containers"] else 0

    assert wait_until("some memory in use", used, 5) > 0


def test_followers_that_hang_up_leave_nothing_behind(server, world):
    talking(world)
    followers = [ask(server, "/containerLogs/world/default/web/web?follow=true") for _ in range(20)]
    assert all(follower.readline() == b"line 1\n" for follower in followers)

    def streams() -> int:
        return sum(thread.name == "log-stream" for thread in threading.enumerate())

    assert streams() == 20
    for follower in followers:
        follower.close()
    wait_until("their threads to end", lambda: not streams(), 10)
