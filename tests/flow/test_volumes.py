"""Data that outlives pods: written by one, read by the next, on another node, after a restart; and how it ends.

The long story is told on labs of its own, for they are restarted in the middle.
"""

import urllib.error
import urllib.request

import pytest

from lab.runtime.engines import open_runtime

from ..labs import LabUnderTest, manage, wait_until
from .nodes import annotate
from .stage import container, forever
from .steps import PODS, patch

CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"


@pytest.fixture(params=["own_docker_lab", "own_lab"])
def lab(request: pytest.FixtureRequest) -> LabUnderTest:
    return request.getfixturevalue(request.param).start()


def claim(lab: LabUnderTest, name: str, **spec) -> dict:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}} | spec
    return lab.api("POST", CLAIMS, {"metadata": {"name": name}, "spec": spec})


def pod(lab: LabUnderTest, name: str, of: str = "data", **spec) -> dict:
    """One that adds its name to a file on the volume, and then says what is in it. Ready when it has."""
    script = forever(f"echo {name} >> /data/names; cat /data/names")
    probe = {"exec": {"command": ["grep", "-q", name, "/data/names"]}, "periodSeconds": 1}
    writer = container("main", script, volumeMounts=[{"name": "v", "mountPath": "/data"}], readinessProbe=probe)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": of}}]
    spec = {"containers": [writer], "volumes": volumes, "terminationGracePeriodSeconds": 1} | spec
    lab.api("POST", PODS, {"metadata": {"name": name, "labels": {"test": name}}, "spec": spec})
    return lab.wait_for_ready_pods(1, f"test={name}")[0]


def end(lab: LabUnderTest, *names: str) -> None:
    for name in names:
        lab.api("DELETE", f"{PODS}/{name}")
    wait_until("the pods to be gone", lambda: all(lab.get(f"{PODS}/{name}") is None for name in names))


def said(lab: LabUnderTest, name: str) -> list[str]:
    """Its log's words; none while there is no log to be had."""
    try:
        with urllib.request.urlopen(f"{lab.address}/clusters/default{PODS}/{name}/log", timeout=20) as answer:
            return answer.read().decode().split()
    except urllib.error.HTTPError:
        return []


def phase(lab: LabUnderTest, path: str) -> str:
    """ "" for what is not there."""
    return (lab.get(path) or {"status": {"phase": ""}})["status"]["phase"]


def on_the_engine(lab: LabUnderTest) -> set[str]:
    runtime = open_runtime(lab.runtime, (lab.data / "lab-id").read_text(), lab.data)
    return {name for _, name in runtime.volumes.present()}


@pytest.mark.timeout(300)
def test_data_outlives_pods_nodes_and_the_lab_and_goes_with_its_claim(lab):
    claim(lab, "data")
    pod(lab, "first")
    volume = lab.get(f"{CLAIMS}/data")["spec"]["volumeName"]
    assert on_the_engine(lab) == {volume}
    end(lab, "first")
    node = pod(lab, "second")["spec"]["nodeName"]
    assert said(lab, "second") == ["first", "second"]

    # Its node is switched off: another one goes on with the data.
    annotate(lab, node, power="off")
    other = next(name for name in ("node-a", "node-b", "node-c") if name != node)
    pod(lab, "third", nodeSelector={"kubernetes.io/hostname": other})
    assert said(lab, "third") == ["first", "second", "third"]
    annotate(lab, node, power=None)

    # The lab is stopped, taken down and started again.
    lab.stop()
    told = manage("down", data=lab.data).stdout
    assert f"kept volume {volume} of cluster default" in told and "--purge" in told
    lab.start()
    wait_until("the data", lambda: (names := said(lab, "third")) and names.count("third") == 2 and "first" in names)

    # A claim in use is kept for its pods; then it goes, and its volume with it.
    lab.api("DELETE", f"{CLAIMS}/data")
    assert "deletionTimestamp" in lab.get(f"{CLAIMS}/data")["metadata"]
    assert phase(lab, f"{VOLUMES}/{volume}") == "Bound"
    end(lab, *(name for name in ("second", "third") if lab.get(f"{PODS}/{name}")))
    wait_until("the volume to be gone", lambda: lab.get(f"{VOLUMES}/{volume}") is None)
    assert lab.get(f"{CLAIMS}/data") is None and on_the_engine(lab) == set()


def test_a_volume_made_by_hand_is_kept_and_can_be_claimed_again(request):
    lab = request.getfixturevalue("process_lab")
    source = {"driver": "orrery.io/volumes", "volumeHandle": "by-hand"}
    spec = {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "csi": source}
    lab.api("POST", VOLUMES, {"metadata": {"name": "disk"}, "spec": spec})
    claim(lab, "kept", storageClassName="")
    pod(lab, "before", "kept")
    found = lab.get(f"{VOLUMES}/disk")
    assert found["metadata"]["labels"] == {"orrery.io/runtime": "process"} and found["spec"]["nodeAffinity"]
    end(lab, "before")
    lab.api("DELETE", f"{CLAIMS}/kept")
    wait_until("the volume to be released", lambda: phase(lab, f"{VOLUMES}/disk") == "Released")
    patch(lab, f"{VOLUMES}/disk", {"spec": {"claimRef": None}})
    claim(lab, "again", storageClassName="", volumeName="disk")
    pod(lab, "after", "again")
    assert said(lab, "after") == ["before", "after"]
    end(lab, "after")
    for path in (f"{CLAIMS}/again", f"{VOLUMES}/disk"):
        lab.api("DELETE", path)
    wait_until("the volume to be gone", lambda: lab.get(f"{VOLUMES}/disk") is None)
    assert "by-hand" in on_the_engine(lab)
