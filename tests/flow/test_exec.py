"""kubectl exec, attach, cp, port-forward and run, into real containers and processes."""

import contextlib
import fcntl
import hashlib
import os
import pty
import re
import secrets
import shutil
import struct
import subprocess
import termios
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..conftest import need
from ..labs import free_port, wait_until
from .stage import IMAGE, Stage, container, forever, pod, status_of

# On Docker its first folder is where `tar` will be: busybox, which takes itself for whatever it is called.
TOOLS = [{"name": "PATH", "value": "/tmp/tools:/usr/local/bin:/usr/bin:/bin"}]
PODS = [
    pod("main", container("main", forever("echo up"), env=TOOLS)),
    pod("two", container("web"), container("beside", forever("echo up"))),
    pod("nowhere", container("main"), nodeSelector={"no": "such-node"}),
    pod("no-image", container("main", image="orrery/nothing:1", imagePullPolicy="Never")),
]
SAVE_TAR = """
import os, sys
os.makedirs("/tmp/tools", exist_ok=True)
open("/tmp/tools/new", "wb").write(sys.stdin.buffer.read())
os.chmod("/tmp/tools/new", 0o755)
os.rename("/tmp/tools/new", "/tmp/tools/tar")
"""
SIZE_BYTES = 20_000_000


