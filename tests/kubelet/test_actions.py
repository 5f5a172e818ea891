import pytest

from lab.kubelet.actions import compute_pod_actions, killing_order
from lab.runtime import Container

from .build import container, exited, pod, running, sandbox


def plan(pod_, box, unhealthy=(), started=None, waits=None):
    return compute_pod_actions(
        pod_,
        box,
        dict.fromkeys(unhealthy, "probe failed"),
        started or {},
        lambda name, dead: (waits or {}).get(name, 0),
    )


def starts(found) -> list[tuple[str, int]]:
    return [(start.container["name"], start.attempt) for start in found.start]


def kills(found) -> list[str]:
    return [kill.target.name for kill in found.kill]


def test_a_new_pod_gets_a_sandbox_and_all_its_containers():
    found = plan(pod([container("a"), container("b")]), None)
    assert found.create_sandbox
    assert starts(found) == [("a", 0), ("b", 0)]


def test_a_pod_that_runs_as_it_should_needs_nothing():
    assert plan(pod(), sandbox(running())).empty


def test_a_dead_sandbox_is_made_anew_with_everything_in_it():
    found = plan(pod(), sandbox(running(), ready=False))
    assert found.create_sandbox
    assert starts(found) == [("web", 1)]


def test_a_vanished_sandbox_is_made_anew_and_the_restart_is_counted():
    lost = pod()
    lost["status"] = {
        "containerStatuses": [{"name": "web", "restartCount": 2, "containerID": "docker://x", "state": {"running": {}}}]
    }
    found = plan(lost, None)
    assert found.create_sandbox
    assert starts(found) == [("web", 3)]


@pytest.mark.parametrize(
    ("policy", "code", "restarted"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_a_dead_container_is_restarted_as_the_policy_says(policy, code, restarted):
    found = plan(pod(restartPolicy=policy), sandbox(exited(code=code)))
    assert starts(found) == ([("web", 1)] if restarted else [])
    assert bool(found.kill_pod) is found.finished is not restarted


def test_a_container_in_back_off_waits():
    found = plan(pod(), sandbox(exited()), waits={"web": 4.0})
    assert starts(found) == []
    assert found.waiting == {"web": 4.0}
    assert not found.finished


def test_one_container_ending_does_not_finish_the_pod_while_another_runs():
    found = plan(
        pod([container("a"), container("b")], restartPolicy="Never"), sandbox(exited("a", code=0), running("b"))
    )
    assert found.empty and not found.finished


def test_an_unhealthy_container_is_killed_and_restarted_only_after_its_death():
    found = plan(pod(), sandbox(running()), unhealthy=["web"])
    assert kills(found) == ["web"]
    assert starts(found) == []


def test_a_new_image_in_the_spec_restarts_just_that_container():
    found = plan(pod([container("a"), {**container("b"), "image": "demo:2"}]), sandbox(running("a"), running("b")))
    assert kills(found) == ["b"]
    assert found.kill[0].message == "Container b definition changed, will be restarted"


def test_a_container_that_was_created_and_could_not_start_is_tried_again_after_a_back_off():
    stuck = Container("x", "web", 0, "created", message="exec: no such file")
    assert plan(pod(), sandbox(stuck), waits={"web": 2}).waiting == {"web": 2}
    assert starts(plan(pod(), sandbox(stuck))) == [("web", 1)]


def test_a_container_that_nobody_came_to_start_is_made_again_without_counting_a_restart():
    between = Container("x", "web", 0, "created")
    assert starts(plan(pod(), sandbox(between))) == [("web", 0)]


def with_inits(*inits, **spec):
    return pod(initContainers=list(inits), **spec)


def test_init_containers_run_one_after_the_other_before_the_main_ones():
    of = with_inits(container("i1"), container("i2"))
    assert starts(plan(of, None)) == [("i1", 0)]
    assert starts(plan(of, sandbox(running("i1")))) == []
    assert starts(plan(of, sandbox(exited("i1", code=0)))) == [("i2", 0)]
    assert starts(plan(of, sandbox(exited("i2", code=0), exited("i1", code=0)))) == [("web", 0)]


def test_a_failed_init_container_is_retried_and_fails_the_pod_only_under_never():
    retried = plan(with_inits(container("i1")), sandbox(exited("i1")))
    assert starts(retried) == [("i1", 1)]
    final = plan(with_inits(container("i1"), restartPolicy="Never"), sandbox(exited("i1")))
    assert final.finished and final.kill_pod == "init container i1 failed"


def test_init_containers_whose_remains_were_collected_are_not_run_again():
    assert plan(with_inits(container("i1")), sandbox(running("web"))).empty


def test_a_sidecar_holds_up_the_rest_until_it_has_started():
    of = with_inits(container("proxy", restartPolicy="Always"))
    assert starts(plan(of, None)) == [("proxy", 0)]
    assert plan(of, sandbox(running("proxy")), started={"proxy": False}).empty
    assert starts(plan(of, sandbox(running("proxy")), started={"proxy": True})) == [("web", 0)]


def test_a_sidecar_that_dies_is_restarted_even_under_never():
    of = with_inits(container("proxy", restartPolicy="Always"), restartPolicy="Never")
    assert starts(plan(of, sandbox(running("web"), exited("proxy", code=0)))) == [("proxy", 1)]


def test_sidecars_end_with_the_last_main_container():
    of = with_inits(container("proxy", restartPolicy="Always"), restartPolicy="OnFailure")
    found = plan(of, sandbox(exited("web", code=0), running("proxy")))
    assert found.kill_pod and found.finished


def test_a_pod_in_a_terminal_phase_is_only_taken_down():
    done = pod()
    done["status"] = {"phase": "Failed"}
    assert plan(done, sandbox(running())).kill_pod
    assert plan(done, None).empty


def test_sidecars_are_killed_last_in_the_reverse_of_their_order():
    of = with_inits(container("i"), container("s1", restartPolicy="Always"), container("s2", restartPolicy="Always"))
    assert killing_order(of) == [["i", "web"], ["s2"], ["s1"]]


def test_the_plan_tells_its_reasons_as_data():
    why = plan(pod(), sandbox(exited(code=137))).as_why()
    assert why["steps"] == [
        {
            "action": "StartContainer",
            "container": "web",
            "attempt": 1,
            "reason": "it ended with exit code 137, restartPolicy is Always",
        }
    ]


def test_a_container_for_debugging_starts_whatever_the_others_do_and_only_once():
    looked_into = pod(initContainers=[container("first")], ephemeralContainers=[container("debugger")])
    box = sandbox(running("first", init=True))
    assert starts(plan(looked_into, box)) == [("debugger", 0)]
    ended = {"name": "debugger", "containerID": "docker://d", "state": {"terminated": {"exitCode": 0}}}
    looked_into["status"] = {"ephemeralContainerStatuses": [ended]}
    assert starts(plan(looked_into, box)) == []
    assert ["web", "debugger"] in [
        sorted(group, reverse=True) for group in killing_order(pod(ephemeralContainers=[container("debugger")]))
    ]
