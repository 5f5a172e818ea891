import threading
import time

import pytest

from lab.kubelet.lister import Lister
from lab.runtime import RuntimeFailure, Sandbox
from tests.labs import wait_until


class SlowEngine:
    """Lists what there was when it was asked, after a while."""

    def __init__(self):
        self.pods: list[Sandbox] = []
        self.calls = 0
        self.failure: RuntimeFailure | None = None

    def list_pods(self) -> list[Sandbox]:
        self.calls += 1
        found = list(self.pods)
        time.sleep(0.1)
        if self.failure:
            raise self.failure
        return found


def box(uid: str, ready: bool = True, made: float = 0.0) -> Sandbox:
    return Sandbox(f"{uid}-{made}", "c", "n", "default", uid, uid, ready, created_at=made)


def test_threads_that_ask_at_once_share_one_list():
    engine, found = SlowEngine(), []
    lister = Lister(engine)
    threads = [threading.Thread(target=lambda: found.append(lister.fresh())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20 and engine.calls <= 2


def test_a_list_that_was_begun_before_the_question_is_no_answer():
    engine, found = SlowEngine(), []
    lister = Lister(engine)
    early = threading.Thread(target=lister.fresh)
    early.start()
    wait_until("the first list", lambda: engine.calls == 1, 2, 0.001)
    engine.pods = [box("new")]
    late = threading.Thread(target=lambda: found.append(lister.fresh_of("new")))
    late.start()
    early.join()
    late.join()
    assert [each.uid for each in found[0]] == ["new"] and engine.calls == 2


def test_a_failure_is_everybodys_and_nobody_hangs():
    engine, refused = SlowEngine(), []
    engine.failure = RuntimeFailure("EngineUnavailable", "away")
    lister = Lister(engine)

    def ask() -> None:
        with pytest.raises(RuntimeFailure):
            lister.fresh()
        refused.append(True)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 3


def test_of_several_sandboxes_of_a_pod_the_ready_and_newest_comes_first():
    engine = SlowEngine()
    engine.pods = [box("a", False, 3.0), box("a", True, 1.0), box("a", True, 2.0)]
    assert [each.created_at for each in Lister(engine).fresh_of("a")] == [2.0, 1.0, 3.0]
