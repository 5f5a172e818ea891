"""Several Docker engines: where a cluster's nodes stand, and what becomes of those of an engine that is lost."""

import pytest

from lab import parts
from lab.apimachinery.engines import engine_of
from lab.apimachinery.kinds import EVENTS, NODES, PERSISTENTVOLUMES
from lab.apimachinery.labels import ENGINE_LABEL, RUNTIME_LABEL
from lab.apimachinery.volumes import MADE
from lab.client import Client, engines
from lab.client.clusters import ensure_cluster
from lab.store import changes

pytestmark = pytest.mark.django_db
VOLUME = {
    "capacity": {"storage": "1Gi"},
    "accessModes": ["ReadWriteOnce"],
    "csi": {"driver": "orrery.io/volumes", "volumeHandle": "kept"},
}


@pytest.fixture
def heard(monkeypatch) -> dict[str, float]:
    """Engine → how many seconds ago it answered; and `steady`, since how many all of them have done so."""
    ago = {"docker": 1.0, "docker.b": 1.0, "steady": 1000.0}
    well = lambda: {name: parts.Well(at, ago["steady"]) for name, at in ago.items() if name != "steady"}  # noqa: E731
    monkeypatch.setattr(parts, "last_well", well)
    monkeypatch.setattr(engines, "_began", -1000.0)
    return ago


def cluster(name: str, *nodes: dict) -> Client:
    ensure_cluster(name)
    client = Client(name, "kubectl")
    for number, labels in enumerate(nodes):
        client.create(NODES, {"metadata": {"name": f"node-{number}", "labels": labels}})
    return client


def docker(name: str | None = None) -> dict:
    return {RUNTIME_LABEL: "docker", **({ENGINE_LABEL: name} if name is not None else {})}


def stand(client: Client) -> list[str]:
    return [engine_of(node) for node in client.list(NODES)]


def test_a_node_stands_where_the_others_of_its_cluster_do_and_stays_there(db):
    client = cluster("far", docker("b"), docker(), {RUNTIME_LABEL: "simulated"}, docker(""))
    assert stand(client) == ["docker.b", "docker.b", "simulated", "docker"]
    bare = client.get(NODES, "", "node-1")
    client.update(NODES, {**bare, "metadata": {**bare["metadata"], "labels": docker()}})
    assert stand(client)[1] == "docker.b"
    assert stand(cluster("near", docker(), docker())) == ["docker", "docker"]


def test_the_next_cluster_gets_the_engine_that_has_the_fewest(heard, settings):
    settings.RUNTIME = "docker"
    cluster("one", docker())
    assert engines.engine_for_one_more() == "docker.b"
    for name in ("two", "three"):
        cluster(name, docker("b"))
    assert engines.engine_for_one_more() == "docker"
    heard["docker"] = 100.0
    assert engines.engine_for_one_more() == ""


def test_clusters_of_a_lost_engine_move_and_say_why_and_others_stay(heard, monkeypatch):
    lost = cluster("lost", docker("b"), docker(), {RUNTIME_LABEL: "process"})
    here = cluster("here", docker())
    policy = {"persistentVolumeReclaimPolicy": "Retain"}
    volume = {
        "metadata": {"name": "kept", "labels": docker("b"), "annotations": {MADE: "true"}},
        "spec": VOLUME | policy,
    }
    lost.create(PERSISTENTVOLUMES, volume)
    assert engines.rescue() == []
    heard["docker.b"] = parts.LOST_SECONDS + 1
    assert engines.rescue() == [("lost", "docker.b", "docker")]
    assert (stand(lost), stand(here)) == (["docker", "docker", "process"], ["docker"])
    *_, row = (row for row in changes("lost", 0) if row.name == "node-0")
    assert (row.author, row.why["fault"]) == (engines.AUTHOR, {"reason": "EngineLost", "engine": "docker.b"})
    kept = lost.get(PERSISTENTVOLUMES, "", "kept")
    assert engine_of(kept) == "docker" and not kept["metadata"].get("annotations")
    assert [event["reason"] for event in lost.list(EVENTS)] == ["VolumeLost"]
    assert engines.rescue() == []


def test_nobody_moves_where_no_engine_is_well_or_who_looks_has_just_begun(heard, monkeypatch):
    lost = cluster("lost", docker("b"))
    heard.update({"docker": 100.0, "docker.b": 100.0})
    assert engines.rescue() == []
    heard["docker"], heard["steady"] = 1.0, 2.0  # the broker was restarted, or all machines have slept
    assert engines.rescue() == [] and stand(lost) == ["docker.b"]
    heard["steady"] = 1000.0
    monkeypatch.setattr(engines, "_began", engines.time.monotonic())
    assert engines.rescue() == [] and stand(lost) == ["docker.b"]


def test_an_engine_that_was_lost_before_the_brokers_clock_was_set_back_is_not_taken_for_well(heard):
    lost = cluster("lost", docker("b"))
    heard["docker.b"] = -3600.0
    assert engines.well() == ["docker"] and engines.rescue() == [("lost", "docker.b", "docker")]
    assert stand(lost) == ["docker"]


def test_a_cluster_that_has_just_been_deleted_keeps_the_next_one_from_no_engine(heard, settings, monkeypatch):
    settings.RUNTIME = "docker"
    cluster("one", docker())
    names = [*engines.cluster_names(), "gone"]
    monkeypatch.setattr(engines, "cluster_names", lambda: names)
    assert engines.engine_for_one_more() == "docker.b"
    heard["docker"] = 100.0
    assert engines.rescue() == [("one", "docker", "docker.b")]
