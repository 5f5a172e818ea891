"""The runtime in memory: everything takes its time, faults come by rule, and no thread waits for any of it."""

import dataclasses
import itertools
import threading
import time

import pytest

from lab.runtime import (
    Container,
    ContainerSpec,
    LogOptions,
    RuntimeEvent,
    RuntimeFailure,
    Sandbox,
    SandboxSpec,
    StillMaking,
)
from lab.runtime.engines import open_runtime
from lab.runtime.simulated.behaviour import PREFIX, WORK_SECONDS, behaviour_of
from lab.runtime.simulated.runtime import SimulatedRuntime
from lab.runtime.stream import hear_out
from tests.labs import wait_until

IMAGE = "orrery/hello:v1"
numbers = itertools.count(2)


@pytest.fixture
def runtime(tmp_path) -> SimulatedRuntime:
    return open_runtime("simulated", "test", tmp_path)


@pytest.fixture
def heard(runtime):
    """Events as a listener hears them."""
    events: list[RuntimeEvent] = []
    stop = threading.Event()
    ear = threading.Thread(target=runtime.listen, args=(events.append, stop.is_set))
    ear.start()
    wait_until("the first relist", lambda: events, 5, 0.01)
    yield events
    stop.set()
    ear.join(20)
    assert not ear.is_alive()


def a_pod(**rules: str) -> SandboxSpec:
    number = next(numbers)
    annotations = {f"{PREFIX}{name.replace('_', '-')}": text for name, text in rules.items()}
    return SandboxSpec(
        "c", "n1", "default", f"p{number}", f"uid-{number}", f"100.64.1.{number}", annotations=annotations
    )


def sandbox(runtime, pod: SandboxSpec) -> str:
    """Asks again when it is told to."""
    while True:
        try:
            return runtime.run_pod_sandbox(pod)
        except StillMaking as wait:
            time.sleep(wait.seconds)


def start(runtime, pod: SandboxSpec, **more) -> str:
    spec = ContainerSpec(**{"name": "main", "image": IMAGE, **more})
    container = runtime.create_container(sandbox(runtime, pod), pod, spec)
    runtime.start_container(container)
    return container


def look(runtime, container: str) -> Container:
    found = [one for pod in runtime.list_pods() for one in pod.containers if one.id == container]
    return found[0]


def ended(runtime, container: str) -> Container:
    return wait_until("its end", lambda: (one := look(runtime, container)).state == "exited" and one, 10, 0.01)


def test_a_sandbox_takes_its_time_and_is_then_the_same_each_time_it_is_asked_for(runtime):
    pod = a_pod()
    with pytest.raises(StillMaking) as wait:
        runtime.run_pod_sandbox(pod)
    assert 0.1 < wait.value.seconds < 0.14
    assert runtime.list_pods() == []
    made = sandbox(runtime, pod)
    assert runtime.run_pod_sandbox(pod) == made
    found = runtime.list_pods()
    assert [(one.id, one.uid, one.ready, one.address) for one in found] == [(made, pod.uid, True, pod.address)]
    assert runtime.list_pod(pod.uid) == found and runtime.list_pod("another") == []


def test_a_thousand_pods_start_at_once_without_a_thread_of_their_own(runtime):
    pods = [a_pod(sandbox="1s", crash_after="1h") for _ in range(1000)]
    threads = threading.active_count()
    for pod in pods:
        with pytest.raises(StillMaking):
            runtime.run_pod_sandbox(pod)
    time.sleep(1.2)
    for pod in pods:
        created = runtime.create_container(runtime.run_pod_sandbox(pod), pod, ContainerSpec("main", IMAGE))
        runtime.start_container(created)
    assert [one.containers[0].state for one in runtime.list_pods()] == ["running"] * 1000
    assert threading.active_count() <= threads  # those of other tests may end meanwhile


def test_a_killed_container_has_exited_and_its_death_is_told(runtime, heard):
    pod = a_pod()
    container = start(runtime, pod)
    runtime.kill_container(container)
    done = look(runtime, container)
    assert (done.state, done.exit_code, done.signal) == ("exited", 137, 9)
    assert done.created_at <= done.started_at <= done.finished_at
    died = wait_until("its death", lambda: next((e for e in heard if e.kind == "died"), None), 5, 0.01)
    assert died == RuntimeEvent("died", pod.uid, container, 137, done.finished_at)


def test_it_crashes_after_its_time_and_no_more_than_it_should(runtime, heard):
    pod = a_pod(crash_after="50ms", exit_code="3", crash_times="1")
    first = start(runtime, pod)
    assert ended(runtime, first).exit_code == 3
    again = start(runtime, pod, attempt=1)
    time.sleep(0.3)
    assert look(runtime, again).state == "running"
    told = [event.kind for event in heard if event.container_id == first]
    assert told == ["started", "died"]


