"""Claims, volumes and classes as the API keeps them: what it fills in, what it refuses, and how kubectl prints them."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NAMESPACES, PODS, STORAGECLASSES
from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS as CLAIMS
from lab.apimachinery.kinds import PERSISTENTVOLUMES as VOLUMES
from lab.client import Client
from lab.client.clusters import FIRST_NAMESPACES, ensure_cluster
from lab.store import create_cluster

pytestmark = pytest.mark.django_db
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


@pytest.fixture
def client() -> Client:
    ensure_cluster("storing")
    return Client("storing", "test")


def claim(name: str = "data", **spec) -> dict:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}} | spec
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def volume(name: str = "disk", **spec) -> dict:
    spec = {
        "capacity": {"storage": "1024Mi"},
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "orrery.io/volumes", "volumeHandle": name},
    } | spec
    return {"metadata": {"name": name}, "spec": spec}


def refusal(client: Client, kind, obj: dict) -> str:
    with pytest.raises(ApiError) as refused:
        client.create(kind, obj)
    return refused.value.message


def test_a_cluster_begins_with_a_class_that_claims_get_by_default(client):
    assert client.get(STORAGECLASSES, "", "standard")["reclaimPolicy"] == "Delete"
    made = client.create(CLAIMS, claim())
    assert made["spec"]["storageClassName"] == "standard"
    assert made["status"] == {"phase": "Pending"}
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_a_claim_that_asks_for_no_class_gets_none(client):
    assert client.create(CLAIMS, claim(storageClassName=""))["spec"]["storageClassName"] == ""
    client.delete(STORAGECLASSES, "", "standard")
    assert "storageClassName" not in client.create(CLAIMS, claim("other"))["spec"]


def test_a_deleted_class_does_not_come_back(client):
    client.delete(STORAGECLASSES, "", "standard")
    ensure_cluster("storing")
    assert client.find(STORAGECLASSES, "", "standard") is None


def test_a_cluster_that_is_older_than_volumes_gets_its_class_when_it_is_started_again(client):
    create_cluster("old")
    old = Client("old", "test")
    for name in FIRST_NAMESPACES:
        old.create(NAMESPACES, {"metadata": {"name": name}})
    ensure_cluster("old")
    assert old.get(STORAGECLASSES, "", "standard")["provisioner"] == "orrery.io/volumes"


def test_a_volume_is_kept_unless_it_says_otherwise(client):
    made = client.create(VOLUMES, volume())
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert made["spec"]["capacity"] == {"storage": "1Gi"}
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]


@pytest.mark.parametrize(
    ("kind", "obj", "words"),
    [
        (CLAIMS, claim(accessModes=[]), "spec.accessModes: Required value: at least 1 access mode is required"),
        (CLAIMS, claim(resources={}), "spec.resources[storage]: Required value"),
        (CLAIMS, claim(volumeMode="Block"), "the lab has no block devices"),
        (CLAIMS, claim(accessModes=["Any"]), 'Unsupported value: "Any"'),
        (VOLUMES, volume(capacity={}), "spec.capacity: Required value"),
        (VOLUMES, volume(csi=None, hostPath={"path": "/etc"}), "spec.hostPath: Forbidden: the lab has volumes of its"),
        (VOLUMES, volume(csi={"driver": "ebs.csi.aws.com", "volumeHandle": "x"}), 'Unsupported value: "ebs.csi'),
        (VOLUMES, volume(csi={"driver": "orrery.io/volumes", "volumeHandle": "../x"}), "spec.csi.volumeHandle: Inv"),
        (VOLUMES, volume(persistentVolumeReclaimPolicy="Recycle"), 'Unsupported value: "Recycle"'),
        (STORAGECLASSES, {"metadata": {"name": "x"}}, "provisioner: Required value"),
        (STORAGECLASSES, {"metadata": {"name": "x"}, "provisioner": "a b"}, 'provisioner: Invalid value: "a b"'),
        (CLAIMS, claim(dataSource={"kind": "PersistentVolumeClaim", "name": "x"}), "it neither clones nor restores"),
        (CLAIMS, claim(selector={"matchExpressions": [{"key": "a", "operator": "Like"}]}), "spec.selector.matchExpr"),
        (VOLUMES, volume(capacity={"storage": "1Gi", "cpu": "1"}), "spec.capacity: Unsupported value"),
    ],
)
def test_what_cannot_be_is_refused_in_kubernetes_words(client, kind, obj, words):
    assert words in refusal(client, kind, obj)


def test_a_claim_cannot_change_its_mind_but_may_be_given_a_volume(client):
    made = client.create(CLAIMS, claim())
    given = client.update(CLAIMS, {**made, "spec": {**made["spec"], "volumeName": "disk"}})
    for change in ({"volumeName": "other"}, {"accessModes": ["ReadWriteMany"]}):
        with pytest.raises(ApiError, match="spec is immutable after creation"):
            client.update(CLAIMS, {**given, "spec": {**given["spec"], **change}})
    with pytest.raises(ApiError, match="must support resize"):
        client.update(CLAIMS, {**given, "spec": {**given["spec"], "resources": {"requests": {"storage": "2Gi"}}}})


def pod(source: dict, **mount) -> dict:
    mounts = [{"name": "data", "mountPath": "/data", **mount}]
    containers = [{"name": "c", "image": "i", "volumeMounts": mounts}]
    spec = {"volumes": [{"name": "data", **source}], "containers": containers}
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}


CLAIMED = {"persistentVolumeClaim": {"claimName": "data"}}


@pytest.mark.parametrize("source", [CLAIMED, {"hostPath": {"path": "/data"}}])
def test_a_volume_that_containers_write_to_is_mounted_as_a_whole(client, source):
    assert "cannot mount a part" in refusal(client, PODS, pod(source, subPath="below"))
    assert client.create(PODS, pod(source))["spec"]["volumes"][0]["name"] == "data"


@pytest.mark.parametrize(
    ("beside", "safe"),
    [
        ({"subPath": "other"}, True),
        ({"subPath": "a/b"}, True),  # the very part: nobody can put something else in its place from inside
        ({"readOnly": True}, True),
        ({}, False),
        ({"subPath": "a"}, False),
        ({"subPath": "./a/."}, False),
    ],
)
def test_a_part_of_an_empty_folder_is_mounted_where_nobody_writes_around_it(client, beside, safe):
    made = pod({"emptyDir": {}}, subPath="a/b")
    mounts = [{"name": "data", "mountPath": "/other", **beside}]
    made["spec"]["initContainers"] = [{"name": "first", "image": "i", "volumeMounts": mounts}]
    if safe:
        assert client.create(PODS, made)
    else:
        assert "writes to a folder that this part is in" in refusal(client, PODS, made)


def test_a_part_of_an_empty_folder_is_not_named_by_a_variable(client):
    assert "cannot mount a part" in refusal(client, PODS, pod({"emptyDir": {}}, subPathExpr="$(X)"))


def test_a_part_may_be_mounted_of_what_containers_only_read(client):
    assert client.create(PODS, pod({"configMap": {"name": "c"}}, subPath="key"))


OWN = {"fieldRef": {"fieldPath": "metadata.name"}}


@pytest.mark.parametrize(("path", "words"), [("/etc/cron.d/x", "must be a relative path"), ("a/../../x", "'..'")])
@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("configMap", {"name": "c", "items": [{"key": "k"}]}),
        ("secret", {"secretName": "s", "items": [{"key": "k"}]}),
        ("downwardAPI", {"items": [OWN]}),
    ],
)
def test_no_file_of_a_volume_lies_outside_of_it(client, kind, about, path, words):
    about = {**about, "items": [{**about["items"][0], "path": path}]}
    assert words in refusal(client, PODS, pod({kind: about}))
    about = {"name" if key == "secretName" else key: value for key, value in about.items()}
    refused = refusal(client, PODS, pod({"projected": {"sources": [{kind: about}]}}))
    assert words in refused and f"spec.volumes[0].projected.sources[0].{kind}.items[0].path" in refused


def test_a_file_of_the_downward_api_says_what_is_in_it(client):
    assert "one of fieldRef" in refusal(client, PODS, pod({"downwardAPI": {"items": [{"path": "a"}]}}))
