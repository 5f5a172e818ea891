"""More load, more pods; more pods than fit, more machines; and back: on a whole lab, with pods that really work."""

import contextlib
import urllib.error
from collections.abc import Iterator

import pytest

from ..labs import LabUnderTest, is_ready, wait_until
from .audit import wait_until_as_declared
from .burning import Burning
from .nodes import NODES, left_as_found

POOLS = "/apis/orrery.io/v1/nodepools"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
BUSY = "app=busy"


def busy(replicas: int) -> dict:
    """Each asks for a little more than two cores: one fits on each node of the lab, which has four, two on one of the
    pool, which has five."""
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    container = {"name": "busy", "image": "orrery/hello:v1", "readinessProbe": probe}
    container["resources"] = {"requests": {"cpu": "2100m", "memory": "32Mi"}}
    template = {"metadata": {"labels": {"app": "busy"}}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "busy"}}, "template": template}
    return {"metadata": {"name": "busy"}, "spec": spec}


def scaler(least: int, most: int, millis: int) -> dict:
    """Comes down quicker than the lab's 15 s."""
    target = {"type": "AverageValue", "averageValue": f"{millis}m"}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "busy"},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 4}},
    }
    return {"metadata": {"name": "busy"}, "spec": spec}


POOL = {
    "metadata": {"name": "burst"},
    "spec": {"maxNodes": 2, "bootSeconds": 1, "idleSeconds": 1, "capacity": {"cpu": "5", "memory": "4Gi"}},
}


@contextlib.contextmanager
def created(lab: LabUnderTest, objects: dict[str, dict]) -> Iterator[None]:
    """Objects, by the address of their kind; taken away in the end, autoscalers first."""
    try:
        for path, obj in objects.items():
            lab.api("POST", path, obj)
        yield
    finally:
        for path, obj in reversed(objects.items()):
            with contextlib.suppress(urllib.error.HTTPError):
                lab.api("DELETE", f"{path}/{obj['metadata']['name']}")
        wait_until("its pods to be gone", lambda: not lab.pods(BUSY), 60)


def machines(lab: LabUnderTest) -> list[dict]:
    return lab.get(f"{NODES}?labelSelector=orrery.io%2Fnodepool%3Dburst")["items"]


@pytest.fixture(params=["process", "docker"])
def lab(request: pytest.FixtureRequest) -> Iterator[LabUnderTest]:
    lab = request.getfixturevalue(f"{request.param}_lab")
    with left_as_found(lab):
        yield lab


@pytest.mark.timeout(300)
def test_load_makes_pods_and_pods_buy_machines_and_both_go_again(lab):
    with created(lab, {DEPLOYMENTS: busy(2), POOLS: POOL, SCALERS: scaler(2, 6, millis=8)}):
        lab.wait_for_ready_pods(2, BUSY)
        with Burning(lab, BUSY) as load:
            load.millis = 200
            lab.wait_for_ready_pods(6, BUSY, seconds=90)
            assert len(machines(lab)) == 2  # three pods fit on the lab's own nodes
            assert all(map(is_ready, machines(lab)))
            load.millis = 0
            lab.wait_for_ready_pods(2, BUSY, seconds=90)
        wait_until("the machines to be given back", lambda: not machines(lab), 90)
        wait_until_as_declared(lab)
        told = {event["reason"] for event in lab.get("/api/v1/namespaces/default/events")["items"]}
        assert {"SuccessfulRescale", "TriggeredScaleUp", "ScaleDown"} <= told
