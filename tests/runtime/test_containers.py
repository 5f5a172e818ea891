"""A container's life on a real engine: created, running, exited; signalled, killed, looked into, removed."""

import time

import pytest

from lab.runtime import ContainerSpec, RuntimeFailure
from lab.runtime.stream import hear_out
from tests.labs import wait_until

from .conftest import IMAGE

STUBBORN = "trap '' TERM; echo deaf; while true; do sleep 0.1; done"
POLITE = "trap 'echo bye; exit 3' TERM; echo listening; while true; do sleep 0.05; done"


def test_a_container_is_created_then_runs_then_has_exited_with_its_code(bench):
    pod = bench.home
    began = time.time()
    spec = ContainerSpec("main", IMAGE, ("sh", "-c", "sleep 3; exit 7"))
    container = bench.runtime.create_container(pod[1], pod[0], spec)
    assert bench.look(container).state == "created"
    bench.runtime.start_container(container)
    running = bench.look(container)
    assert (running.state, running.name, running.attempt, running.image) == ("running", "main", 0, IMAGE)
    done = bench.ended(container)
    assert (done.exit_code, done.oom_killed) == (7, False)
    assert began - 1 < done.created_at <= done.started_at < done.finished_at < time.time() + 1
    assert done.image_id


def test_command_arguments_environment_and_folder_reach_the_program(bench):
    pod = bench.home
    spec = ContainerSpec(
        "main", IMAGE, ("sh", "-c", 'echo "$GREETING $0 $1 in $(pwd)"'), ("a", "b c"), {"GREETING": "hello"}, "/tmp"
    )
    container = bench.runtime.create_container(pod[1], pod[0], spec)
    bench.runtime.start_container(container)
    bench.ended(container)
    assert bench.output(container) == b"hello a b c in /tmp\n"


def test_an_images_own_environment_gives_way_to_the_pods(bench):
    container = bench.run("echo $VERSION", env={"VERSION": "mine"})
    bench.ended(container)
    assert bench.output(container) == b"mine\n"
    plain = bench.run("echo $VERSION")
    bench.ended(plain)
    assert bench.output(plain) == b"v1\n"


def test_the_hostname_is_the_pods(bench):
    pod = bench.pod("web-7", hostname="web-7")
    container = bench.container(pod, "echo $HOSTNAME")
    bench.ended(container)
    assert bench.output(container) == b"web-7\n"


def test_each_attempt_is_a_container_of_its_own_told_of_newest_first(bench):
    for attempt in range(3):
        bench.ended(bench.container(bench.home, f"exit {attempt}", attempt=attempt))
    found = bench.sandbox(bench.home[0].uid).containers
    assert [(c.attempt, c.exit_code) for c in found] == [(2, 2), (1, 1), (0, 0)]


def test_stop_lets_a_polite_program_finish(bench):
    container = bench.run(POLITE)
    bench.said(container, b"listening")
    bench.runtime.stop_container(container, 10)
    done = bench.look(container)
    assert (done.state, done.exit_code) == ("exited", 3)
    assert bench.output(container).endswith(b"bye\n")


def test_stop_asks_the_first_process_alone(bench):
    container = bench.run("trap 'echo bye; exit 0' TERM; sleep 100 & echo listening; wait; echo woken")
    bench.said(container, b"listening")
    bench.runtime.stop_container(container, 10)
    assert bench.output(container) == b"listening\nbye\n"


def test_stop_kills_the_stubborn_when_the_grace_is_over(bench):
    container = bench.run(STUBBORN)
    bench.said(container, b"deaf")
    began = time.monotonic()
    bench.runtime.stop_container(container, 1)
    assert time.monotonic() - began >= 1
    assert bench.ended(container).exit_code == 137


def test_kill_ends_even_the_stubborn_at_once(bench):
    container = bench.run(STUBBORN)
    bench.said(container, b"deaf")
    bench.runtime.kill_container(container)
    assert bench.ended(container).exit_code == 137


