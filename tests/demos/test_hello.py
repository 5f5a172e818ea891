"""The web server as a real process: what happens to the request that it works on when it is asked to stop."""

import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab import demos

from ..labs import free_port, wait_until


@contextmanager
def hello(**environment: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The process, and where it answers."""
    port = str(free_port())
    command = [sys.executable, "-S", "-E", str(demos.HELLO)]
    about = {"ADDRESS": "127.0.0.1", "PORT": port, **environment}
    process = subprocess.Popen(command, env=about, cwd="/", stdout=subprocess.PIPE, text=True)
    try:
        wait_until("hello to answer", lambda: status(f"http://127.0.0.1:{port}/healthz") == 200, step=0.02)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def status(url: str) -> int:
    """0 if nobody answers, or not to the end."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.mark.parametrize(("graceful", "answered", "exit_code"), [("yes", 200, 0), ("no", 0, 143)])
def test_a_request_under_way_is_answered_by_whoever_ends_gracefully_and_lost_by_others(graceful, answered, exit_code):
    with hello(GRACEFUL=graceful) as (process, url):
        told: list[int] = []
        visitor = threading.Thread(target=lambda: told.append(status(f"{url}/slow?s=1.5")))
        visitor.start()
        visitor.join(0.5)
        process.send_signal(signal.SIGTERM)
        visitor.join(20)
        assert (told, process.wait(20)) == ([answered], exit_code)


def test_who_lingers_answers_those_who_have_not_heard_that_it_ends():
    with hello(LINGER="2") as (process, url):
        process.send_signal(signal.SIGTERM)
        assert [status(f"{url}/") for _ in range(5)] == [200] * 5
        assert process.wait(20) == 0
        assert status(f"{url}/") == 0


def test_a_faulty_version_fails_one_visit_in_so_many():
    with hello(FAIL_EVERY="5") as (_, url):
        assert [status(f"{url}/") for _ in range(10)] == [200, 200, 200, 200, 500] * 2