class Kubectl:
    """In the stage's namespace; what a person would see of each call."""

    def __init__(self, program: str, stage: Stage):
        server, cache = f"{stage.lab.address}/clusters/default", f"{stage.lab.data}/kubectl"
        self.words = [program, "--kubeconfig", os.devnull, "--server", server, "--cache-dir", cache]
        self.words += ["--namespace", stage.namespace]
        self.year = "old" if program == os.environ.get("KUBECTL_OLD") else "new"

    def run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*self.words, *words], input=stdin, capture_output=True, timeout=90)

    def fails(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 1, done.stdout
        return done.stderr.decode()

    @contextlib.contextmanager
    def going_on(self, *words: str, **options) -> Iterator[subprocess.Popen]:
        process = subprocess.Popen([*self.words, *words], **options)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def k(stage, kubectl: str) -> Kubectl:
    return Kubectl(kubectl, stage)


def test_a_command_says_what_it_has_to_say_and_ends_as_it_ends(stage, k):
    stage.ready("main")
    done = k.run("exec", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.stdout, done.returncode) == (b"out\n", 3)
    assert done.stderr.startswith(b"err\n")
    noise = secrets.token_bytes(300_000)
    echo = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert k.run("exec", "-i", "main", "--", "python3", "-c", echo, stdin=noise).stdout == noise
    assert k.run("exec", "main", "--", "no-such-program").returncode in (126, 127)


def test_a_terminal_has_the_size_of_the_users_and_takes_keys(stage, k):
    stage.ready("main")
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    script = "import os, time; print(os.isatty(0)); input('now'); print(os.get_terminal_size()); time.sleep(100)"
    with k.going_on("exec", "-it", "main", "--", "python3", "-c", script, stdin=far, stdout=far, stderr=far) as process:
        os.close(far)
        seen = read_until(near, b"now")
        os.write(near, b"\r")
        seen += read_until(near, b"lines=33")
        os.write(near, b"\x03")
        seen += read_until(near, b"KeyboardInterrupt")
        assert b"True" in seen and b"columns=111, lines=33" in seen
        assert process.wait(30) == 130
    os.close(near)


def read_until(terminal: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        seen += os.read(terminal, 4096)
    return seen


def test_what_cannot_be_is_told_in_the_words_of_kubernetes(stage, k):
    stage.ready("two")
    assert 'pods "none" not found' in k.fails("exec", "none", "--", "true")
    assert "container none is not valid for pod two" in k.fails("exec", "two", "-c", "none", "--", "true")
    assert "pod nowhere does not have a host assigned" in k.fails("exec", "nowhere", "--", "true")
    assert 'container not found ("main")' in k.fails("exec", "no-image", "--", "true")
    assert "pod is not running" in k.fails("port-forward", "nowhere", "1:1")


def test_files_are_copied_both_ways_byte_by_byte(stage, k, tmp_path):
    stage.ready("main")
    if stage.lab.runtime == "docker":
        busybox = shutil.which("busybox")
        need("busybox-static", busybox)
        sent = k.run("exec", "-i", "main", "--", "python3", "-c", SAVE_TAR, stdin=Path(busybox).read_bytes())
        assert sent.returncode == 0, sent.stderr
    here, back, there = tmp_path / "here", tmp_path / "back", f"/tmp/orrery-{secrets.token_hex(4)}"
    here.write_bytes(os.urandom(SIZE_BYTES))
    for way in ((str(here), f"main:{there}"), (f"main:{there}", str(back))):
        done = k.run("cp", *way)
        assert done.returncode == 0, done.stderr
    remove(k, there)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (here, back)}
    assert len(digests) == 1


def test_a_port_is_forwarded_for_many_at_once_and_a_dead_one_is_told_of(stage, k):
    stage.ready("two")
    alive, dead = free_port(), free_port()
    with k.going_on(
        "port-forward", "two", f"{alive}:8080", f"{dead}:1", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        lines = iter(process.stdout.readline, b"")
        assert any(b"Forwarding from" in line and str(dead).encode() in line for line in lines)
        fetched = [urllib.request.urlopen(f"http://127.0.0.1:{alive}/healthz", timeout=30) for _ in range(20)]
        assert {answer.read() for answer in fetched} == {b"ok\n"}
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{dead}/", timeout=30)
        assert any(b"error forwarding port 1 to pod two" in line for line in lines)


def test_a_pod_is_run_talked_to_and_taken_away(k):
    name = f"once-{secrets.token_hex(3)}"
    options = (f"--image={IMAGE}", "--image-pull-policy=IfNotPresent", "--restart=Never", "--command")
    script = "while read line; do echo got $line; done; exit 4"
    words = ("run", "-i", "--rm", name, *options, "--", "sh", "-c", script)
    done = k.run(*words, stdin=b"one\ntwo\n")
    assert b"got one\ngot two\n" in done.stdout
    assert done.returncode == 4, done.stderr
    assert f'pods "{name}" not found' in k.fails("get", "pod", name)


def test_who_attaches_hears_the_container_from_then_on(stage, k):
    name = f"ticks-{secrets.token_hex(3)}"
    stage.create(pod(name, container("main", forever("i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done"))))
    stage.ready(name)
    with k.going_on("attach", name, stdout=subprocess.PIPE) as process:
        heard = [int(re.search(rb"tick (\d+)", process.stdout.readline())[1]) for _ in range(5)]
    assert heard == list(range(heard[0], heard[0] + 5))


def test_a_client_that_is_killed_takes_its_command_along(stage, k):
    stage.ready("main")
    file = f"/tmp/orrery-{secrets.token_hex(4)}"
    script = f"while true; do echo x >> {file}; sleep 0.1; done"

    def size() -> int:
        return len(k.run("exec", "main", "--", "sh", "-c", f"while read line; do echo $line; done < {file}").stdout)

    with k.going_on("exec", "main", "--", "sh", "-c", script):
        wait_until("the command to work", size)
    wait_until("the command's end", stays_the_same(size), step=1)
    remove(k, file)


def remove(k: Kubectl, file: str) -> None:
    """From a container without `rm`, or on processes from this machine."""
    assert k.run("exec", "main", "--", "python3", "-c", f"import os; os.remove({file!r})").returncode == 0


def stays_the_same(look: Callable[[], int]) -> Callable[[], bool]:
    seen = [-1]

    def same() -> bool:
        seen.append(look())
        return seen[-1] == seen[-2]

    return same


def test_a_pod_is_looked_into_by_a_container_that_is_added_to_it(stage, k):
    before = stage.ready("two")
    words = [
        "debug",
        "two",
        f"--image={IMAGE}",
        f"--container=look-{k.year}",
        "--target=web",
        "--image-pull-policy=Never",
    ]
    done = k.run(*words, "--", "sh", "-c", "cat /proc/1/cmdline; echo; sleep 600")
    assert done.returncode == 0, done.stderr
    name = f"look-{k.year}"

    def added() -> dict | None:
        statuses = stage.now("two")["status"].get("ephemeralContainerStatuses", ())
        return next((each for each in statuses if each["name"] == name and "running" in each["state"]), None)

    assert wait_until("the container to run", added)["ready"] is False
    if stage.lab.runtime == "docker":  # it shares the processes of its target, whose first is the application
        stage.said("two", "/app/hello", container=name)
    assert k.run("exec", "two", "-c", name, "--", "echo", "in").stdout == b"in\n"
    gone = '[{"op": "remove", "path": "/spec/ephemeralContainers"}]'
    assert "may not be removed" in k.fails(
        "patch", "pod", "two", "--subresource=ephemeralcontainers", "--type=json", "-p", gone
    )
    after, was = (status_of(seen, "web") for seen in (stage.now("two"), before))
    assert [after[field] for field in ("containerID", "restartCount")] == [
        was[field] for field in ("containerID", "restartCount")
    ]
