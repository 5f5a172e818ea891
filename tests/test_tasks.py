"""The tasks by which controllers are poked: those that a write concerns, in one."""

import pytest

from lab import tasks
from lab.apimachinery.controlplane import CONTROL_PLANE, CONTROLLER_MANAGER
from lab.apimachinery.kinds import LEASES, NODES
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.store import compact, hints


@pytest.fixture
def caught_up(monkeypatch) -> list[str]:
    """Which controllers caught up, in their order; `broken` cannot."""
    seen = []

    def catch_up(cluster: str, controller: str) -> None:
        seen.append(controller)
        if controller == "broken":
            raise RuntimeError(controller)

    monkeypatch.setattr(tasks, "catch_up", catch_up)
    monkeypatch.setattr(tasks, "LOOPS", {name: name for name in ("first", "broken", "last")})
    return seen


def test_one_controller_that_cannot_catch_up_does_not_stop_the_others(broker, caught_up, caplog):
    tasks.reconcile({"any": ["first", "broken", "last"]})
    assert caught_up == ["first", "broken", "last"]
    assert [record.message for record in caplog.records] == ["broken of any cannot catch up"]


def test_who_has_waited_too_long_for_those_before_is_poked_anew(broker, caught_up, monkeypatch):
    poked = []
    monkeypatch.setattr(tasks, "TASK_SECONDS", -1)
    monkeypatch.setattr(hints, "poke_by_name", poked.append)
    tasks.reconcile({"any": ["first", "last"], "other": ["last"]})
    assert (caught_up, poked) == ([], [{"any": ["first", "last"], "other": ["last"]}])


def test_whom_a_loop_makes_work_for_catches_up_in_the_same_task(broker, caught_up, monkeypatch):
    """A chain of loops that wake each other, but not for long: its rest is a task again, for others wait, too."""
    sent = []
    wakes = {"first": ["second", "third"], "third": ["first"]}

    def catch_up(cluster: str, name: str) -> None:
        caught_up.append(name)
        hints.poke_by_name({cluster: wakes.get(name, []) if len(caught_up) < 5 else []})
        if len(caught_up) == 4:
            monkeypatch.setattr(tasks, "CHAIN_SECONDS", -1)

    monkeypatch.setattr(tasks, "catch_up", catch_up)
    monkeypatch.setattr(tasks, "LOOPS", {name: name for name in ("first", "second", "third")})
    monkeypatch.setattr(hints, "_subscribers", {})
    monkeypatch.setattr(hints.current_app, "send_task", lambda task, args, **_: sent.append((task, args)))
    for name in tasks.LOOPS:
        hints.subscribe(name, tasks.RECONCILE, "control-plane", lambda change: False)
    tasks.reconcile({"any": ["first"]})
    assert caught_up == ["first", "second", "third", "first"]
    assert sent == [(tasks.RECONCILE, [{"any": ["second", "third"]}])]


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_the_clock_cannot_read_or_that_has_gone_stops_it_for_no_other(broker, monkeypatch, caplog):
    """A learner may write what they like into a Lease by which their control plane is led."""
    for name in ("bad", "good"):
        ensure_cluster(name)
        Client(name, "bootstrap").create(NODES, {"metadata": {"name": "cp", "labels": {CONTROL_PLANE: ""}}})
    lease = {"metadata": {"name": CONTROLLER_MANAGER, "namespace": "kube-system"}, "spec": {"renewTime": "never"}}
    Client("bad", "kubectl").create(LEASES, lease)
    monkeypatch.setattr(tasks, "cluster_names", lambda: ["gone", "bad", "good"])
    tasks.tick()
    assert Client("good", "x").get(LEASES, "kube-system", CONTROLLER_MANAGER)["spec"]["holderIdentity"] == "cp"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["bad is passed by"]
    compacted = []
    monkeypatch.setattr(tasks, "compact", lambda name: compacted.append(name) if name != "gone" else compact(name))
    tasks.compact_logs()
    assert compacted == ["bad", "good"]
