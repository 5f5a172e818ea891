"""What a container has written: whole, its tail, since a moment, with times, and as it comes."""

import threading
import time
from datetime import datetime

import pytest

from lab.runtime import LogOptions, RuntimeFailure


def test_both_streams_are_kept_in_lines(bench):
    container = bench.run("echo one; echo two >&2; printf three")
    bench.ended(container)
    assert sorted(bench.output(container).split()) == [b"one", b"three", b"two"]


def test_the_tail_is_the_last_lines(bench):
    container = bench.run("for i in 1 2 3 4 5; do echo $i; done")
    bench.ended(container)
    assert bench.output(container, tail=2) == b"4\n5\n"
    assert bench.output(container, tail=0) == b""


def test_since_leaves_out_what_is_older(bench):
    container = bench.run("echo early; sleep 2.5; echo late; sleep 100")
    bench.said(container, b"late")
    now = time.time()
    assert bench.output(container, since=now - 1.5) == b"late\n"
    assert bench.output(container, since=now - 60) == b"early\nlate\n"


def test_timestamps_are_put_before_each_line(bench):
    began = time.time()
    container = bench.run("echo hello")
    bench.ended(container)
    moment, _, text = bench.output(container, timestamps=True).partition(b" ")
    assert text == b"hello\n"
    assert began - 1 < datetime.fromisoformat(moment.decode()).timestamp() < time.time() + 1


def test_following_gives_lines_as_they_come_and_ends_with_the_container(bench):
    container = bench.run("echo first; sleep 0.5; echo second; sleep 0.5")
    came = [(time.monotonic(), line) for line in bench.runtime.logs(container, LogOptions(follow=True))]
    assert [line for _, line in came] == [b"first\n", b"second\n"]
    assert came[1][0] - came[0][0] > 0.2
    assert bench.ended(container)


def test_following_from_the_tail_goes_on_with_what_comes(bench):
    container = bench.run("for i in 1 2 3; do echo $i; done; sleep 0.7; echo 4")
    bench.said(container, b"3")
    assert b"".join(bench.runtime.logs(container, LogOptions(follow=True, tail=1))) == b"3\n4\n"


def test_a_follower_that_waits_can_be_ended_from_another_thread(bench):
    container = bench.run("echo hello; sleep 100")
    lines = bench.runtime.logs(container, LogOptions(follow=True))
    assert next(lines) == b"hello\n"
    rest: list[bytes] = []
    reader = threading.Thread(target=lambda: rest.extend(lines))
    reader.start()
    time.sleep(0.2)
    lines.close()
    reader.join(20)
    assert not reader.is_alive() and rest == []


def test_the_log_of_a_dead_container_stays_until_it_is_removed(bench):
    container = bench.run("echo hello")
    bench.ended(container)
    assert bench.output(container) == b"hello\n"
    bench.runtime.remove_container(container)
    with pytest.raises(RuntimeFailure):
        bench.output(container)


def test_a_long_line_arrives_whole(bench):
    container = bench.run("python3 -c 'print(\"x\" * 9000)'")
    bench.ended(container)
    assert bench.output(container) == b"x" * 9000 + b"\n"
