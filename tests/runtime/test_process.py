"""What only local processes have: an engine of our own that must leave none of them behind, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.runtime import RuntimeFailure
from lab.runtime.process import place
from lab.runtime.process.runtime import ProcessRuntime
from tests.labs import HOME, is_alive, wait_until

from .conftest import IMAGE, Bench, Heard


@pytest.fixture
def own(tmp_path) -> Bench:
    bench = Bench(ProcessRuntime("own", tmp_path))
    yield bench
    bench.runtime.remove_everything()


def pid_said(bench: Bench, container: str) -> int:
    return int(bench.said(container, b"\n").split()[0])


def engine_pid(data_dir: Path) -> int:
    """Who holds the lock of the engine."""
    lock = place.folder(data_dir) / "lock"
    inode = f":{lock.stat().st_ino} "
    held = next(line for line in Path("/proc/locks").read_text().splitlines() if inode in line)
    return int(held.split()[4])


def test_a_kill_ends_all_that_the_container_had_started(process_bench):
    container = process_bench.run("sleep 1000 & echo $!; wait")
    child = pid_said(process_bench, container)
    process_bench.runtime.kill_container(container)
    process_bench.ended(container)
    wait_until("the child's end", lambda: not is_alive(child), 5, 0.01)


def test_a_container_that_ends_by_itself_takes_its_children_along(process_bench):
    container = process_bench.run("sleep 1000 & echo $!; exit 0")
    child = pid_said(process_bench, container)
    assert process_bench.ended(container).exit_code == 0
    wait_until("the child's end", lambda: not is_alive(child), 5, 0.01)


def test_no_process_outlives_a_killed_engine(own, tmp_path):
    container = own.run("sleep 1000 & echo $!; echo $$; wait")
    own.said(container, b"\n")
    main = own.runtime._engine.call("pids")[container]
    os.kill(engine_pid(tmp_path), signal.SIGKILL)
    wait_until("the container's end", lambda: not is_alive(main), 5, 0.01)


def test_an_engine_that_was_killed_is_started_again_empty_and_says_so(own, tmp_path):
    heard = Heard(own.runtime)
    try:
        own.run("sleep 1000")
        os.kill(engine_pid(tmp_path), signal.SIGKILL)
        wait_until("a second relist", lambda: sum(event.kind == "relist" for event in heard.events) == 2, 10)
        assert own.runtime.list_pods() == []
        pod = own.pod(address=own.home[0].address)
        assert own.sandbox(pod[0].uid).ready
    finally:
        heard.stop()


def test_an_engine_with_a_supervisor_ends_with_it(tmp_path):
    script = (
        "import subprocess, sys, time; "
        f"subprocess.Popen([sys.executable, '-m', 'lab.runtime.process.engine', {str(tmp_path)!r}]); time.sleep(100)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=HOME)
    wait_until("the engine's socket", place.socket_path(tmp_path).exists, 10, 0.02)
    Bench(ProcessRuntime("own", tmp_path))
    engine = engine_pid(tmp_path)
    supervisor.kill()
    supervisor.wait()
    wait_until("the engine's end", lambda: not is_alive(engine), 5, 0.02)


def test_two_labs_have_engines_and_addresses_of_their_own(own, process_bench, tmp_path):
    assert own.range != process_bench.range
    kept = process_bench.run("sleep 1000")
    own.runtime.remove_everything()
    assert process_bench.look(kept).state == "running"


def test_only_the_demos_can_be_run_and_the_refusal_names_them(process_bench):
    with pytest.raises(RuntimeFailure) as refused:
        process_bench.runtime.images.pull("nginx:1.27")
    assert refused.value.reason == "ErrImagePull"
    assert IMAGE in refused.value.message and "install Docker" in refused.value.message


def test_memory_counts_for_all_that_a_container_has_started(process_bench):
    eat = "python3 -c 'x = b\"x\" * (200 << 20); import time; time.sleep(30)' & wait"
    container = process_bench.run(eat, memory_limit_bytes=64 << 20)
    assert process_bench.ended(container, 15).oom_killed


def test_a_container_that_is_removed_while_it_speaks_takes_nobody_along(process_bench):
    pod = process_bench.home
    for _ in range(300):
        process_bench.runtime.remove_container(process_bench.container(pod, "echo said; while :; do sleep 1; done"))
    assert process_bench.sandbox(pod[0].uid).ready


def test_a_flood_of_output_neither_stops_the_engine_nor_fills_the_disk(process_bench):
    container = process_bench.run("yes flood")
    folder = Path(process_bench.runtime._engine.call("describe", container_id=container)["folder"])
    wait_until("megabytes", (folder / "0.log.1").exists, 20)
    assert process_bench.runtime.list_pods()
    assert process_bench.output(container, tail=3) == b"flood\n" * 3
    assert sum(path.stat().st_size for path in folder.glob("*.log*")) < 12 << 20
    process_bench.runtime.kill_container(container)
    process_bench.ended(container)


def test_a_request_that_brings_other_files_than_it_needs_is_refused_and_harms_nobody(process_bench):
    container = process_bench.run("sleep 1000")
    engine = process_bench.runtime._engine
    with open(os.devnull, "rb") as one:
        asked = engine.ask("exec", [one.fileno()], container_id=container, command=["true"], tty=False)
    with pytest.raises(RuntimeFailure, match="ValueError"):
        asked.result()
    assert process_bench.look(container).state == "running"


def test_an_image_that_is_not_there_has_no_layers(process_bench):
    assert process_bench.runtime.images.layers("orrery/hello:never") == []
