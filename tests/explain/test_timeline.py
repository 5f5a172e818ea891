"""The moments on the time line."""

import dataclasses

import pytest

from lab.explain.timeline import MOST, mark_of, thinned
from lab.store import Row
from tests.dashboard.build import a_deployment, a_node, a_pod, a_replicaset, change, leaving, with_status


def said(
    obj: dict, old: dict | None = None, author: str = "kubectl", deleted: bool = False, **why: object
) -> tuple | None:
    told = change(obj, old, author, deleted=deleted)
    mark = mark_of(Row(*(getattr(told, field) for field in told.__slots__), why=why or None))
    return (mark["kind"], mark["text"]) if mark else None


def out(deployment: dict, reason: str) -> dict:
    return with_status(deployment, conditions=[{"type": "Progressing", "status": "True", "reason": reason}])


def unreachable(node: dict) -> dict:
    return {**node, "spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}}


ROLLING = out(a_deployment(revision=2), "ReplicaSetUpdated")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((a_deployment(),), ("person", "made deployment web")),
        ((a_deployment(replicas=5), a_deployment()), ("person", "deployment web: replicas 3 → 5")),
        ((a_deployment(), a_deployment(), "kubectl", True), ("person", "deleted deployment web")),
        ((leaving(a_pod()), a_pod()), ("person", "deleted pod web-rs1-abcde")),
        ((a_deployment(), a_deployment()), None),
        ((unreachable(a_node()), a_node(), "node-controller"), None),
        ((a_node(), unreachable(a_node()), "node-controller"), ("node", "node node-a is ready")),
        ((a_node(truth="Unknown"), a_node(), "node-controller"), None),
        ((ROLLING, a_deployment(), "deployment-controller"), ("rollout", "web: rollout 2 begins")),
        (
            (out(ROLLING, "NewReplicaSetAvailable"), ROLLING, "deployment-controller"),
            ("rollout", "web: rollout 2 is done"),
        ),
        ((ROLLING, ROLLING, "deployment-controller"), None),
        ((a_pod(), a_pod(), "kubelet"), None),
        ((a_replicaset(a_deployment()), None, "deployment-controller"), None),
    ],
    ids=str,
)
def test_a_row_makes_a_mark_or_none(told, expected):
    assert said(*told) == expected


@pytest.mark.parametrize(
    ("obj", "author", "fault", "expected"),
    [
        (
            a_pod(),
            "kubelet",
            {"reason": "ContainerDied", "container": "web", "exitCode": 137},
            ("fault", "pod web-rs1-abcde: container web ended with exit code 137"),
        ),
        (a_node(), "node-controller", {"reason": "NodeSilent", "node": "node-a"}, ("node", "node node-a fell silent")),
        (
            a_node(),
            "kubelet",
            {"reason": "EngineSilent", "node": "node-a"},
            ("node", "the container engine of node node-a does not answer"),
        ),
    ],
)
def test_a_fault_is_told_by_the_row_that_first_tells_of_it(obj, author, fault, expected):
    assert said(obj, obj, author, decision="Any", fault=fault) == expected
    assert said(obj, obj, author, decision="Any") is None


@pytest.mark.parametrize("author", ["kubectl", "deployment-controller"])
def test_of_what_came_before_the_history_nothing_is_made_up(author):
    """The row before is no longer kept: so it says neither that this one made it, nor that a rollout begins with it."""
    told = change(ROLLING, None, author)
    row = Row(*(getattr(told, field) for field in told.__slots__), why=None)
    mark = mark_of(dataclasses.replace(row, created=False))
    assert (mark or {}).get("text") == ("changed deployment web" if author == "kubectl" else None)


def test_few_marks_are_all_kept():
    few = [{"revision": n, "kind": "fault"} for n in range(1, MOST + 1)]
    assert thinned(few, 0, 100_000) == few


def test_of_many_the_most_important_of_each_stretch_are_kept():
    many = [{"revision": n, "kind": "person" if n % 1000 == 7 else "fault"} for n in range(1, 20_001)]
    kept = thinned(many, 0, 20_000)
    assert len(kept) == MOST
    assert [mark for mark in kept if mark["kind"] == "person"] == [mark for mark in many if mark["kind"] == "person"]
    assert kept == sorted(kept, key=lambda mark: mark["revision"])
    assert kept[0]["revision"] <= 100 and kept[-1]["revision"] == 20_000
