"""Whether and how long a pod that must end waits for those who still ask it."""

import threading
import time

import pytest

from lab.apimachinery.labels import DRAINED
from lab.client import Lock
from lab.client.locks import PROXY_HOLD
from lab.kubelet import draining
from lab.kubelet.draining import must_drain, note_drained, wait_until_drained
from lab.kubelet.records import PodRecord


class Slices:
    """A client that knows one slice, with these pods in it."""

    def __init__(self, *uids: str):
        self._endpoints = [{"addresses": ["10.1.0.1"], "targetRef": {"kind": "Pod", "uid": uid}} for uid in uids]

    def list(self, kind, namespace: str) -> list[dict]:
        return [{"endpoints": self._endpoints}]


def a_pod(drained: str = "", **annotations: str) -> dict:
    conditions = [{"type": DRAINED, "status": drained}] if drained else []
    meta = {"name": "web", "namespace": "default", "uid": "u", "annotations": annotations}
    return {"metadata": meta, "spec": {"containers": []}, "status": {"podIP": "10.1.0.1", "conditions": conditions}}


pytestmark = pytest.mark.django_db
FOREVER = 1000.0


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Longer than any test may take: who waited for the wrong thing is not back in time."""
    monkeypatch.setattr(draining, "SILENCE_SECONDS", FOREVER)
    monkeypatch.setattr(draining, "MOST_SECONDS", FOREVER)


def test_only_a_pod_that_stands_behind_a_service_is_drained():
    assert must_drain(Slices("other", "u"), a_pod())
    assert not must_drain(Slices("other"), a_pod())
    assert not must_drain(Slices("u"), a_pod(**{"orrery.io/drain": "false"}))


def test_it_waits_until_the_proxy_says_that_it_is_drained():
    record = PodRecord("c", a_pod())

    def say() -> None:
        record.pod = a_pod("True")
        note_drained(record)

    threading.Timer(0.05, say).start()
    wait_until_drained(record, FOREVER)
    assert record.pod == a_pod("True")


def test_it_waits_no_longer_than_the_grace_and_not_at_all_once_it_is_drained():
    wait_until_drained(PodRecord("c", a_pod()), 0.05)
    done = PodRecord("c", a_pod("True"))
    note_drained(done)
    wait_until_drained(done, FOREVER)


def test_it_waits_longer_only_for_a_proxy_that_lives(monkeypatch):
    monkeypatch.setattr(draining, "SILENCE_SECONDS", 0.05)
    wait_until_drained(PodRecord("c", a_pod()), FOREVER)
    assert Lock(PROXY_HOLD).acquire()
    monkeypatch.setattr(draining, "MOST_SECONDS", 0.3)
    began = time.monotonic()
    wait_until_drained(PodRecord("c", a_pod("False")), FOREVER)
    assert time.monotonic() - began >= 0.3
