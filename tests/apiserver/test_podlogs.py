"""Which container's log, and why there may be none: in the kubelet's words."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apiserver.podlogs import check_has_log, choose_container


def pod(*names, init=(), annotations=None, **states):
    statuses = [{"name": name, **state} for name, state in states.items()]
    return {
        "metadata": {"name": "web-1", "annotations": annotations or {}},
        "spec": {"containers": [{"name": n} for n in names], "initContainers": [{"name": n} for n in init]},
        "status": {"containerStatuses": statuses},
    }


def refusal(function, *args):
    with pytest.raises(ApiError) as refused:
        function(*args)
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    return refused.value.message


def test_the_only_container_needs_no_name():
    assert choose_container(pod("app"), "") == "app"
    assert choose_container(pod("app", init=("prepare",)), "") == "app"


def test_one_of_several_must_be_named():
    message = refusal(choose_container, pod("app", "log", init=("prepare",)), "")
    assert message == (
        "a container name must be specified for pod web-1, choose one of: [app log]"
        " or one of the init containers: [prepare]"
    )


def test_an_annotation_may_name_the_default():
    annotations = {"kubectl.kubernetes.io/default-container": "log"}
    assert choose_container(pod("app", "log", annotations=annotations), "") == "log"


def test_it_refuses_an_unknown_container_and_lists_the_known():
    message = refusal(choose_container, pod("app", "log"), "x")
    assert message == "container x is not valid for pod web-1, choose one of: [app log]"


def test_a_container_that_has_not_started_has_no_log():
    words = 'container "app" in pod "web-1" is waiting to start: '
    waiting = {"state": {"waiting": {"reason": "ContainerCreating"}}}
    assert refusal(check_has_log, pod("app", app=waiting), "app", False) == words + "ContainerCreating"
    pulling = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
    assert refusal(check_has_log, pod("app", app=pulling), "app", False) == words + "trying and failing to pull image"
    assert refusal(check_has_log, pod("app"), "app", False) == words + "ContainerCreating"


def test_a_crashing_container_shows_its_last_words():
    crashing = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}}
    check_has_log(pod("app", app=crashing), "app", False)
    check_has_log(pod("app", app=crashing), "app", True)


def test_there_is_no_previous_log_of_a_container_that_never_ended():
    running = {"state": {"running": {}}}
    check_has_log(pod("app", app=running), "app", False)
    message = refusal(check_has_log, pod("app", app=running), "app", True)
    assert message == 'previous terminated container "app" in pod "web-1" not found'
