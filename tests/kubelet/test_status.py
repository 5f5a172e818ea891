import dataclasses

import pytest

from lab.kubelet.status import Observed, Verdict, Waiting, pod_status

from .build import container, exited, pod, running, sandbox


def status(pod_, box=None, **seen) -> dict:
    return pod_status(pod_, Observed("docker", "172.17.0.1", box, **seen))


def conditions(found) -> dict[str, str]:
    return {c["type"]: c["status"] for c in found["conditions"]}


def test_a_bound_pod_without_containers_is_pending_and_creating():
    found = status(pod())
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert conditions(found) == {
        "PodReadyToStartContainers": "False", "Initialized": "True", "Ready": "False", "ContainersReady": "False",
        "PodScheduled": "True",
    }  # fmt: skip


def test_a_running_pod_without_probes_is_ready():
    found = status(pod(), sandbox(running(image_id="sha256:1")))
    assert found["phase"] == "Running"
    assert found["podIPs"] == [{"ip": "10.1.1.2"}]
    assert found["containerStatuses"] == [
        {
            "name": "web", "state": {"running": {"startedAt": "1970-01-01T00:16:40Z"}}, "lastState": {}, "ready": True,
            "restartCount": 0, "image": "demo:1", "imageID": "sha256:1", "started": True,
            "containerID": "docker://web-0",
        }
    ]  # fmt: skip
    assert set(conditions(found).values()) == {"True"}


def test_an_unready_container_makes_the_pod_unready_and_is_named():
    found = status(pod(), sandbox(running()), verdicts={"web": Verdict(started=True, ready=False)})
    ready = next(c for c in found["conditions"] if c["type"] == "Ready")
    assert (found["phase"], ready["status"], ready["reason"]) == ("Running", "False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [web]"


def test_a_crash_loop_shows_the_wait_and_the_last_end():
    looping = Waiting("CrashLoopBackOff", "back-off 4s restarting failed container=web pod=web_default(0a1b)")
    found = status(pod(), sandbox(exited(attempt=3), exited(attempt=2)), waiting={"web": looping})
    entry = found["containerStatuses"][0]
    assert entry["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert entry["lastState"]["terminated"]["exitCode"] == 1
    assert entry["restartCount"] == 3
    assert found["phase"] == "Running"


@pytest.mark.parametrize(
    ("end", "reason"),
    [({"code": 0}, "Completed"), ({"code": 2}, "Error"), ({"code": 137, "oom_killed": True}, "OOMKilled")],
)
def test_the_reason_of_an_end_is_kubernetes_word_for_it(end, reason):
    found = status(pod(), sandbox(exited(**end)))
    assert found["containerStatuses"][0]["state"]["terminated"]["reason"] == reason


def test_a_restarted_container_remembers_how_it_ended_before():
    found = status(pod(), sandbox(running(attempt=1), exited(attempt=0, code=137, signal=9)))
    last = found["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["exitCode"], last["signal"], last["containerID"]) == (137, 9, "docker://web-0")


@pytest.mark.parametrize(
    ("policy", "codes", "phase"),
    [
        ("Never", [0, 0], "Succeeded"), ("Never", [0, 1], "Failed"), ("OnFailure", [0, 0], "Succeeded"),
        ("OnFailure", [0, 1], "Running"), ("Always", [0, 0], "Running"),
    ],
)  # fmt: skip
def test_the_phase_of_ended_containers_depends_on_the_restart_policy(policy, codes, phase):
    names = ["a", "b"]
    of = pod([container(n) for n in names], restartPolicy=policy)
    box = sandbox(*(exited(n, code=code) for n, code in zip(names, codes, strict=True)))
    assert status(of, box)["phase"] == phase


def test_a_stopped_pod_is_failed_or_succeeded_whatever_its_policy():
    assert status(pod(), sandbox(exited(code=0)), finished=True)["phase"] == "Succeeded"
    assert status(pod(), sandbox(exited(code=137)), finished=True)["phase"] == "Failed"
    assert status(pod(), None, finished=True)["phase"] == "Failed"


def test_a_terminal_phase_is_final():
    done = pod()
    done["status"] = {"phase": "Succeeded"}
    assert status(done, sandbox(running()))["phase"] == "Succeeded"


def test_a_pod_stays_pending_while_its_init_containers_run():
    of = pod(initContainers=[container("i1"), container("i2")])
    found = status(of, sandbox(running("i2"), exited("i1", code=0)))
    assert found["phase"] == "Pending"
    assert [entry["ready"] for entry in found["initContainerStatuses"]] == [True, False]
    initialized = next(c for c in found["conditions"] if c["type"] == "Initialized")
    assert initialized["message"] == "containers with incomplete status: [i2]"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_failed_init_container_fails_the_pod_under_never():
    of = pod(initContainers=[container("i1")], restartPolicy="Never")
    assert status(of, sandbox(exited("i1")))["phase"] == "Failed"


def test_a_sidecar_counts_for_readiness():
    of = pod(initContainers=[container("proxy", restartPolicy="Always")])
    verdicts = {"proxy": Verdict(started=True, ready=False)}
    found = status(of, sandbox(running(), running("proxy")), verdicts=verdicts)
    assert found["phase"] == "Running"
    assert conditions(found)["Ready"] == "False"


def test_a_container_removed_behind_our_back_is_remembered_as_lost():
    before = pod()
    before["status"] = status(before, sandbox(running(attempt=1)))
    entry = status(before, sandbox())["containerStatuses"][0]
    assert entry["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
    assert entry["lastState"]["terminated"]["exitCode"] == 137
    assert entry["restartCount"] == 1


def test_a_readiness_gate_that_nobody_opened_keeps_the_pod_unready():
    of = pod(readinessGates=[{"conditionType": "example.com/lb"}])
    assert conditions(status(of, sandbox(running())))["Ready"] == "False"
    of["status"] = {"conditions": [{"type": "example.com/lb", "status": "True"}]}
    found = status(of, sandbox(running()))
    assert conditions(found)["Ready"] == "True"
    assert found["conditions"][-1]["type"] == "example.com/lb"


def test_a_transition_time_moves_only_with_its_status():
    of = pod()
    of["status"] = status(of, sandbox(running()))
    for condition in of["status"]["conditions"]:
        condition["lastTransitionTime"] = "2020-01-01T00:00:00Z"
    later = status(of, sandbox(running()), verdicts={"web": Verdict(ready=False)})
    moved = {c["type"] for c in later["conditions"] if c["lastTransitionTime"] != "2020-01-01T00:00:00Z"}
    assert moved == {"Ready", "ContainersReady"}


def test_looking_again_at_the_same_pod_gives_the_same_status():
    of = pod(initContainers=[container("i")])
    box = sandbox(running(), exited("i", code=0))
    of["status"] = status(of, box)
    assert status(of, box) == of["status"]


def test_a_container_that_could_not_be_run_says_so():
    stuck = dataclasses.replace(running(), state="created", message="no such file", started_at=0.0)
    ended = status(pod(), sandbox(stuck))["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"], ended["message"]) == ("StartError", 128, "no such file")
