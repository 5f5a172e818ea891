import threading
import time

import pytest
from django.db import OperationalError

from lab.apimachinery.controlplane import CONTROL_PLANE, POWER
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import EVENTS, NODES, PODS
from lab.client import Client, LostFence
from lab.client.clusters import delete_cluster, ensure_cluster
from lab.client.election import hold_elections
from lab.kubelet.occasions import Occasion
from lab.kubelet.records import PodRecord
from lab.kubelet.statuswriter import StatusWriter
from tests.labs import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
CLUSTERS = ("first", "second")


class Moody(Client):
    """A client whose next calls fail as they are told to."""

    moods: list[BaseException] = []

    def view(self):
        if self.moods:
            raise self.moods.pop(0)
        return super().view()

    def events(self, happened):
        if self.moods:
            raise self.moods.pop(0)
        super().events(happened)

    def caused_by(self, revision):
        return Moody(self.cluster, self.author, revision, self.fence)


class Desk:
    def __init__(self):
        for name in CLUSTERS:
            ensure_cluster(name)
        self.given_up: list[str] = []
        self.writer = StatusWriter(lambda cluster: Moody(cluster, "kubelet"), self.given_up.append)

    def pod(self, name: str, cluster: str = "first") -> PodRecord:
        spec = {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]}
        made = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        return PodRecord(cluster, Client(cluster, "tester").create(PODS, made))

    def report(self, record: PodRecord, phase: str, **more) -> None:
        self.writer.report(record, {"phase": phase, **more}, {"decision": phase})

    def phases(self, record: PodRecord) -> list[str]:
        rows = Client(record.cluster, "tester").history(PODS, "default", record.address[2])
        return [row["object"].get("status", {}).get("phase", "") for row in rows if row["author"] == "kubelet"][::-1]

    def settle(self) -> None:
        wait_until("everything written", self.writer.idle, 10, 0.01)


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    Moody.moods = []
    desk.writer.stop()


def test_reports_that_gather_become_one_write_unless_they_tell_different_stories(desk):
    record = desk.pod("web")
    desk.report(record, "Pending")
    desk.report(record, "Pending", podIP="10.1.1.2")
    desk.report(record, "Running")
    desk.report(record, "Succeeded")
    desk.writer.start()
    desk.settle()
    assert desk.phases(record) == ["Pending", "Running", "Succeeded"]


def test_of_two_reports_that_become_one_neither_loses_what_it_did_nor_the_fault_that_it_tells_of(desk):
    record = desk.pod("web")
    record.occasion = Occasion(fault={"reason": "ContainerDied", "container": "web", "exitCode": 1})
    made, started = {"action": "CreatePodSandbox"}, {"action": "StartContainer", "container": "web"}
    desk.writer.report(record, {"phase": "Running"}, {"decision": "SyncPod", "steps": [made], "did": [{"call": "a"}]})
    record.occasion = Occasion(int(record.pod["metadata"]["resourceVersion"]))
    desk.writer.report(record, {"phase": "Running", "podIP": "10.1.1.2"}, {"decision": "SyncPod", "steps": [started]})
    desk.writer.report(record, {"phase": "Running", "podIP": "10.1.1.3"}, None)
    desk.writer.start()
    desk.settle()
    [row] = Client("first", "tester").history(PODS, "default", "web", decided=True)
    assert (row["why"]["steps"], row["why"]["did"]) == ([made, started], [{"call": "a"}])
    assert row["why"]["fault"]["reason"] == "ContainerDied" and row["cause"] == 0


def test_a_status_that_changes_nothing_is_not_written(desk):
    record = desk.pod("web")
    desk.writer.start()
    for _ in range(2):
        desk.report(record, "Running")
        desk.settle()
    assert desk.phases(record) == ["Running"]


@pytest.mark.parametrize("trouble", [OperationalError("database is locked"), ApiError(409, "Conflict", "too late")])
def test_trouble_delays_a_report_and_an_event_and_loses_neither(desk, trouble):
    record = desk.pod("web")
    Moody.moods = [trouble, trouble]
    desk.report(record, "Running")
    desk.writer.event("first", record.pod, "Normal", "Started", "Started container web")
    desk.writer.start()
    desk.settle()
    assert desk.phases(record) == ["Running"] and desk.given_up == []
    assert [event["reason"] for event in Client("first", "tester").list(EVENTS)] == ["Started"]


def test_a_report_of_a_pod_that_is_gone_holds_up_no_other(desk):
    gone, here = desk.pod("gone"), desk.pod("here")
    Client("first", "tester").delete(PODS, "default", "gone", grace_seconds=0)
    desk.report(gone, "Running")
    desk.report(here, "Running")
    desk.writer.start()
    desk.settle()
    assert desk.phases(here) == ["Running"]


