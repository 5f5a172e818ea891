"""The kubelet's part in volumes: making them for claims, and removing them when their objects go."""

import pytest

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.apimachinery.volumes import MADE, PROVISIONER_FINALIZER, VOLUME_PROTECTION
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.kubelet import enginevolumes
from lab.kubelet.enginevolumes import EngineVolumes
from lab.kubelet.environment import ConfigError
from lab.models import Cluster
from lab.runtime import RuntimeFailure
from lab.runtime.process.runtime import ProcessRuntime
from lab.runtime.process.volumes import Volumes

pytestmark = pytest.mark.django_db
CLUSTER = "keeping"


class Stubborn(Volumes):
    """Those that are not removed, for a reason."""

    reason = ""

    def remove(self, cluster: str, name: str) -> None:
        if self.reason:
            raise RuntimeFailure("VolumeFailedDelete", self.reason)
        super().remove(cluster, name)


class World:
    def __init__(self, folder):
        ensure_cluster(CLUSTER)
        self.client = Client(CLUSTER, "kubelet")
        self.runtime = ProcessRuntime("lab", folder)
        self.runtime.volumes = Stubborn(folder)
        self.volumes = EngineVolumes(self.runtime, lambda cluster: self.client)

    def claim(self, **spec) -> dict:
        asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        made = {"metadata": {"name": "data", "namespace": "default"}, "spec": asked | spec}
        if spec:
            made["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
        return self.client.create(PERSISTENTVOLUMECLAIMS, made)

    def bound(self, policy: str = "Delete") -> None:
        """A claim and a volume that are bound, as their controller leaves them."""
        uid = self.claim(volumeName="disk")["metadata"]["uid"]
        spec = {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": policy,
            "csi": {"driver": "orrery.io/volumes", "volumeHandle": "on-engine"},
            "claimRef": {"namespace": "default", "name": "data", "uid": uid},
        }
        self.client.create(PERSISTENTVOLUMES, {"metadata": {"name": "disk"}, "spec": spec})

    def keep(self, name: str) -> None:
        """A volume that is there already."""
        csi = {"driver": "orrery.io/volumes", "volumeHandle": name}
        spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": csi}
        self.client.create(PERSISTENTVOLUMES, {"metadata": {"name": name}, "spec": spec})
        self.runtime.volumes.ensure(CLUSTER, name)

    def source(self) -> str:
        return self.volumes.source(CLUSTER, "default", "data")

    def object(self) -> dict | None:
        return self.client.find(PERSISTENTVOLUMES, "", "disk")

    def made(self) -> list[tuple[str, str]]:
        return self.runtime.volumes.present()

    def delete(self, protected: bool = False) -> None:
        self.client.delete(PERSISTENTVOLUMES, "", "disk")
        if not protected:
            left = [one for one in self.object()["metadata"]["finalizers"] if one != VOLUME_PROTECTION]
            self.client.patch(PERSISTENTVOLUMES, "", "disk", {"metadata": {"finalizers": left}})
        self.volumes.reclaim(CLUSTER)

    def complaints(self) -> list[tuple[str, int]]:
        return [(e["message"], e["count"]) for e in self.client.view().list("events")]


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_a_claim_that_is_missing_or_unbound_is_said_so(world):
    with pytest.raises(ConfigError, match='default/data: failed to fetch PVC .* "data" not found'):
        world.source()
    world.claim()
    with pytest.raises(ConfigError, match="error processing PVC default/data: PVC is not bound"):
        world.source()


def test_a_volume_is_made_for_its_first_user_and_lies_there_from_then_on(world):
    world.bound()
    assert world.source() == world.source()
    assert world.made() == [(CLUSTER, "on-engine")]
    placed = world.object()
    assert placed["metadata"]["labels"] == {RUNTIME_LABEL: "process"}
    assert placed["metadata"]["finalizers"] == [VOLUME_PROTECTION, PROVISIONER_FINALIZER]
    (term,) = placed["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": RUNTIME_LABEL, "operator": "In", "values": ["process"]}]


def test_a_volume_that_somebody_took_from_the_engine_is_not_replaced_by_an_empty_one(world):
    world.bound()
    world.source()
    world.runtime.volumes.remove(CLUSTER, "on-engine")
    with pytest.raises(ConfigError, match="volume on-engine is gone from the engine, and what was written with it"):
        world.source()
    assert world.made() == []


def test_a_deleted_volume_goes_from_the_engine_before_its_object(world):
    world.bound()
    world.source()
    world.delete()
    assert world.made() == [] and world.object() is None


def test_a_volume_to_be_kept_stays_on_the_engine_when_its_object_goes(world):
    world.bound("Retain")
    world.source()
    world.client.delete(PERSISTENTVOLUMES, "", "disk")
    world.volumes.reclaim(CLUSTER)
    assert world.made() == [(CLUSTER, "on-engine")]


def test_a_stranger_keeps_as_many_volumes_as_they_may_have_claims(world, monkeypatch):
    monkeypatch.setattr(enginevolumes, "MOST_OF_STRANGER", 2)
    for name in ("kept-1", "kept-2", "kept-3"):  # no object names them any more
        world.runtime.volumes.ensure(CLUSTER, name)
    world.runtime.volumes.ensure("another", "theirs")
    world.bound()
    Cluster.objects.filter(name=CLUSTER).update(guard="orrery/*")
    assert world.source() == world.source()
    assert set(world.made()) == {(CLUSTER, "kept-3"), (CLUSTER, "on-engine"), ("another", "theirs")}
    world.runtime.volumes.remove(CLUSTER, "on-engine")
    for name in ("one", "two"):
        world.keep(name)
    world.client.patch(PERSISTENTVOLUMES, "", "disk", {"metadata": {"annotations": {MADE: None}}})
    with pytest.raises(ConfigError, match="2 volumes of this cluster are on the engine, as many as a workshop allows"):
        world.source()


def test_a_volume_that_is_made_while_others_are_counted_is_no_strangers_leavings(world, monkeypatch):
    monkeypatch.setattr(enginevolumes, "MOST_OF_STRANGER", 1)
    world.bound()
    Cluster.objects.filter(name=CLUSTER).update(guard="orrery/*")
    present, looks = world.runtime.volumes.present, []

    def while_counting() -> list[tuple[str, str]]:
        looks.append(None)
        if len(looks) == 2:  # the first only asks whether the claim's own is there
            world.keep("fresh")
        return present()

    monkeypatch.setattr(world.runtime.volumes, "present", while_counting)
    with pytest.raises(ConfigError, match="1 volumes of this cluster are on the engine"):
        world.source()
    assert present() == [(CLUSTER, "fresh")]


def test_a_volume_that_is_bound_or_of_another_engine_is_let_be(world):
    world.bound()
    world.source()
    world.delete(protected=True)
    assert world.made() and world.object()
    world.client.patch(PERSISTENTVOLUMES, "", "disk", {"metadata": {"labels": {RUNTIME_LABEL: "docker"}}})
    world.delete()
    assert world.made() and world.object()


def test_an_engine_that_refuses_is_heard_once_and_asked_again(world):
    world.bound()
    world.source()
    world.runtime.volumes.reason = "volume is in use"
    world.delete()
    assert world.object() and world.complaints() == []  # by the remains of its last pod: they go in a moment
    world.runtime.volumes.reason = "the disk is on fire"
    world.volumes.reclaim(CLUSTER)
    world.volumes.reclaim(CLUSTER)
    assert world.complaints() == [("the disk is on fire", 1)]
    world.runtime.volumes.reason = ""
    world.volumes.reclaim(CLUSTER)
    assert world.object() is None and world.made() == []
