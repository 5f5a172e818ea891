"""How containers live and end: restart policies, back-off, probes, hooks, and the grace they are given."""

import threading
import time
import urllib.request

from .stage import (
    command,
    condition_of,
    container,
    ended_of,
    forever,
    phase_of,
    pod,
    probe,
    state_of,
    status_of,
)

# A folder of the container's own on either runtime: a process has no root filesystem of its own.
FOLDER = "${TMPDIR:-/tmp}"
SERVE = f"cd {FOLDER}; python3 -m http.server --bind ${{ADDRESS:-0.0.0.0}} 8080 2>&1 &"
REMOVE = "python3 -c 'import os; os.remove(\"mark\")'"
READY = {"httpGet": {"path": "/readyz", "port": 8080}}
SLOW_START = {"env": [{"name": "READY_AFTER", "value": "3"}]}
DEAF = "trap '' TERM; echo up; while true; do sleep 0.2; done"

PODS = [
    pod("never-1", container("main", "exit 3"), restartPolicy="Never"),
    pod("crash-loop", container("main", "echo try; exit 1")),
    pod("http-dead", container("main", livenessProbe=probe(httpGet={"path": "/nothing", "port": 8080}))),
    pod("tcp-dead", container("main", livenessProbe=probe(failures=2, tcpSocket={"port": 9}))),
    pod("exec-dead", container("main", forever("echo up"), livenessProbe=probe(**command("echo no; exit 1")))),
    pod(
        "toggling",
        container(
            "main",
            f"{SERVE} sleep 2; echo > mark; sleep 3; {REMOVE}; sleep 3; echo > mark; wait",
            readinessProbe=probe(httpGet={"path": "/mark", "port": 8080}),
        ),
    ),
    pod(
        "slow-start",
        container("main", startupProbe=probe(failures=30, **READY), livenessProbe=probe(**READY), **SLOW_START),
    ),
    pod("hook-fails", container("main", forever("echo up"), lifecycle={"postStart": command("echo why; exit 1")})),
    pod(
        "polite",
        container(
            "main",
            f"trap 'cat {FOLDER}/mark; echo bye; exit 0' TERM; echo up; while true; do sleep 0.2; done",
            lifecycle={"preStop": command(f"echo before >> {FOLDER}/mark")},
        ),
        terminationGracePeriodSeconds=20,
    ),
    pod("stubborn", container("main", DEAF)),
    pod("hurried", container("main", DEAF), terminationGracePeriodSeconds=60),
]
# What follows is decided by the kubelet alone, whatever the engine.
PROCESS_PODS = [
    pod("never-0", container("main", "echo fine"), restartPolicy="Never"),
    pod("never-both", container("main", "exit 0"), container("other", "sleep 0.5; exit 1"), restartPolicy="Never"),
    pod("on-failure-0", container("main", "exit 0"), restartPolicy="OnFailure"),
    pod("on-failure-1", container("main", "exit 1"), restartPolicy="OnFailure"),
    pod("init-fails", container("main"), initContainers=[container("setup", "exit 2")], restartPolicy="Never"),
    pod("always-0", container("main", "exit 0")),
    pod(
        "named-port",
        container(
            "main",
            ports=[{"name": "http", "containerPort": 8080}],
            livenessProbe=probe(httpGet={"path": "/healthz", "port": "http"}),
            readinessProbe=probe(tcpSocket={"port": "http"}),
        ),
    ),
    pod("too-slow", container("main", startupProbe=probe(failures=1, **READY), **SLOW_START)),
    pod("hooked", container("main", forever("echo up"), lifecycle={"postStart": command("sleep 0.5; echo done")})),
]


def phase(stage, name: str, wanted: str) -> dict:
    return stage.wait(name, wanted, lambda seen: phase_of(seen) == wanted)[0]


def test_under_never_a_pod_fails_with_its_container(stage):
    failed = phase(stage, "never-1", "Failed")
    assert (ended_of(failed)["exitCode"], ended_of(failed)["reason"]) == (3, "Error")
    assert status_of(failed)["restartCount"] == 0


def test_under_never_a_pod_succeeds_only_with_all_its_containers(process_stage):
    assert ended_of(phase(process_stage, "never-0", "Succeeded"))["reason"] == "Completed"
    assert ended_of(phase(process_stage, "never-both", "Failed"), "other")["exitCode"] == 1
    assert "Succeeded" not in map(phase_of, process_stage.history("never-both"))


def test_a_pod_is_ended_when_its_time_is_over(stage):
    stage.create(
        pod("late", container("main", forever("echo up")), activeDeadlineSeconds=2, terminationGracePeriodSeconds=1)
    )
    ended = stage.wait("late", "failed", lambda seen: phase_of(seen) == "Failed")[0]["status"]
    assert (ended["reason"], ended["message"]) == (
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
    )
    stage.wait("late", "its container to end", lambda seen: state_of(seen) == "terminated")


def test_on_failure_restarts_what_failed_and_only_that(process_stage):
    assert status_of(phase(process_stage, "on-failure-0", "Succeeded"))["restartCount"] == 0
    process_stage.wait("on-failure-1", "a restart", lambda seen: status_of(seen).get("restartCount", 0) >= 1)
    assert {"Succeeded", "Failed"}.isdisjoint(map(phase_of, process_stage.history("on-failure-1")))


