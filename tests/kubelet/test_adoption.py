"""A simulated pod is brought back from what the API says of it, and its status then says the very same."""

from lab.kubelet.adoption import rough_specs, sandbox_of
from lab.kubelet.records import PodRecord
from lab.kubelet.status import Observed, Waiting, pod_status
from lab.runtime import Container, Sandbox

from .build import UID, container, pod

STARTED = 1_700_000_000.0


def one(name: str, state: str = "running", attempt: int = 0, **more) -> Container:
    times = {"created_at": STARTED, "started_at": STARTED}
    if state == "exited":
        times["finished_at"] = STARTED + 5
    return Container(f"id-{name}-{attempt}", name, attempt, state, "demo:1", "simulated:1", **times, **more)


def reported(shape: dict, *containers: Container, waiting: dict | None = None, runtime: str = "simulated") -> dict:
    """The pod with the status that a kubelet writes when its engine has these containers."""
    box = Sandbox("box", "c", "node-1", "default", "web", UID, True, "100.64.1.2", STARTED, containers)
    shape["metadata"]["creationTimestamp"] = "2023-11-14T22:13:20Z"
    shape["status"] = pod_status(shape, Observed(runtime, "10.0.0.1", box, waiting or {}))
    return shape


def adopted(shape: dict) -> Sandbox | None:
    return sandbox_of(PodRecord("c", shape))


def test_a_running_pod_comes_back_with_its_address_its_containers_and_their_restarts():
    shape = reported(pod([container("web"), container("log")]), one("web", attempt=3), one("log"))
    found = adopted(shape)
    assert (found.cluster, found.node, found.namespace, found.name, found.uid) == ("c", "node-1", "default", "web", UID)
    assert (found.ready, found.address) == (True, "100.64.1.2")
    assert set(found.containers) == {one("web", attempt=3), one("log")}


def test_its_status_is_then_what_it_was():
    crashed = one("web", "exited", attempt=2, exit_code=7)
    waiting = {"web": Waiting("CrashLoopBackOff", "back-off 4s restarting failed container")}
    shape = reported(pod([container("web"), container("log")]), crashed, one("log"), waiting=waiting)
    found = adopted(shape)
    assert crashed in found.containers
    assert pod_status(shape, Observed("simulated", "10.0.0.1", found, waiting)) == shape["status"]


def test_init_containers_that_have_ended_are_not_run_again():
    shape = pod([container("web")], initContainers=[container("first")])
    done = one("first", "exited", init=True)
    assert set(adopted(reported(shape, one("web"), done)).containers) == {one("web"), done}


def test_a_pod_that_never_had_an_address_or_is_finished_does_not_come_back():
    assert adopted(pod()) is None
    finished = reported(pod(restartPolicy="Never"), one("web", "exited"))
    assert finished["status"]["phase"] == "Succeeded"
    assert adopted(finished) is None


def test_containers_of_another_engine_are_not_adopted():
    assert adopted(reported(pod(), one("web"), runtime="docker")).containers == ()


def test_what_is_told_of_a_container_is_enough_for_its_rules():
    web = container("web", env=[{"name": "READY_AFTER", "value": "5"}, {"name": "POD", "valueFrom": {}}])
    web["resources"] = {"requests": {"cpu": "500m"}}
    sidecar = container("proxy", restartPolicy="Always")
    specs = rough_specs(pod([web], initContainers=[container("first"), sidecar]))
    assert (specs["web"].env, specs["web"].cpu_request_millis, specs["web"].init) == ({"READY_AFTER": "5"}, 500, False)
    assert [(specs[name].init, specs[name].sidecar) for name in ("first", "proxy")] == [(True, False), (True, True)]
