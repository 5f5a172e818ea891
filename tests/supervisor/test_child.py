import os
import sys
import time
from pathlib import Path

import pytest

from lab.supervisor import child as child_module
from lab.supervisor.child import Child, Log
from tests.labs import is_alive, wait_until

AUTOGROUP = Path("/proc/self/autogroup")


@pytest.fixture
def make(tmp_path):
    (tmp_path / "logs").mkdir()
    children = []

    def make(script: str, nice: int = 0) -> tuple[Child, list[str]]:
        said: list[str] = []
        command = (sys.executable, "-u", "-c", script)
        made = Child("web", command, tmp_path, dict(os.environ), said.append, lambda: None, nice=nice)
        children.append(made)
        made.start()
        return made, said

    yield make
    for made in children:
        made.stop(0)


def test_a_dead_process_is_started_again_and_said_in_one_line(make):
    child, said = make("print('no table'); raise SystemExit(4)")
    wait_until("two restarts", lambda: child.restarts >= 2)
    assert said[0] == "web ended (exit code 4), starting it again in 0.2 s; its last words: no table"
    assert "in 0.4 s" in said[1]


def test_a_killed_process_names_the_signal(make):
    child, said = make("import time; time.sleep(60)")
    first = wait_until("a process", lambda: child.pid)
    os.kill(first, 9)
    wait_until("another process", lambda: child.pid and child.pid != first)
    assert "killed by SIGKILL" in said[0]


def test_what_it_started_ends_with_it(make, tmp_path):
    note = tmp_path / "grandchild"
    child, _ = make(
        f"import subprocess, time; p = subprocess.Popen(['sleep', '60']); open({str(note)!r}, 'w').write(str(p.pid)); "
        "time.sleep(60)"
    )
    grandchild = int(wait_until("a grandchild", lambda: note.exists() and note.read_text()))
    os.kill(child.pid, 9)
    wait_until("the grandchild's end", lambda: not is_alive(grandchild))


def test_one_that_ignores_sigterm_is_killed_when_the_grace_is_over(make):
    child, _ = make("import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)")
    pid = wait_until("a process", lambda: child.pid)
    wait_until("its first words", lambda: child._log.path.exists())
    began = time.monotonic()
    child.stop(0.3)
    assert 0.3 <= time.monotonic() - began < 30
    assert not is_alive(pid)


def test_a_program_that_is_not_there_is_a_line_and_not_an_end(tmp_path):
    (tmp_path / "logs").mkdir()
    said: list[str] = []
    child = Child("engine", ("/nowhere/engine",), tmp_path, {}, said.append, lambda: None)
    child.start()
    wait_until("a line", lambda: said)
    child.stop(1)
    assert said[0].startswith("engine ended (could not be started: No such file or directory)")


@pytest.mark.skipif(not (AUTOGROUP.exists() and os.geteuid() == 0), reason="who may not, or cannot, leaves it")
def test_who_is_waited_for_has_more_of_the_processors(make):
    nice = lambda child: Path(f"/proc/{child.pid}/autogroup").read_text().split()[-1]  # noqa: E731
    first, _ = make("import time; time.sleep(60)", nice=-10)
    other, _ = make("import time; time.sleep(60)")
    wait_until("both to be there", lambda: first.pid and other.pid)
    wait_until("the first to be put first", lambda: nice(first) == "-10")
    assert nice(other) == "0"
    os.kill(before := first.pid, 9)
    wait_until("another process", lambda: first.pid and first.pid != before)
    wait_until("it to be put first, too", lambda: nice(first) == "-10")


def test_warnings_reach_the_terminal_once_and_the_log_each_time(make):
    line = "2026-01-02 03:04:05,678 W lab.store: the disk is full"
    child, said = make(
        f"import time; print({line!r}); print('2026-01-02 03:04:05,678 I x: y'); print({line!r}); time.sleep(60)"
    )
    wait_until(
        "three lines in the log", lambda: child._log.path.exists() and child._log.path.read_text().count("\n") == 3
    )
    assert said == ["web: lab.store: the disk is full"]


def test_a_log_is_turned_over_before_it_fills_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(child_module, "LOG_BYTES", 100)
    log = Log(tmp_path / "web.log")
    for number in range(50):
        log.write(b"line %d\n" % number)
    assert (tmp_path / "web.log").stat().st_size < 120
    assert (tmp_path / "web.log.1").stat().st_size < 120


def test_a_full_disk_loses_the_line_only():
    log = Log(Path("/dev/full"))
    log.write(b"lost\n")
    log.write(b"lost as well\n")
