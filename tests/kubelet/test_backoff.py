import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lab.kubelet.backoff import Backoff, go_duration


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def crash(backoff: Backoff, number: int) -> float:
    backoff.arm("web", f"death {number}")
    waited = backoff.remaining("web")
    backoff.grow("web")
    return waited


def test_the_first_restart_is_immediate_and_the_next_ones_double():
    clock = Clock()
    backoff = Backoff(10, 300, clock)
    waits = []
    for number in range(8):
        waits.append(crash(backoff, number))
        clock.now += waits[-1]
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_death_told_twice_does_not_begin_the_wait_again():
    clock = Clock()
    backoff = Backoff(10, 300, clock)
    crash(backoff, 0)
    backoff.arm("web", "death 1")
    clock.now += 4
    backoff.arm("web", "death 1")
    assert backoff.remaining("web") == 6


def test_a_container_that_ran_for_twice_the_longest_delay_starts_from_nothing_again():
    clock = Clock()
    backoff = Backoff(10, 300, clock)
    crash(backoff, 0)
    clock.now += 601
    assert crash(backoff, 1) == 0
    assert crash(backoff, 2) == 10


def test_a_failed_pull_waits_from_its_failure():
    clock = Clock()
    backoff = Backoff(10, 300, clock)
    backoff.failed("image")
    assert backoff.remaining("image") == 10
    clock.now += 10
    assert backoff.remaining("image") == 0
    backoff.failed("image")
    assert backoff.remaining("image") == 20


def test_a_pod_that_is_gone_is_forgotten():
    backoff = Backoff(10, 300, Clock())
    backoff.failed("uid-1/web")
    backoff.failed("uid-2/web")
    backoff.forget("uid-1/")
    assert (backoff.delay("uid-1/web"), backoff.delay("uid-2/web")) == (0, 10)


def test_durations_read_as_go_prints_them():
    assert [go_duration(s) for s in (0.5, 4, 80, 300, 3661)] == ["500ms", "4s", "1m20s", "5m0s", "1h1m1s"]


def test_what_succeeds_resets_itself_and_nothing_whose_name_begins_alike():
    backoff = Backoff(10, 300, Clock())
    for image in ("web:1", "web:10"):
        backoff.failed(image)
    backoff.succeeded("web:1")
    assert (backoff.remaining("web:1"), backoff.remaining("web:10")) == (0, 10)


def test_pods_may_go_while_others_crash():
    """Each has a worker of its own: they come at the same time."""
    backoff, over = Backoff(10, 300), threading.Event()

    def crash_many() -> None:
        while not over.is_set():
            for number in range(200):
                backoff.grow(f"{threading.get_ident()}/{number}")
            backoff.forget(f"{threading.get_ident()}/")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            crashing = [pool.submit(crash_many) for _ in range(4)]
            time.sleep(0.5)
            over.set()
        for each in crashing:
            each.result()
    finally:
        sys.setswitchinterval(interval)