def test_without_any_grace_a_program_is_not_told_to_end_but_ended(bench):
    container = bench.run(POLITE)
    bench.said(container, b"listening")
    bench.runtime.stop_container(container, 0)
    assert bench.look(container).state == "exited"
    assert bench.look(container).exit_code == 137


def test_another_signal_is_for_the_program_to_hear(bench):
    container = bench.run("trap 'echo anew' HUP; echo listening; while true; do sleep 0.05; done")
    bench.said(container, b"listening")
    bench.runtime.kill_container(container, "HUP")
    bench.said(container, b"anew")
    assert bench.look(container).state == "running"


def test_to_stop_kill_or_remove_what_is_gone_succeeds(bench):
    container = bench.run("exit 0")
    bench.ended(container)
    bench.runtime.stop_container(container, 1)
    bench.runtime.kill_container(container)
    for _ in range(2):
        bench.runtime.remove_container(container)
    bench.runtime.stop_container(container, 1)
    bench.runtime.kill_container(container)
    assert bench.look(container) is None


def test_removing_a_running_container_ends_it(bench):
    container = bench.container(bench.home, STUBBORN)
    bench.runtime.remove_container(container)
    home = bench.sandbox(bench.home[0].uid)
    assert home.ready and home.containers == ()


def test_to_create_a_container_again_replaces_the_one_whose_answer_was_lost(bench):
    pod, spec = bench.home, ContainerSpec("main", IMAGE, ("sleep", "100"))
    first = bench.runtime.create_container(pod[1], pod[0], spec)
    second = bench.runtime.create_container(pod[1], pod[0], spec)
    bench.runtime.start_container(second)
    assert [c.id for c in bench.sandbox(pod[0].uid).containers] == [second] != [first]


def test_a_program_that_is_not_there_is_told_of_in_the_engines_words(bench):
    pod = bench.home
    container = bench.runtime.create_container(pod[1], pod[0], ContainerSpec("main", IMAGE, ("/no/such/program",)))
    with pytest.raises(RuntimeFailure) as refused:
        bench.runtime.start_container(container)
    assert refused.value.reason == "RunContainerError"
    assert "no such file or directory" in refused.value.message.lower()
    assert bench.look(container).state == "exited"


def test_exec_gives_output_errors_and_exit_code(bench):
    container = bench.run("sleep 100", env={"WHO": "world"})
    done = hear_out(bench.runtime.exec(container, ["sh", "-c", "echo hello $WHO; echo oops >&2; exit 4"]), 5)
    assert (done.exit_code, done.stdout, done.stderr) == (4, b"hello world\n", b"oops\n")


def test_exec_of_what_is_not_there_fails_as_in_a_shell(bench):
    container = bench.run("sleep 100")
    done = hear_out(bench.runtime.exec(container, ["no-such-program"]), 5)
    assert done.exit_code in (126, 127)


def test_exec_that_takes_too_long_is_ended(bench):
    container = bench.run("sleep 100")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        hear_out(bench.runtime.exec(container, ["sleep", "60"]), 0.5)
    assert time.monotonic() - began < 30
    assert bench.look(container).state == "running"


def test_exec_in_a_dead_container_is_refused(bench):
    container = bench.run("exit 0")
    bench.ended(container)
    with pytest.raises(RuntimeFailure):
        hear_out(bench.runtime.exec(container, ["true"]), 5)


def test_a_program_that_takes_more_memory_than_its_limit_is_killed_for_it(bench):
    eat = "python3 -c 'import time; time.sleep(1); x = b\"x\" * (200 << 20); time.sleep(30)'"
    container = bench.run(eat, memory_limit_bytes=64 << 20)
    done = bench.ended(container, 15)
    assert (done.exit_code, done.oom_killed) == (137, True)


def test_usage_is_told_of_what_runs(bench):
    container = bench.run("while true; do :; done")
    wait_until("some CPU used", lambda: bench.runtime.stats().get(container, (0, 0))[0] > 0)
    nanoseconds, resident = bench.runtime.stats()[container]
    assert 0 < resident < 64 << 20
    bench.runtime.kill_container(container)
    bench.ended(container)
    assert container not in bench.runtime.stats()
