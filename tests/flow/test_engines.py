"""A class on two Docker engines: learners are spread over both, and one of them is lost in the middle of it."""

import time
from collections import Counter

import docker
import pytest

from lab.apimachinery.engines import engine_of

from ..labs import PATIENCE, LabUnderTest, is_ready, wait_until
from .room import ROOM, made, teacher_of
from .shop import deployment_of

NODES, PODS, DEPLOYMENTS = (
    "/api/v1/nodes",
    "/api/v1/namespaces/default/pods",
    "/apis/apps/v1/namespaces/default/deployments",
)
SEATS, REPLICAS = 4, 2


@pytest.fixture
def lab(tmp_path, distant_engine):
    lab = LabUnderTest(tmp_path / "data", "docker", *ROOM, "--engine", f"b={distant_engine.address}")
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def engines(lab, clusters) -> Counter:
    """On which engine how many of the clusters stand whose nodes are all ready, and on one."""
    found: Counter = Counter()
    for cluster in clusters:
        nodes = lab.api("GET", NODES, cluster=cluster)["items"]
        names = {engine_of(node) for node in nodes}
        found[names.pop() if len(names) == 1 and all(map(is_ready, nodes)) else ""] += 1
    return found


def ready_pods(lab, clusters) -> int:
    pods = [pod for cluster in clusters for pod in lab.api("GET", PODS, cluster=cluster)["items"]]
    return sum(is_ready(pod) for pod in pods if "deletionTimestamp" not in pod["metadata"])


def containers(client: docker.APIClient) -> set[str]:
    """The containers of learners' pods on this engine, by name; but for those that it cannot get rid of itself."""
    listed = client.containers(filters={"label": "orrery.io/uid"}, all=True)
    return {row["Names"][0] for row in listed if row["State"] != "dead"}


@pytest.mark.timeout(900)
def test_learners_are_spread_and_those_of_a_lost_engine_go_on_on_the_other_within_a_minute(lab, distant_engine):
    teacher = teacher_of(lab)
    code = made(teacher, "10-desired-state", SEATS)
    path = f"staff/workshops/{code}/"
    wait_until("both engines to be known", lambda: "docker.b" in teacher.get(path), 30)
    teacher.post(f"{path}warm", at=path)
    clusters = [f"{code.lower()}-{number + 1}" for number in range(SEATS)]
    wait_until("the clusters", lambda: f"{SEATS} of {SEATS} clusters are made ahead" in teacher.get(path), 60)
    spread = Counter({"docker": SEATS // 2, "docker.b": SEATS // 2})
    wait_until("nodes on both engines", lambda: engines(lab, clusters) == spread, 60)
    web = {"metadata": {"name": "web"}, "spec": deployment_of("orrery/hello:v1", REPLICAS)}
    for cluster in clusters:
        lab.api("POST", DEPLOYMENTS, web, cluster=cluster)
    wait_until("all pods", lambda: ready_pods(lab, clusters) == SEATS * REPLICAS, 60)

    distant_engine.stop()
    began = time.monotonic()
    wait_until("all clusters on one engine", lambda: engines(lab, clusters) == {"docker": SEATS}, 60)
    wait_until("all pods again", lambda: ready_pods(lab, clusters) == SEATS * REPLICAS, 60)
    assert time.monotonic() - began < 60 * PATIENCE
    distant_engine.start()
    with docker.APIClient(distant_engine.host) as client:
        wait_until("what is left on it to go", lambda: not containers(client), 60)
    assert ready_pods(lab, clusters) == SEATS * REPLICAS
