import threading
import time

import pytest

from lab.kubelet.podworkers import PodWorkers
from tests.labs import wait_until


class Shop:
    """Workers whose work is written down, and held up where a test says so."""

    def __init__(self, threads: int = 4):
        self.done: list[str] = []
        self.at_work: set[str] = set()
        self.held: dict[str, threading.Event] = {}
        self.delays: dict[str, list] = {}
        self.workers = PodWorkers("shop", self._work, threads, share_of=lambda key: key.rpartition("/")[0])

    def _work(self, key: str) -> float | None:
        assert key not in self.at_work, "two threads work on one pod"
        self.at_work.add(key)
        if key in self.held:
            self.held[key].wait(20)
        self.at_work.discard(key)
        self.done.append(key)
        answer = self.delays.get(key) or [None]
        if isinstance(answer[0], Exception):
            raise answer.pop(0)
        return answer.pop(0)

    def hold(self, key: str, begins: bool = True) -> None:
        self.held[key] = threading.Event()
        self.workers.add(key)
        if not begins:
            return
        wait_until(f"work on {key}", lambda: key in self.at_work, 5, 0.005)

    def release(self, key: str) -> None:
        self.held.pop(key).set()

    def wait_for(self, *done: str) -> None:
        wait_until(f"{done}", lambda: self.done == list(done), 5, 0.005)


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.workers.stop()


def test_however_often_a_pod_is_told_of_while_it_is_worked_on_it_is_looked_at_once_more(shop):
    shop.hold("a")
    for _ in range(5):
        shop.workers.add("a")
    shop.release("a")
    shop.wait_for("a", "a")


def test_other_pods_do_not_wait_for_a_slow_one(shop):
    shop.hold("slow")
    shop.workers.add("b")
    shop.wait_for("b")
    shop.release("slow")
    shop.wait_for("b", "slow")


def test_urgent_ones_overtake_those_that_are_merely_new():
    shop = Shop(threads=1)
    shop.hold("first")
    for key in ("new", "newer", "healing"):
        shop.workers.add(key, urgent=key == "healing")
    shop.workers.add("newer", urgent=True)
    shop.release("first")
    shop.wait_for("first", "healing", "newer", "new")
    shop.workers.stop()


def test_work_that_asks_for_another_look_gets_it_in_time_and_an_earlier_hint_replaces_it(shop):
    shop.delays["a"] = [0.2, 30.0]
    began = time.monotonic()
    shop.workers.add("a")
    shop.wait_for("a", "a")
    assert time.monotonic() - began >= 0.2
    shop.workers.add("a")
    shop.wait_for("a", "a", "a")


def test_work_that_fails_is_tried_again_and_harms_nobody(shop, caplog):
    shop.delays["bad"] = [ValueError("broken"), None]
    shop.workers.add("bad")
    shop.workers.add("good")
    wait_until("three pieces of work", lambda: sorted(shop.done) == ["bad", "bad", "good"], 5, 0.01)
    assert "broken" in caplog.text


def test_it_grows_no_more_threads_than_it_may_and_gives_them_back():
    shop = Shop(threads=2)
    for key in ("a", "b"):
        shop.hold(key)
    shop.workers.add("c")
    time.sleep(0.05)
    assert shop.at_work == {"a", "b"} and not shop.workers.idle()
    for key in ("a", "b"):
        shop.release(key)
    wait_until("all three", lambda: len(shop.done) == 3 and shop.workers.idle(), 5, 0.005)
    shop.workers.stop()


def test_nothing_is_lost_among_many_threads():
    counts: dict[str, int] = {}

    def count(key: str) -> None:
        seen = counts.get(key, 0)
        time.sleep(0.0002)
        counts[key] = seen + 1  # only right if nobody else works on the same key

    workers = PodWorkers("many", count, 16)
    for number in range(2000):
        workers.add(f"pod-{number % 40}", urgent=number % 7 == 0)
    wait_until("rest", workers.idle, 10, 0.01)
    before = dict(counts)
    for key in before:
        workers.add(key)
    wait_until("rest", workers.idle, 10, 0.01)
    assert counts == {key: count + 1 for key, count in before.items()} and len(counts) == 40
    workers.stop()


def test_one_strangers_pods_that_never_end_are_in_nobody_elses_way():
    shop = Shop(threads=8)
    for number in range(10):
        shop.hold(f"eve/{number}", begins=number < 2)
    shop.workers.add("ada/1")
    shop.workers.add("b")
    wait_until("the others", lambda: set(shop.done) == {"ada/1", "b"}, 5, 0.005)
    assert shop.at_work == {"eve/0", "eve/1"}
    for number in range(10):
        shop.release(f"eve/{number}")
    wait_until("all", lambda: len(shop.done) == 12 and shop.workers.idle(), 5, 0.005)
    assert sorted(shop.done[2:]) == [f"eve/{number}" for number in range(10)]
    shop.workers.stop()