def test_a_container_of_a_job_ends_well_by_itself_unless_it_is_told_to_fail(runtime):
    job = dataclasses.replace(a_pod(work="50ms"), works=True)
    assert ended(runtime, start(runtime, job)).exit_code == 0
    helper = start(runtime, job, name="helper", init=True, sidecar=True)
    assert ended(runtime, start(runtime, dataclasses.replace(a_pod(crash_after="50ms"), works=True))).exit_code == 1
    assert look(runtime, helper).state == "running"
    assert behaviour_of({}, works=True).work == WORK_SECONDS and behaviour_of({}).work is None


def test_a_container_that_runs_out_of_memory_says_so_before_it_dies(runtime, heard):
    container = start(runtime, a_pod(crash_after="10ms", oom="true"))
    done = ended(runtime, container)
    assert (done.exit_code, done.oom_killed) == (137, True)
    wait_until("its death", lambda: "died" in [event.kind for event in heard], 5, 0.01)
    assert [event.kind for event in heard if event.container_id == container] == ["started", "oom", "died"]


def test_an_init_container_ends_by_itself_and_a_sidecar_stays(runtime):
    pod = a_pod(init="50ms")
    first = start(runtime, pod, name="first", init=True)
    sidecar = start(runtime, pod, name="sidecar", init=True, sidecar=True)
    assert ended(runtime, first).exit_code == 0
    time.sleep(0.1)
    assert look(runtime, sidecar).state == "running"


def test_stop_ends_it_in_a_moment_and_kills_the_deaf_when_the_grace_is_over(runtime):
    polite, deaf = start(runtime, a_pod()), start(runtime, a_pod(ignore_term="true"))
    runtime.stop_container(polite, 10)
    assert look(runtime, polite).exit_code == 0
    began = time.monotonic()
    runtime.stop_container(deaf, 0.5)
    assert time.monotonic() - began >= 0.5
    assert look(runtime, deaf).exit_code == 137
    runtime.stop_container(polite, 10)
    runtime.stop_container("gone", 10)


def test_a_kill_ends_the_wait_of_who_is_stopping_it(runtime):
    container = start(runtime, a_pod(ignore_term="true"))
    stopping = threading.Thread(target=runtime.stop_container, args=(container, 60))
    stopping.start()
    runtime.kill_container(container)
    stopping.join(20)
    assert not stopping.is_alive()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("fail_sandbox", "FailedCreatePodSandBox"),
        ("fail_create", "CreateContainerError"),
        ("fail_start", "RunContainerError"),
    ],
)
def test_the_engine_refuses_what_a_rule_says(runtime, rule, reason):
    with pytest.raises(RuntimeFailure) as failure:
        start(runtime, a_pod(**{rule: "no space left on device"}))
    assert (failure.value.reason, failure.value.message) == (reason, "simulated: no space left on device")


def test_probes_hear_no_until_it_is_ready_and_are_told_how_long_that_holds(runtime):
    container = start(runtime, a_pod(ready_after="200ms", jitter="0"))
    early = runtime.probe(container, "readiness")
    assert not early.success and 0.1 < early.holds <= 0.2
    assert not runtime.probe(container, "startup").success
    assert runtime.probe(container, "liveness").success
    time.sleep(early.holds)
    late = runtime.probe(container, "readiness")
    assert late.success and late.holds == float("inf")


def test_readiness_and_health_end_when_a_rule_says_so(runtime):
    container = start(runtime, a_pod(unready_after="100ms", unhealthy_after="300ms", jitter="0"))
    assert [runtime.probe(container, kind).success for kind in ("readiness", "liveness")] == [True, True]
    time.sleep(0.15)
    assert [runtime.probe(container, kind).success for kind in ("readiness", "liveness")] == [False, True]
    time.sleep(0.2)
    assert "simulated: no longer" in runtime.probe(container, "liveness").message


def test_who_does_not_run_answers_no_probe(runtime):
    container = start(runtime, a_pod())
    runtime.kill_container(container)
    assert not runtime.probe(container, "liveness").success
    assert not runtime.probe("gone", "liveness").success


def test_the_demo_that_never_becomes_ready_does_not_here_either(runtime):
    container = start(runtime, a_pod(), image="orrery/hello:broken")
    assert not runtime.probe(container, "readiness").success
    slow = start(runtime, a_pod(), env={"READY_AFTER": "100"})
    assert not runtime.probe(slow, "readiness").success
    assert runtime.probe(slow, "liveness").success