def test_the_end_of_a_pod_is_written_after_its_last_status_and_only_for_that_very_pod(desk):
    record = desk.pod("web")
    ended = threading.Event()
    desk.report(record, "Succeeded")
    desk.writer.end(record, ended.set)
    assert desk.writer.ends(record.uid)
    desk.writer.start()
    assert ended.wait(20)
    assert desk.phases(record)[-1] == "Succeeded"
    assert Client("first", "tester").find(PODS, "default", "web") is None
    assert record.gone  # or whoever takes away its remains would believe that it is to begin anew
    namesake = desk.pod("web")
    again = threading.Event()
    desk.writer.end(record, again.set)
    assert again.wait(20)
    assert Client("first", "tester").find(PODS, "default", "web")["metadata"]["uid"] == namesake.uid


def test_a_cluster_that_is_gone_holds_up_no_other(desk):
    lost, kept = desk.pod("web", "second"), desk.pod("web")
    over = [threading.Event(), threading.Event()]
    desk.report(lost, "Running")
    desk.writer.event("second", lost.pod, "Normal", "Started", "Started container web")
    desk.writer.end(lost, over[0].set)
    desk.writer.end(kept, over[1].set)
    delete_cluster("second")
    desk.writer.start()
    assert all(each.wait(20) for each in over)
    desk.settle()
    assert desk.given_up == []


@pytest.mark.parametrize("wrote", ["report", "event", "end"])
def test_a_cluster_whose_control_plane_is_down_holds_up_no_other(desk, wrote):
    """A drill may take it from a whole class at once, and a learner from their own whenever they like."""
    member = {"metadata": {"name": "cp", "labels": {CONTROL_PLANE: ""}}}
    dark, light = desk.pod("web", "first"), desk.pod("web", "second")
    Client("first", "tester").create(NODES, member)
    hold_elections("first")
    switch = Client("first", "tester", hardware=True)
    switch.patch(NODES, "", "cp", {"metadata": {"annotations": {POWER: "off"}}})
    over = {name: threading.Event() for name in CLUSTERS}

    def say(record: PodRecord) -> None:
        if wrote == "report":
            desk.report(record, "Running")
        elif wrote == "event":
            desk.writer.event(record.cluster, record.pod, "Normal", "Started", "Started container web")
        else:
            desk.writer.end(record, over[record.cluster].set)

    def is_said(record: PodRecord) -> bool:
        told = [one for one in Client(record.cluster, "tester").list(EVENTS) if one["reason"] == "Started"]
        return bool(desk.phases(record) or told or over[record.cluster].is_set())

    say(dark)
    desk.writer.start()
    for _ in range(3):
        say(light)
        began = time.monotonic()
        wait_until("the other to be written", lambda: is_said(light), 5, 0.01)
        assert time.monotonic() - began < 0.5 and not is_said(dark)
    assert desk.given_up == []
    switch.patch(NODES, "", "cp", {"metadata": {"annotations": {POWER: None}}})
    wait_until("what has waited to be written", lambda: is_said(dark), 5, 0.01)
    desk.settle()


@pytest.mark.parametrize("trouble", [LostFence("kubelet/docker"), KeyError("metadata")])
def test_where_it_cannot_go_on_it_says_so_instead_of_falling_silent(desk, trouble):
    Moody.moods = [trouble]
    desk.report(desk.pod("web"), "Running")
    desk.writer.start()
    wait_until("it to give up", lambda: desk.given_up, 5, 0.01)


def test_what_is_so_is_said_before_what_happened_elsewhere(desk, monkeypatch):
    one, other = desk.pod("web", "first"), desk.pod("web", "second")
    order, say, write = [], Client.events, Client.write

    def events(client, happened):
        order.append(f"event in {client.cluster}")
        if len(order) == 1:
            desk.report(other, "Running")
        say(client, happened)

    def written(client, puts):
        order.append(f"status in {client.cluster}")
        return write(client, puts)

    monkeypatch.setattr(Client, "events", events)
    monkeypatch.setattr(Client, "write", written)
    for record in (one, other):
        desk.writer.event(record.cluster, record.pod, "Normal", "Started", "Started container web")
    desk.writer.start()
    desk.settle()
    assert order == ["event in first", "status in second", "event in second"]


def test_what_happens_elsewhere_while_it_looks_through_what_happened_ends_no_writer(desk):
    record, other = desk.pod("web", "first"), desk.pod("web", "second")

    class Dark(dict):
        def __contains__(self, cluster: object) -> bool:
            """Amid the look somebody says something of a cluster that has said nothing yet."""
            about = ("second", other.pod, "Normal", "Started", "Started container web")
            speaker = threading.Thread(target=desk.writer.event, args=about)
            speaker.start()
            speaker.join(5)
            return super().__contains__(cluster)

    desk.writer.event("first", record.pod, "Normal", "Started", "Started container web")
    desk.writer._dark = Dark()
    desk.writer._write_some()
    desk.writer.start()
    desk.settle()
    for cluster in CLUSTERS:
        assert [event["reason"] for event in Client(cluster, "tester").list(EVENTS)] == ["Started"]
