"""The ear on the engine, where what it hears cannot be understood."""

from types import SimpleNamespace

from lab.kubelet import pleg as module
from lab.kubelet.pleg import Pleg
from tests.labs import wait_until


def test_a_look_at_the_engine_that_fails_is_not_the_last(monkeypatch):
    monkeypatch.setattr(module, "TROUBLE_SECONDS", 0.01)
    monkeypatch.setattr(module, "RELIST_SECONDS", 0.01)
    monkeypatch.setattr(module, "connections", SimpleNamespace(close_all=lambda: None))
    looks = []

    def list_pods() -> list:
        looks.append(None)
        return [] if len(looks) > 1 else [None]  # what is no sandbox

    runtime = SimpleNamespace(engine="docker", list_pods=list_pods, listen=lambda hear, stopped: None)
    parts = SimpleNamespace(runtime=runtime, pods=[], images=SimpleNamespace(recheck=lambda: None))
    pleg = Pleg(parts, SimpleNamespace(), lambda sandbox: True, lambda: True, lambda: None)
    pleg.start()
    wait_until("another look", lambda: len(looks) > 1, 5, 0.01)
    pleg.stop()
    pleg.join(5)