def test_what_it_says_of_itself_is_marked_as_simulated(runtime):
    container = start(runtime, a_pod(exec_code="4"))
    assert runtime.version() == "simulated://1"
    result = hear_out(runtime.exec(container, ["cat", "/etc/hosts"]), 1.0)
    assert (result.exit_code, result.stderr) == (4, b"simulated: nothing ran for 'cat /etc/hosts'\n")
    assert b"".join(runtime.logs(container, LogOptions())) == (
        b"simulated: main (orrery/hello:v1) starts on n1; nothing really runs here\n"
    )


def test_a_log_grows_while_it_runs_and_ends_with_it(runtime):
    container = start(runtime, a_pod(log_every="100ms", crash_after="350ms", jitter="0", exit_code="2"))
    lines = list(runtime.logs(container, LogOptions(follow=True)))
    assert [line.split(b": ")[1] for line in lines[1:]] == [
        b"main has run for 0.1 s\n",
        b"main has run for 0.2 s\n",
        b"main has run for 0.3 s\n",
        b"main ends with exit code 2\n",
    ]
    assert b"".join(runtime.logs(container, LogOptions(tail=2))) == b"".join(lines[-2:])
    assert list(runtime.logs(container, LogOptions(tail=0))) == []
    stamped = list(runtime.logs(container, LogOptions(timestamps=True, since=look(runtime, container).finished_at)))
    assert len(stamped) == 1 and stamped[0].partition(b" ")[2] == lines[-1]
    runtime.remove_container(container)
    with pytest.raises(RuntimeFailure):
        runtime.logs(container, LogOptions())


def test_a_follower_that_waits_can_be_ended_from_another_thread(runtime):
    lines = runtime.logs(start(runtime, a_pod()), LogOptions(follow=True))
    assert next(lines)
    reader = threading.Thread(target=lambda: list(lines))
    reader.start()
    lines.close()
    reader.join(20)
    assert not reader.is_alive()


def test_it_uses_a_fifth_of_what_it_asks_for_or_what_a_rule_says(runtime):
    asked = start(runtime, a_pod(), cpu_request_millis=500)
    told = start(runtime, a_pod(cpu_millis="700", memory_mib="64"))
    before = runtime.stats()
    time.sleep(0.3)
    after = runtime.stats()
    assert 6 < (after[told][0] - before[told][0]) / (after[asked][0] - before[asked][0]) < 8
    assert after[told][1] == 64 << 20


def test_a_stopped_sandbox_takes_its_containers_along_and_a_removed_one_is_gone(runtime):
    pod = a_pod()
    container = start(runtime, pod)
    made = runtime.list_pod(pod.uid)[0].id
    runtime.stop_pod_sandbox(made)
    assert (runtime.list_pod(pod.uid)[0].ready, look(runtime, container).exit_code) == (False, 137)
    with pytest.raises(RuntimeFailure):
        runtime.create_container(made, pod, ContainerSpec("main", IMAGE))
    runtime.remove_pod_sandbox(made)
    runtime.remove_pod_sandbox(made)
    assert runtime.list_pods() == []
    assert sandbox(runtime, pod) != made


def test_an_adopted_pod_goes_on_and_what_was_due_meanwhile_happens_at_once(runtime):
    now = time.time()
    for age, state in ((5, "running"), (60, "exited")):
        pod = a_pod(crash_after="20s", exit_code="6", ready_after="10s", jitter="0")
        told = Container(f"id-{age}", "main", 2, "running", IMAGE, started_at=now - age, created_at=now - age)
        known = Sandbox("box", "c", "n1", "default", pod.name, pod.uid, True, pod.address, now - age, (told,))
        for _ in range(2):
            runtime.adopt(pod, known, {"main": ContainerSpec("main", IMAGE, attempt=2)})
        found = runtime.list_pod(pod.uid)[0].containers[0]
        assert (found.id, found.attempt, found.state) == (f"id-{age}", 2, state)
    assert runtime.probe("id-5", "readiness").holds == pytest.approx(5, abs=0.5)
    done = look(runtime, "id-60")
    assert (done.exit_code, done.finished_at) == (6, pytest.approx(now - 40, abs=0.5))


def test_there_is_room_for_sixteen_thousand_nodes(runtime):
    assert runtime.ensure_network("c") == "100.64.0.0/10"


def test_everything_can_be_removed(runtime):
    pod = a_pod()
    start(runtime, pod)
    assert runtime.remove_everything() == [f"simulated pod default/{pod.name}"]
    assert runtime.list_pods() == [] and runtime.stats() == {}
