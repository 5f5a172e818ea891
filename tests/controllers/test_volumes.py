"""Claims and volumes through the real store and loops: bound, made, released, kept, protected, lost."""

from lab.apimachinery.kinds import NAMESPACES, NODES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES
from lab.apimachinery.volumes import PROVISIONER_FINALIZER, SELECTED_NODE
from lab.controllers.namespace import NamespaceController
from lab.controllers.persistentvolume.controller import PersistentVolumeController
from lab.controllers.persistentvolume.protection import VolumeProtectionController

from .cluster import Cluster

LOOPS = (PersistentVolumeController(), VolumeProtectionController())


def settle(cluster: Cluster) -> None:
    cluster.settle(*LOOPS)


def claim(cluster: Cluster, name: str = "data", class_name: str = "", **spec) -> dict:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = asked | {"storageClassName": class_name} | spec
    made = cluster.client.create(
        PERSISTENTVOLUMECLAIMS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    )
    settle(cluster)
    return made


def volume(cluster: Cluster, name: str = "disk", **spec) -> None:
    spec = {
        "capacity": {"storage": "5Gi"},
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "orrery.io/volumes", "volumeHandle": name},
    } | spec
    cluster.client.create(PERSISTENTVOLUMES, {"metadata": {"name": name}, "spec": spec})
    settle(cluster)


def claim_now(cluster: Cluster, name: str = "data") -> dict | None:
    return cluster.client.find(PERSISTENTVOLUMECLAIMS, "default", name)


def volume_now(cluster: Cluster, name: str = "disk") -> dict | None:
    return cluster.client.find(PERSISTENTVOLUMES, "", name)


def phases(cluster: Cluster, name: str = "data", on: str = "disk") -> tuple[str, str]:
    return claim_now(cluster, name)["status"]["phase"], volume_now(cluster, on)["status"]["phase"]


def delete_claim(cluster: Cluster, name: str = "data") -> None:
    cluster.client.delete(PERSISTENTVOLUMECLAIMS, "default", name)
    settle(cluster)


def select(cluster: Cluster, node: str) -> None:
    """What the scheduler does once it knows where the first pod goes."""
    chosen = {"metadata": {"annotations": {SELECTED_NODE: node}}}
    cluster.client.patch(PERSISTENTVOLUMECLAIMS, "default", "data", chosen)
    settle(cluster)


