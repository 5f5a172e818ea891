"""Why a pod is as it is, in sentences."""

from django.conf import settings

from lab.apimachinery.budgets import Budget
from lab.apimachinery.meta import parse_time
from lab.apimachinery.selectors import EVERYTHING
from lab.dashboard.drain import checklist
from lab.dashboard.waits import shortened, span
from lab.dashboard.why import explain_pod

from .build import a_deployment, a_pod, a_replicaset, crashed, leaving, ready, with_spec, with_status

NOW = parse_time("2026-05-20T10:00:30Z")
SET = a_replicaset(a_deployment())


def test_a_crash_loop_says_how_it_ended_how_long_it_lived_and_when_it_is_tried_again():
    said = " ".join(explain_pod(crashed(a_pod(node="node-a")), NOW))
    assert "ended with exit code 3, 18s after it started, restarted 4 times so far" in said
    assert "next try in 30 s" in said


def test_a_pod_that_waits_for_a_node_says_what_the_scheduler_said():
    conditions = [
        {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient cpu."}
    ]
    assert "3 Insufficient cpu" in explain_pod(with_status(a_pod(), conditions=conditions), NOW)[0]
    assert "has not seen it yet" in explain_pod(a_pod(), NOW)[0]


def test_a_healthy_pod_says_since_when_and_where_it_answers():
    assert explain_pod(ready(a_pod(node="node-a")), NOW) == [
        "All its containers run and are ready for 25s. It answers at 10.1.1.2."
    ]


def test_an_image_that_cannot_be_had_is_named_with_its_error():
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    pod = with_status(a_pod(node="node-a"), containerStatuses=[{"name": "web", "state": waiting, "ready": False}])
    assert "The image of web cannot be had: no such image" in explain_pod(pod, NOW)


def test_a_pod_on_its_way_out_says_so():
    assert "asked to leave" in explain_pod(leaving(ready(a_pod(node="node-a"))), NOW)[-1]


def test_a_drain_lists_first_what_stands_in_its_way():
    alone = a_pod("alone", node="node-a")
    data = with_spec(a_pod("data", SET, "node-a"), volumes=[{"emptyDir": {}}])
    moving, going = a_pod("moving", SET, "node-a"), leaving(a_pod("going", SET, "node-a"))
    over = with_status(a_pod("over", node="node-a"), phase="Succeeded")
    daemon = a_pod("daemon", {**SET, "kind": "DaemonSet"}, "node-a")
    items = checklist([moving, daemon, over, going, alone, data])
    assert [(item.name, item.fate) for item in items] == [
        ("alone", "blocks"),
        ("data", "blocks"),
        ("going", "leaving"),
        ("moving", "moves"),
        ("over", "moves"),
        ("daemon", "stays"),
    ]


def test_a_drain_says_whom_a_disruption_budget_keeps_for_now():
    pods = [a_pod(name, SET, "node-a") for name in ("first", "second")]
    budget = Budget("default/web", "default", EVERYTHING, 1, frozenset())
    first, second = checklist(pods, [budget])
    assert (first.fate, second.fate) == ("moves", "moves")
    assert "budget" not in first.reason
    assert second.reason.endswith("makes another elsewhere, once its disruption budget default/web allows it")


def test_short_waits_are_told_beside_kubernetes_own():
    there = settings.KUBERNETES_CLOCK
    said = shortened({**there, "node_grace": 8.0}, there)
    assert said == [{"words": "a silent node counts as lost after", "here": "8 s", "there": "40 s"}]
    assert span(300) == "5 min"