def test_a_failed_init_container_fails_the_pod_under_never(process_stage):
    failed = phase(process_stage, "init-fails", "Failed")
    assert ended_of(failed, "setup")["exitCode"] == 2
    assert all(state_of(seen) != "running" for seen in process_stage.history("init-fails"))


def waits(message: str):
    return lambda seen: message in status_of(seen).get("state", {}).get("waiting", {}).get("message", "")


def test_a_crash_loop_waits_longer_each_time_and_says_so(stage):
    first, second, third = stage.wait(
        "crash-loop", "growing waits", *map(waits, ("back-off 2s", "back-off 4s", "back-off 8s"))
    )
    assert [status_of(seen)["restartCount"] for seen in (first, second, third)] == [1, 2, 3]
    assert state_of(first) == "CrashLoopBackOff" and phase_of(first) == "Running"
    assert ended_of(first)["exitCode"] == 1
    stage.told("crash-loop", "BackOff", "Back-off restarting failed container main in pod crash-loop_")


def test_what_ends_well_under_always_is_restarted_too(process_stage):
    seen = process_stage.wait("always-0", "a back-off", lambda seen: state_of(seen) == "CrashLoopBackOff")[0]
    assert ended_of(seen)["reason"] == "Completed"


def test_liveness_failures_restart_the_container_in_kubernetes_words(stage):
    for name, words in {
        "http-dead": "Liveness probe failed: HTTP probe failed with statuscode: 404",
        "tcp-dead": ":9: connect: connection refused",
        "exec-dead": "Liveness probe failed: no",
    }.items():
        stage.wait(name, "a restart", lambda seen: status_of(seen).get("restartCount", 0) >= 1)
        stage.told(name, "Unhealthy", words)
        stage.told(name, "Killing", "Container main failed liveness probe, will be restarted")


def test_probes_find_ports_by_name(process_stage):
    assert status_of(process_stage.ready("named-port"))["restartCount"] == 0


def test_readiness_comes_and_goes_without_a_restart(stage):
    ready, unready, again = stage.wait(
        "toggling",
        "ready, not ready, ready",
        *(lambda seen, value=value: condition_of(seen) == value for value in ("True", "False", "True")),
    )
    assert condition_of(unready, "ContainersReady") == "False" and state_of(unready) == "running"
    assert status_of(again)["restartCount"] == 0


def test_a_startup_probe_holds_the_others_back(stage):
    before, after = stage.wait(
        "slow-start",
        "not started, then started",
        lambda seen: state_of(seen) == "running" and not status_of(seen)["started"],
        lambda seen: state_of(seen) == "running" and status_of(seen)["started"],
    )
    assert (condition_of(before), condition_of(after)) == ("False", "True")
    assert status_of(after)["restartCount"] == 0  # the liveness probe would have failed at once


def test_a_startup_probe_that_fails_for_good_restarts_the_container(process_stage):
    process_stage.wait("too-slow", "a restart", lambda seen: status_of(seen).get("restartCount", 0) >= 1)
    process_stage.told("too-slow", "Killing", "Container main failed startup probe, will be restarted")


def test_a_container_has_started_only_once_its_post_start_hook_is_done(process_stage):
    process_stage.ready("hooked")
    assert status_of(process_stage.now("hooked"))["restartCount"] == 0


def test_a_failed_post_start_hook_ends_the_container(stage):
    stage.wait("hook-fails", "a restart", lambda seen: status_of(seen).get("restartCount", 0) >= 1)
    stage.told("hook-fails", "FailedPostStartHook", "why")


def test_a_deleted_pod_hears_its_hook_then_term_and_says_goodbye(stage):
    stage.said("polite", "up")
    lines: list[str] = []
    address = f"{stage.lab.address}/clusters/default{stage.path}/pods/polite/log?follow=true"
    follower = threading.Thread(target=lambda: lines.extend(urllib.request.urlopen(address, timeout=60)))
    follower.start()
    time.sleep(0.3)
    stage.delete("polite")
    stage.gone("polite")
    follower.join(10)
    assert [line.decode() for line in lines] == ["up\n", "before\n", "bye\n"]
    last = stage.history("polite")[-1]
    assert (phase_of(last), ended_of(last)["exitCode"]) == ("Succeeded", 0)


def test_what_does_not_heed_term_is_killed_when_its_grace_is_over(stage):
    stage.said("stubborn", "up")
    began = time.monotonic()
    stage.delete("stubborn")
    assert stage.gone("stubborn") - began >= 2
    last = stage.history("stubborn")[-1]
    assert (phase_of(last), ended_of(last)["exitCode"]) == ("Failed", 137)


def test_a_grace_can_be_shortened_while_it_lasts(stage):
    stage.said("hurried", "up")
    began = time.monotonic()
    stage.delete("hurried")
    time.sleep(0.5)
    stage.delete("hurried", gracePeriodSeconds=1)
    assert 1 <= stage.gone("hurried") - began < 25
