"""What a solution, a fault or a button does to a cluster, and what it says of it."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CONFIGMAPS, DEPLOYMENTS, NODES, PERSISTENTVOLUMECLAIMS, SERVICES
from lab.tutorials.acting import do
from lab.tutorials.lesson import Act
from lab.tutorials.pages import SCENES
from tests.controllers.cluster import Cluster

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster("acting")


def test_an_act_of_the_board_finds_what_it_is_done_to(cluster):
    cluster.deploy()
    cluster.settle()
    done = do(cluster.client, Act("do", "scale", {"name": "web", "replicas": 2}), SCENES)
    assert cluster.deployment()["spec"]["replicas"] == 2
    assert done.kubectl == "kubectl scale deployment/web --replicas=2"
    first = cluster.pods()[0]["metadata"]["name"]
    assert do(cluster.client, Act("do", "delete", {"of": "pods app=web"}), SCENES).message == f"Asked {first} to leave"


def test_a_file_is_applied_to_what_is_there(cluster):
    apply = Act("apply", "bank/services.yaml")
    assert do(cluster.client, apply, SCENES).kubectl == "kubectl apply -f bank/services.yaml"
    claim = cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "bank-records")
    spec = {**claim["spec"], "volumeName": "found", "storageClassName": "standard"}
    cluster.client.update(PERSISTENTVOLUMECLAIMS, {**claim, "spec": spec})
    address = cluster.client.get(SERVICES, "default", "loans")["spec"]["clusterIP"]
    cluster.client.patch(DEPLOYMENTS, "default", "loans", {"spec": {"replicas": 4}})
    do(cluster.client, apply, SCENES)
    assert cluster.client.get(DEPLOYMENTS, "default", "loans")["spec"]["replicas"] == 1
    assert cluster.client.get(SERVICES, "default", "loans")["spec"]["clusterIP"] == address
    assert cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "bank-records")["spec"]["volumeName"] == "found"


def test_what_has_no_name_yet_is_another_one_each_time(cluster, tmp_path):
    (tmp_path / "note.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: note-}\n")
    for _ in range(2):
        assert do(cluster.client, Act("apply", "note.yaml"), tmp_path).kubectl == "kubectl create -f note.yaml"
    assert len([one for one in cluster.client.list(CONFIGMAPS, "default") if one["metadata"]["name"] > "note-"]) == 2


def test_a_machine_is_run_by_what_runs_the_others(cluster):
    cluster.client.create(NODES, {"metadata": {"name": "old", "labels": {"orrery.io/runtime": "simulated"}}})
    do(cluster.client, Act("apply", "base.yaml"), SCENES)
    assert cluster.client.get(NODES, "", "node-a")["metadata"]["labels"]["orrery.io/runtime"] == "simulated"
    cluster.client.patch(NODES, "", "node-a", {"spec": {"podCIDR": "10.0.0.0/24"}})
    do(cluster.client, Act("apply", "base.yaml"), SCENES)
    assert cluster.client.get(NODES, "", "node-a")["spec"]["podCIDR"] == "10.0.0.0/24"


def test_whatever_a_subject_means_is_deleted(cluster):
    for name, of in (("one", "web"), ("two", "web"), ("three", "shop")):
        cluster.client.create(CONFIGMAPS, {"metadata": {"name": name, "namespace": "default", "labels": {"app": of}}})
    done = do(cluster.client, Act("delete", "configmaps app=web"), SCENES)
    assert (done.message, done.kubectl) == ("Deleted 2 configmaps", "kubectl delete configmaps -l app=web")
    left = {one["metadata"]["name"] for one in cluster.client.list(CONFIGMAPS, "default")}
    assert "three" in left and not left & {"one", "two"}


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (Act("do", "fly"), "the board has no action fly"),
        (Act("do", "kill", {"of": "pods app=none"}), "there are no pods app=none"),
        (Act("apply", "../settings.py"), "there is no file"),
        (Act("kubectl", "config view"), "config is not for this command line"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(cluster, act, says):
    with pytest.raises(ApiError, match=says):
        do(cluster.client, act, SCENES)