def pod(cluster: Cluster, node: str) -> None:
    spec = {
        "containers": [{"name": "c", "image": "i"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    cluster.client.create(PODS, {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
    if node:
        cluster.bind(node)


def test_a_claim_without_a_class_waits_for_a_volume_and_gets_it(cluster):
    claim(cluster)
    assert cluster.events("FailedBinding") == [
        "no persistent volumes available for this claim and no storage class is set"
    ]
    volume(cluster)
    assert phases(cluster) == ("Bound", "Bound")
    assert claim_now(cluster)["status"]["capacity"] == {"storage": "5Gi"}
    claim(cluster, "second")
    assert claim_now(cluster, "second")["status"]["phase"] == "Pending"


def test_a_claim_may_name_its_volume_which_must_be_right(cluster):
    volume(cluster, "small", capacity={"storage": "1Mi"})
    claim(cluster, volumeName="small")
    assert cluster.events("VolumeMismatch") == ['Cannot bind to requested volume "small": requested PV is too small']
    claim(cluster, "later", volumeName="disk")
    assert cluster.events("FailedBinding") == ['volume "disk" not found']
    volume(cluster)
    assert phases(cluster, "later") == ("Bound", "Bound")


def test_the_first_pods_node_decides_where_a_volume_is_made(cluster):
    cluster.client.create(NODES, {"metadata": {"name": "n1", "labels": {"orrery.io/runtime": "docker"}}})
    made = claim(cluster, class_name="standard")
    assert cluster.events("WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
    assert cluster.client.list(PERSISTENTVOLUMES) == []
    select(cluster, "n1")
    name = f"pvc-{made['metadata']['uid']}"
    assert cluster.events("ProvisioningSucceeded") == [f"Successfully provisioned volume {name}"]
    assert phases(cluster, on=name) == ("Bound", "Bound")
    of = volume_now(cluster, name)
    assert of["metadata"]["labels"] == {"orrery.io/runtime": "docker"}
    assert of["spec"]["csi"] == {"driver": "orrery.io/volumes", "volumeHandle": name}
    assert PROVISIONER_FINALIZER in of["metadata"]["finalizers"]


def test_a_choice_is_taken_back_when_its_node_is_gone(cluster):
    claim(cluster, class_name="standard")
    select(cluster, "nowhere")
    assert SELECTED_NODE not in claim_now(cluster)["metadata"].get("annotations", {})


def test_an_immediate_class_waits_for_nobody(cluster):
    fast = {"metadata": {"name": "fast"}, "provisioner": "orrery.io/volumes", "reclaimPolicy": "Retain"}
    made = claim(cluster, class_name="fast")
    assert cluster.events("ProvisioningFailed") == ['storageclass.storage.k8s.io "fast" not found']
    cluster.client.create(STORAGECLASSES, fast)
    settle(cluster)
    name = f"pvc-{made['metadata']['uid']}"
    assert phases(cluster, on=name) == ("Bound", "Bound")
    delete_claim(cluster)
    assert claim_now(cluster) is None and volume_now(cluster, name)["status"]["phase"] == "Released"


def test_a_class_of_somebody_elses_driver_says_so(cluster):
    cluster.client.create(STORAGECLASSES, {"metadata": {"name": "cloud"}, "provisioner": "ebs.csi.aws.com"})
    claim(cluster, class_name="cloud")
    assert "external provisioner 'ebs.csi.aws.com'" in cluster.events("ExternalProvisioning")[0]


def test_a_claim_that_selects_is_given_no_new_volume(cluster):
    claim(cluster, class_name="standard", selector={"matchLabels": {"disk": "fast"}})
    select(cluster, cluster.add_node("here")["metadata"]["name"])
    refused = 'failed to provision volume with StorageClass "standard": claim Selector is not supported'
    assert cluster.events("ProvisioningFailed") == [refused]


def test_a_claim_without_a_class_gets_a_default_that_comes_later(cluster):
    cluster.client.delete(STORAGECLASSES, "", "standard")
    claim(cluster, class_name=None)
    assert claim_now(cluster)["spec"].get("storageClassName") is None
    about = {"name": "late", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    cluster.client.create(STORAGECLASSES, {"metadata": about, "provisioner": "orrery.io/volumes"})
    settle(cluster)
    made = claim_now(cluster)
    assert (made["spec"]["storageClassName"], made["status"]["phase"]) == ("late", "Bound")
    given = cluster.client.history(PERSISTENTVOLUMECLAIMS, "default", "data", decided=True)[-1]["why"]
    assert given == {"decision": "AssignDefaultClass", "class": "late"}


def test_a_claim_that_cannot_be_given_its_volume_keeps_no_other_from_theirs(cluster):
    made = {name: claim(cluster, name, class_name="late") for name in ("a", "b", "c")}
    for name in ("a", "c"):
        volume(cluster, f"pvc-{made[name]['metadata']['uid']}", storageClassName="other")
    about = {"metadata": {"name": "late"}, "provisioner": "orrery.io/volumes"}
    cluster.client.create(STORAGECLASSES, about)
    settle(cluster)
    assert [claim_now(cluster, name)["status"]["phase"] for name in "abc"] == ["Pending", "Bound", "Pending"]


def test_a_kept_volume_is_nobodys_until_its_reference_is_taken_off(cluster):
    volume(cluster)
    claim(cluster)
    delete_claim(cluster)
    assert volume_now(cluster)["status"]["phase"] == "Released"
    claim(cluster)
    assert claim_now(cluster)["status"]["phase"] == "Pending"
    cluster.client.patch(PERSISTENTVOLUMES, "", "disk", {"spec": {"claimRef": None}})
    settle(cluster)
    assert phases(cluster) == ("Bound", "Bound")


def test_a_volume_to_be_deleted_goes_with_its_claim_once_the_engine_has_removed_it(cluster):
    volume(cluster, persistentVolumeReclaimPolicy="Delete")
    claim(cluster)
    held = volume_now(cluster)["metadata"]["finalizers"] + [PROVISIONER_FINALIZER]
    cluster.client.patch(PERSISTENTVOLUMES, "", "disk", {"metadata": {"finalizers": held}})
    delete_claim(cluster)
    left = volume_now(cluster)["metadata"]
    assert "deletionTimestamp" in left and left["finalizers"] == [PROVISIONER_FINALIZER]
    cluster.client.patch(PERSISTENTVOLUMES, "", "disk", {"metadata": {"finalizers": None}})
    assert volume_now(cluster) is None


def test_a_claim_in_use_stays_until_its_pod_is_gone(cluster):
    cluster.add_node("n1")
    volume(cluster)
    claim(cluster)
    pod(cluster, "n1")
    delete_claim(cluster)
    assert "deletionTimestamp" in claim_now(cluster)["metadata"] and phases(cluster)[1] == "Bound"
    cluster.client.delete(PODS, "default", "p", grace_seconds=0)
    settle(cluster)
    assert claim_now(cluster) is None and volume_now(cluster)["status"]["phase"] == "Released"


def test_a_pod_without_a_node_holds_no_claim(cluster):
    claim(cluster)
    pod(cluster, "")
    delete_claim(cluster)
    assert claim_now(cluster) is None


def test_a_bound_volume_is_not_taken_from_under_its_claim_and_a_claim_that_loses_it_says_so(cluster):
    volume(cluster)
    claim(cluster)
    cluster.client.delete(PERSISTENTVOLUMES, "", "disk")
    settle(cluster)
    assert "deletionTimestamp" in volume_now(cluster)["metadata"]
    cluster.client.patch(PERSISTENTVOLUMES, "", "disk", {"metadata": {"finalizers": None}})
    settle(cluster)
    assert claim_now(cluster)["status"]["phase"] == "Lost"
    [lost, *_] = cluster.client.history(PERSISTENTVOLUMECLAIMS, "default", "data", decided=True)
    assert lost["why"] == {"decision": "LoseVolume", "reason": "ClaimLost", "volume": "disk"}
    assert cluster.events("ClaimLost") == ["Bound claim has lost its PersistentVolume. Data on the volume is lost!"]


def test_a_namespace_takes_its_claims_along_when_its_pods_are_gone(cluster):
    cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    cluster.client.create(PERSISTENTVOLUMECLAIMS, {"metadata": {"name": "data", "namespace": "shop"}, "spec": asked})
    cluster.client.delete(NAMESPACES, "", "shop")
    cluster.settle(*LOOPS, NamespaceController())
    assert cluster.client.find(NAMESPACES, "", "shop") is None
