import os
import signal
import subprocess
import sys

from tests.labs import HOME, is_alive, wait_until

SUPERVISOR = """
import os, subprocess, sys, time
from lab.supervisor.guard import Guard
guard = Guard()
children = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2)]
guard.watch(child.pid for child in children)
print(*[child.pid for child in children], guard._shell.pid, flush=True)
if sys.argv[1] == "orderly":
    guard.watch([])
    guard.dismiss()
    print("dismissed", flush=True)
time.sleep(60)
"""


def start(how: str) -> tuple[subprocess.Popen, list[int]]:
    command = [sys.executable, "-c", SUPERVISOR, how]
    supervisor = subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True)
    return supervisor, [int(pid) for pid in supervisor.stdout.readline().split()]


def test_a_supervisor_killed_with_sigkill_leaves_no_process():
    supervisor, pids = start("killed")
    supervisor.kill()
    supervisor.wait()
    wait_until("the end of all", lambda: not any(map(is_alive, pids)), seconds=5)


def test_a_dismissed_guard_ends_and_kills_nobody():
    supervisor, (*children, guard) = start("orderly")
    assert supervisor.stdout.readline() == "dismissed\n"
    assert not is_alive(guard)
    assert all(map(is_alive, children))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    supervisor.kill()
    supervisor.wait()
