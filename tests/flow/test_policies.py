"""Budgets and quotas from a kubectl to real processes: a drain that waits, and a Deployment that gets no more."""

from collections.abc import Iterator

import pytest

from tests.labs import LabUnderTest, wait_until

from .audit import wait_until_as_declared
from .nodes import left_as_found, nodes_of
from .steps import scale

DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/hello"


@pytest.fixture
def lab(process_lab) -> Iterator[LabUnderTest]:
    with left_as_found(process_lab):
        yield process_lab


def condition(lab: LabUnderTest, kind: str) -> dict:
    return next((c for c in lab.get(DEPLOYMENT)["status"]["conditions"] if c["type"] == kind), {})


def test_a_drain_waits_for_the_budget_and_ends_when_replacements_are_ready(lab, kubectl_of):
    scale(lab, 6)
    wait_until_as_declared(lab)
    on_it = [pod for pod in lab.pods("app=hello") if pod["spec"]["nodeName"] == "node-b"]
    assert len(on_it) > 1
    made = kubectl_of("create", "pdb", "hello", "--selector=app=hello", "--max-unavailable=1")
    assert made.returncode == 0, made.stderr
    wait_until("the budget to be counted", lambda: kubectl_of("get", "pdb", "hello").stdout.split()[-2] == "1")
    drained = kubectl_of("drain", "node-b", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=80s")
    assert drained.returncode == 0, drained.stderr
    assert "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget." in drained.stderr
    assert drained.stdout.splitlines()[-1] == "node/node-b drained"
    assert "node-b" not in nodes_of(lab)
    wait_until_as_declared(lab)
    kubectl_of("delete", "pdb", "hello")


def test_a_quota_stops_a_deployment_which_says_why_and_goes_on_when_there_is_room(lab, kubectl_of):
    made = kubectl_of("create", "quota", "few", "--hard=pods=4")
    assert made.returncode == 0, made.stderr
    scale(lab, 6)
    why = wait_until("the Deployment to say why", lambda: condition(lab, "ReplicaFailure"))
    assert why["reason"] == "FailedCreate"
    assert why["message"].endswith("exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4")
    wait_until("as many as there is room for", lambda: len(lab.ready_pods("app=hello")) == 4)
    wait_until("the figures", lambda: "pods: 4/4" in kubectl_of("get", "quota", "few").stdout)
    assert "FailedCreate" in kubectl_of("events", "--types=Warning").stdout
    kubectl_of("delete", "quota", "few")
    wait_until_as_declared(lab)
    assert len(lab.ready_pods("app=hello")) == 6 and not condition(lab, "ReplicaFailure")
