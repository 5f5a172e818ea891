"""Talking to a process in a container, a command of one's own or the container's, on a real engine."""

import secrets
import threading

import pytest

from lab.runtime import RuntimeFailure
from lab.runtime.stream import STDERR, STDOUT, hear_out
from tests.labs import wait_until

ECHO = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
ANSWER = "echo up; while read line; do echo heard $line; done; exit 5"


def heard(stream, words: bytes) -> bytes:
    """What it says until it has said this."""
    said = b""
    while words not in said:
        piece = stream.read()
        assert piece, said
        said += piece[1]
    return said


def test_what_is_written_to_a_command_comes_back_to_the_last_byte(bench):
    stream = bench.runtime.exec(bench.run("sleep 100"), ["python3", "-c", ECHO], stdin=True)
    noise = secrets.token_bytes(1_000_000)

    def write() -> None:
        for at in range(0, len(noise), 7777):
            stream.write(noise[at : at + 7777])
        stream.end_input()

    threading.Thread(target=write).start()
    done = hear_out(stream, 60)
    assert (done.exit_code, done.stdout) == (0, noise)


def test_output_and_errors_are_told_apart_but_not_on_a_terminal(bench):
    container, script = bench.run("sleep 100"), ["sh", "-c", "echo out; echo err >&2; exit 9"]
    done = hear_out(bench.runtime.exec(container, script), 30)
    assert (done.exit_code, done.stdout, done.stderr) == (9, b"out\n", b"err\n")
    done = hear_out(bench.runtime.exec(container, script, tty=True), 30)
    assert (done.exit_code, done.stdout, done.stderr) == (9, b"out\r\nerr\r\n", b"")


def test_a_terminal_can_be_resized_and_ctrl_c_reaches_the_command(bench):
    script = "import os, time; input('ready'); print(os.get_terminal_size(), 'again', flush=True); time.sleep(100)"
    stream = bench.runtime.exec(bench.run("sleep 100"), ["python3", "-c", script], stdin=True, tty=True)
    heard(stream, b"ready")
    stream.resize(99, 44)
    stream.write(b"\n")
    assert b"columns=99, lines=44" in heard(stream, b"again")
    stream.write(b"\x03")
    assert b"KeyboardInterrupt" in hear_out(stream, 30).stdout


def test_to_hang_up_ends_a_command_and_wakes_who_waits_for_it(bench):
    container, other = bench.run("sleep 100"), []
    script = "echo begun; while true; do echo x >> $0; sleep 0.05; done"
    file = f"/tmp/orrery-{secrets.token_hex(4)}"
    stream = bench.runtime.exec(container, ["sh", "-c", script, file], stdin=True)
    assert stream.read() == (STDOUT, b"begun\n")
    reader = threading.Thread(target=lambda: other.append(stream.read()))
    writer = threading.Thread(target=lambda: [stream.write(b"x" * 65536) for _ in range(100)])
    for thread in (reader, writer):
        thread.start()
    stream.close()
    stream.close()
    for thread in (reader, writer):
        thread.join(30)
        assert not thread.is_alive()
    assert other == [None]
    sizes = []

    def size() -> bool:
        count = f"n=0; while read x; do n=$((n+1)); done < {file}; echo $n"
        sizes.append(int(hear_out(bench.runtime.exec(container, ["sh", "-c", count]), 30).stdout))
        return len(sizes) > 1 and sizes[-1] == sizes[-2]

    wait_until("its last line", size, step=0.3)


def test_a_command_ends_with_its_container(bench):
    container = bench.run("sleep 100")
    stream = bench.runtime.exec(container, ["sh", "-c", "echo begun; sleep 100"])
    assert stream.read() == (STDOUT, b"begun\n")
    bench.runtime.kill_container(container)
    assert stream.read() is None
    stream.close()


def test_who_attaches_talks_to_the_container_itself(bench):
    container = bench.run(ANSWER, stdin=True, stdin_once=True)
    bench.said(container, b"up")
    stream = bench.runtime.attach(container, stdin=True)
    stream.write(b"one\n")
    assert heard(stream, b"\n") == b"heard one\n"
    stream.end_input()
    assert stream.read() is None
    stream.close()
    assert bench.ended(container).exit_code == 5
    assert b"heard one\n" in bench.output(container)


def test_who_attaches_may_come_and_go_and_others_go_on(bench):
    container = bench.run(ANSWER, stdin=True)
    first, second = (bench.runtime.attach(container, stdin=True) for _ in range(2))
    first.write(b"one\n")
    assert all(b"heard one" in heard(stream, b"one\n") for stream in (first, second))
    first.close()
    second.write(b"two\n")
    assert heard(second, b"two\n") == b"heard two\n"
    second.close()
    assert bench.look(container).state == "running"


def test_a_containers_own_terminal_is_attached_to(bench):
    container = bench.run("read line; echo got $line; exit 6", stdin=True, tty=True)
    stream = bench.runtime.attach(container, stdin=True)
    stream.write(b"it\n")
    assert b"got it\r\n" in heard(stream, b"got it\r\n")
    stream.close()
    assert bench.ended(container).exit_code == 6


def test_nobody_talks_to_what_has_ended(bench):
    container = bench.run("exit 0")
    bench.ended(container)
    with pytest.raises(RuntimeFailure):
        bench.runtime.attach(container)
    with pytest.raises(RuntimeFailure):
        hear_out(bench.runtime.exec(container, ["true"]), 30)


def test_errors_of_a_command_that_says_a_lot_are_all_told(bench):
    script = "import sys; [print('x' * 99, file=sys.stderr) for _ in range(5000)]"
    stream, told = bench.runtime.exec(bench.run("sleep 100"), ["python3", "-c", script]), 0
    while piece := stream.read():
        assert piece[0] == STDERR
        told += len(piece[1])
    assert (told, stream.exit_code()) == (500_000, 0)
    stream.close()
