"""From Visitors objects to requests at the front door, and back as figures and a status; the real program, and the
agent in this process."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import metrics
from lab.apimachinery.controlplane import CONTROL_PLANE, POWER
from lab.apimachinery.kinds import NODES, SERVICES, VISITORS
from lab.apiserver.admission.guard import MOST_BYTES
from lab.client import Client, Lock
from lab.client.clusters import ensure_cluster
from lab.client.election import hold_elections
from lab.models import Cluster
from lab.visitors import agent as agents
from lab.visitors.agent import Agent
from tests.labs import wait_until

from .door import Door
from .program import Program

pytestmark = pytest.mark.django_db(transaction=True)
SERVICE = {"metadata": {"name": "hello", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}


def made() -> Client:
    cluster = f"visited-{secrets.token_hex(3)}"  # the broker has figures of the tests before
    ensure_cluster(cluster)
    client = Client(cluster, "tester")
    client.create(SERVICES, SERVICE)
    return client


@pytest.fixture
def client() -> Client:
    return made()


@pytest.fixture
def agent(client: Client, program: Program, tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    agent.start()
    yield agent
    agent.stop()


def visit(client: Client, rate: float) -> None:
    if client.find(VISITORS, "default", "everyone"):
        client.patch(VISITORS, "default", "everyone", {"spec": {"rate": rate}})
    else:
        meta = {"name": "everyone", "namespace": "default"}
        client.create(VISITORS, {"metadata": meta, "spec": {"service": "hello", "rate": rate}})


def phase(client: Client, wanted: str) -> dict:
    def look() -> dict | None:
        status = client.get(VISITORS, "default", "everyone").get("status", {})
        return status if status.get("phase") == wanted else None

    return wait_until(f"phase {wanted}", look)


def key(client: Client) -> str:
    return f"{client.cluster}/default/everyone"


def published(client: Client, what: str, look) -> dict:
    def read() -> dict | None:
        figures = metrics.read(client.cluster, metrics.VISITORS).get("default/everyone")
        return figures if figures and look(figures) else None

    return wait_until(what, read)


def test_visitors_ask_and_are_published_while_their_rate_is_above_zero(client, agent, door):
    visit(client, rate=50)
    assert phase(client, "Running")["observedGeneration"] == 1
    published(client, "answers by pod", lambda seen: seen["pods"].get("web-1", {}).get("requests", 0) > 10)
    visit(client, rate=0)
    assert phase(client, "Idle")["observedGeneration"] == 2
    said, asked_for, *_ = client.history(VISITORS, "default", "everyone")
    assert (said["author"], said["cause"]) == ("visitors", asked_for["revision"])
    asked = published(client, "all to be told of", lambda seen: seen["requests"] == len(door.requests))["requests"]
    assert [request["host"] for request in door.requests] == [f"hello.default.{client.cluster}.localhost"] * asked


def test_a_status_is_written_when_it_changes_and_not_again(client, agent, program):
    visit(client, rate=50)
    phase(client, "Running")
    revision = client.view().revision
    first = published(client, "figures", lambda seen: seen["requests"])["requests"]
    published(client, "a round or two more of them", lambda seen: seen["requests"] > first + 75)
    assert client.view().revision == revision


def test_a_service_that_is_not_there_is_named(client, agent):
    visit(client, rate=10)
    phase(client, "Running")
    client.delete(SERVICES, "default", "hello")
    assert phase(client, "Failed")["message"] == 'there is no Service "hello" in namespace default'
    client.create(SERVICES, SERVICE)
    phase(client, "Running")


def test_a_program_that_was_killed_gets_its_orders_again(client, agent, program):
    visit(client, rate=50)
    before = published(client, "answers", lambda seen: seen["requests"] > 10)
    program.kill()
    assert "load generator" in phase(client, "Failed")["message"]
    program.start()
    after = published(
        client, "answers in a new count", lambda seen: seen["epoch"] != before["epoch"] and seen["requests"] > 10
    )
    assert after["epoch"] > before["epoch"]
    assert "message" not in phase(client, "Running")


def test_visitors_go_on_without_an_agent_and_the_next_one_takes_over(client, agent, program, tmp_path):
    visit(client, rate=50)
    before = published(client, "answers", lambda seen: seen["requests"] > 10)
    agent.stop()
    program.wait_for("more answers", lambda seen: seen["requests"] > before["requests"] + 50, key(client))
    second = Agent(tmp_path)
    second.start()
    try:
        after = published(client, "the same count", lambda seen: seen["requests"] > before["requests"] + 50)
        assert after["epoch"] == before["epoch"]
    finally:
        second.stop()


def test_figures_go_on_without_a_control_plane(client, agent):
    labels = {CONTROL_PLANE: "", "orrery.io/runtime": "simulated"}
    client.create(NODES, {"metadata": {"name": "head", "labels": labels}})
    hold_elections(client.cluster)
    visit(client, rate=50)
    phase(client, "Running")
    switch = Client(client.cluster, "tester", hardware=True)
    switch.patch(NODES, "", "head", {"metadata": {"annotations": {POWER: "off"}}})
    before = published(client, "answers", lambda seen: seen["requests"] > 10)["requests"]
    published(client, "more answers", lambda seen: seen["requests"] > before + 75)


def test_who_does_not_have_the_hold_gives_no_orders(client, program, tmp_path):
    other = Lock(agents.NAME, 60)
    assert other.acquire()
    agent = Agent(tmp_path)
    agent.start()
    try:
        visit(client, rate=50)
        assert not program.ask({"do": "counters"})["visitors"]
        other.release()
        program.wait_for("answers", lambda seen: seen["requests"] > 0, key(client))
    finally:
        agent.stop()


def test_it_rests_when_nobody_has_come_for_a_while(client, program, tmp_path, monkeypatch):
    monkeypatch.setattr(agents, "FADE_SECONDS", 0.5)
    agent = Agent(tmp_path)
    agent.start()
    try:
        visit(client, rate=50)
        phase(client, "Running")
        visit(client, rate=0)
        phase(client, "Idle")
        wait_until("the hold to be given back", lambda: Lock(agents.NAME, 0.1).acquire())
        visit(client, rate=50)
        phase(client, "Running")
    finally:
        agent.stop()


def test_what_is_deleted_asks_no_more(client, agent, program, door: Door):
    visit(client, rate=50)
    published(client, "answers", lambda seen: seen["requests"] > 10)
    client.delete(VISITORS, "default", "everyone")
    wait_until("no orders", lambda: program.ask({"do": "counters"})["visitors"] == {})


def test_visitors_of_whom_no_more_can_be_said_are_in_nobody_elses_way(client, agent):
    """A stranger's object may be so large and no larger: here it just fits, as long as it has no status."""
    Cluster.objects.filter(name=client.cluster).update(guard="orrery/*")
    meta, spec = {"name": "large", "namespace": "default"}, {"service": "hello", "rate": 1}
    size = len(json.dumps(client.create(VISITORS, {"metadata": meta, "spec": spec})))
    client.delete(VISITORS, "default", "large")
    full = {"annotations": {"full": "x" * (MOST_BYTES - size)}}  # what is stored has no blanks
    client.create(VISITORS, {"metadata": meta | full, "spec": spec})
    later = made()
    for each in (later, client):
        visit(each, rate=50)
        phase(each, "Running")
        published(each, "answers", lambda seen: seen["requests"])
    assert "status" not in client.get(VISITORS, "default", "large")
