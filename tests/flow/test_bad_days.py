"""Bad days of the processes: each is killed, or hangs, while a cluster is at work.

Afterwards the cluster is as declared, nothing is doubled, nothing is orphaned, and somebody said what happened.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.labs import HOME, LabUnderTest, clean_environment, manage, wait_until

from .audit import engine_of, wait_until_as_declared
from .nodes import annotate
from .shop import VERSION, Shop, share, some
from .steps import DEPLOYMENT, PODS, kill, most_pods_at_once, patch, release, revision, scale
from .watching import Follower, replay


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    """One lab that lives through all of these days, one after the other."""
    lab = LabUnderTest(tmp_path_factory.mktemp("bad-days") / "data", "process")
    try:
        yield lab.start()
    finally:
        lab.clean_up()


@pytest.fixture(autouse=True)
def as_declared_before_and_after(lab) -> Iterator[None]:
    wait_until_as_declared(lab)
    yield
    wait_until_as_declared(lab)


def test_the_worker_is_killed_again_and_again_in_the_middle_of_a_rollout(lab):
    scale(lab, 6)
    wait_until_as_declared(lab)
    start = revision(lab)
    for version, seconds in (("v2", 0.1), ("v3", 0.5), ("v4", 1.0)):
        release(lab, version)
        time.sleep(seconds)
        kill(lab, "worker")
    wait_until_as_declared(lab)
    assert {pod["metadata"]["annotations"]["version"] for pod in lab.pods()} == {"v4"}
    assert most_pods_at_once(lab, start) <= 6 + 2, "more than replicas and maxSurge"
    assert "worker ended (killed by SIGKILL), starting it again" in lab.said()


def test_the_broker_hangs_while_something_changes_and_comes_back_empty(lab):
    broker = lab.pid_of("broker")
    os.kill(broker, signal.SIGSTOP)
    scale(lab, 4)
    time.sleep(2)
    os.kill(broker, signal.SIGKILL)
    lab.wait_for_ready_pods(4)
    assert "broker ended (killed by SIGKILL), starting it again" in lab.said()
    assert "the broker is away, the tick stands in" in lab.said()


def test_the_web_process_is_killed_under_a_watch_and_the_watch_misses_nothing(lab):
    start = revision(lab)
    follower = Follower(lab, PODS, start)
    for times, replicas in enumerate((7, 3)):
        wait_until("it to follow", lambda times=times: follower.connections > times)
        scale(lab, replicas)  # the worker goes on making pods while nobody serves the API
        kill(lab, "web")
        lab.wait_for_ready_pods(replicas)
    meta = [(kind, obj["metadata"]) for kind, obj in replay(lab, PODS, start)]
    story = [(kind, each["name"], int(each["resourceVersion"])) for kind, each in meta]
    wait_until("the end of the story", lambda: follower.events[-1:] == story[-1:])
    follower.stop()
    assert follower.events == story
    assert follower.connections >= 3
    assert "web ended (killed by SIGKILL), starting it again" in lab.said()


def test_kubectl_follows_a_rollout_to_its_end_though_the_web_process_is_killed(lab, kubectl, tmp_path):
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=lab.data).stdout)

    def start(*words: str) -> subprocess.Popen:
        command = [kubectl, "--kubeconfig", str(config), *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    patch(lab, DEPLOYMENT, {"spec": {"minReadySeconds": 2}})  # slowly enough to be in the middle of it
    release(lab, f"after {revision(lab)}")
    rollout = start("rollout", "status", "deployment/hello", "--timeout=60s")
    listing = start("get", "pods", "--watch", "--output=name")
    assert rollout.stdout.readline().startswith("Waiting for deployment")
    assert listing.stdout.readline().startswith("pod/hello-")
    kill(lab, "web")
    said, _ = rollout.communicate(timeout=90)
    assert (rollout.returncode, said.splitlines()[-1]) == (0, 'deployment "hello" successfully rolled out')
    # Where its one connection is cut, `get --watch` ends without a word, here as against Kubernetes; it never errs.
    assert listing.poll() in (0, None)
    listing.kill()
    said, _ = listing.communicate(timeout=30)
    assert {line.split("-")[0] for line in said.splitlines()} <= {"pod/hello"}
    patch(lab, DEPLOYMENT, {"spec": {"minReadySeconds": 0}})


@contextlib.contextmanager
def second_worker(lab: LabUnderTest) -> Iterator[subprocess.Popen]:
    """A worker that takes from the same queues, and may be the kubelet of the same engine."""
    run = lab.run()
    env = clean_environment(
        ORRERY_DATA=str(lab.data), ORRERY_RUNTIME="process", ORRERY_KUBELET="process", REDIS_URL=run["broker"]
    )
    command = [sys.executable, "-m", "lab.worker", "control-plane,kubelet", "second"]
    with lab.data.with_suffix(".second").open("w") as out:
        worker = subprocess.Popen(command, cwd=HOME, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def restarts(lab: LabUnderTest) -> list[int]:
    return [status["restartCount"] for pod in lab.pods() for status in pod["status"]["containerStatuses"]]


def test_two_workers_share_the_work_and_either_can_do_without_the_other(lab):
    engine = engine_of(lab)
    start = revision(lab)
    with second_worker(lab) as second:
        for version in ("two-1", "two-2"):
            release(lab, version)
            scale(lab, 6)
            wait_until_as_declared(lab)
            scale(lab, 5)
            wait_until_as_declared(lab)
        for box in engine.list_pods():
            engine.kill_container(box.containers[0].id)
        wait_until("each to be restarted", lambda: restarts(lab) == [1] * 5)
        wait_until_as_declared(lab)
        os.kill(lab.pid_of("worker"), signal.SIGKILL)
        scale(lab, 4)
        lab.wait_for_ready_pods(4)
        second.kill()
        scale(lab, 5)
        lab.wait_for_ready_pods(5)
    assert sorted(restarts(lab)) == [0, 1, 1, 1, 1]
    assert most_pods_at_once(lab, start) <= 6 + 2


@pytest.fixture
def shop(lab) -> Iterator[Shop]:
    shop = Shop(lab, rate=60)
    yield shop
    shop.close()


@pytest.mark.timeout(300)
def test_a_canary_outlives_the_proxy_the_broker_the_worker_and_the_node_of_its_pod(shop):
    """It neither decides by what it does not know, nor counts anything twice, nor forgets what it has counted."""
    rules = {"steps": [{"setWeight": 50}, {"pause": {}}], "analysis": {"minRequests": 20}}
    shop.release({"type": "Canary", "canary": rules}, image="orrery/hello:v2")
    with shop.visitors() as visitors:
        new = until_judged(shop)["newRevision"]
        for name in ("proxy", "broker", "worker"):
            kill_and_compare(shop, name)
        node = next(p["spec"]["nodeName"] for p in shop.ready() if p["metadata"]["labels"][VERSION] == new)
        annotate(shop.lab, node, power="off")
        held = shop.until("Progressing")
        assert "of the visitors need" in held["message"] and "NodeNotReady" in held["message"]
        until_judged(shop)
        annotate(shop.lab, node, power=None)
        some(visitors, 30)
        assert abs(share(some(visitors, 100), new) - 50) <= 5
        shop.say(verdict="Promote")
        shop.until_over("Promoted")
        assert share(some(visitors, 50), new) == 100


def until_judged(shop: Shop, more_than: int = 0) -> dict:
    """Its status as soon as it has counted more requests, and waits for a person."""

    def look() -> dict | None:
        status = shop.status()
        known = status.get("analysis", {"new": {"requests": 0}})
        assert status.get("phase") not in ("Promoted", "Aborted", "Superseded", "Failed"), status
        judged = (status.get("phase"), known.get("verdict")) == ("Paused", "Passing")
        return status if judged and known["new"]["requests"] > more_than else None

    return wait_until("the canary to be judged", look, 60)


def kill_and_compare(shop: Shop, name: str) -> None:
    before = until_judged(shop)["analysis"]
    kill(shop.lab, name)
    after = until_judged(shop, before["new"]["requests"])["analysis"]
    for version in ("new", "old"):
        assert after[version]["requests"] >= before[version]["requests"]
        # Of those in flight when the proxy died some may have failed.
        assert 0 <= after[version]["errors"] - before[version]["errors"] < 10
