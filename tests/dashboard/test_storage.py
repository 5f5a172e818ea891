"""Claims and volumes on the board: which rows there are, and what their drawers say."""

import pytest

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.actions import perform
from lab.dashboard.board import Board
from lab.dashboard.drawers import drawer

from .build import a_pod, change, meta

CLAIM = "persistentvolumeclaims/default/data"


def a_claim(phase: str = "Bound") -> dict:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta("data"),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": phase, "capacity": {"storage": "1Gi"}},
    }


def a_volume(phase: str = "Released") -> dict:
    spec = {"capacity": {"storage": "2Gi"}, "claimRef": {"namespace": "default", "name": "data"}}
    metadata = {key: held for key, held in meta("pv-1").items() if key != "namespace"}
    about = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata}
    return {**about, "spec": spec, "status": {"phase": phase}}


def using(pod: dict, claim: str = "data") -> dict:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}, {"name": "tmp", "emptyDir": {}}]
    return {**pod, "spec": {**pod["spec"], "volumes": volumes}}


def test_a_claim_says_when_no_pod_uses_it_and_when_one_does_again():
    board = Board([a_claim()])
    assert board.rows[CLAIM]["text"] == "1Gi · no pod uses it"
    pod = using(a_pod())
    assert board.apply([change(pod)]).upserts[CLAIM]["used"] == 1
    ended = {**pod, "status": {"phase": "Succeeded"}}
    assert "used" not in board.apply([change(ended, pod)]).upserts[CLAIM]
    board.apply([change(pod, ended)])
    assert "used" not in board.apply([change(pod, deleted=True)]).upserts[CLAIM]


def test_the_rows_of_claims_do_not_depend_on_who_comes_first():
    pod, claim = using(a_pod()), a_claim("Pending")
    late = Board([pod])
    late.apply([change(claim)])
    assert late.rows[CLAIM] == Board([claim, pod]).rows[CLAIM]
    assert late.rows[CLAIM]["state"] == "pending"
    assert CLAIM in late.apply([change(claim, deleted=True)]).removes


def test_a_volume_has_a_row_of_its_own_while_it_belongs_to_no_claim():
    board = Board([a_volume("Bound")])
    assert "persistentvolumes/pv-1" not in board.rows
    row = board.apply([change(a_volume(), a_volume("Bound"))]).upserts["persistentvolumes/pv-1"]
    assert (row["text"], row["state"]) == ("2Gi · released by data", "unready")


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("keeps")
    return Client("keeps", "board")


def test_the_drawer_of_a_claim_says_what_it_waits_for_who_uses_it_and_how_it_is_deleted(client):
    client.create(PERSISTENTVOLUMECLAIMS, {**a_claim(), "metadata": {"name": "data", "namespace": "default"}})
    shown = drawer(client, "persistentvolumeclaims", "default", "data", "overview")
    assert (shown["asks"], shown["users"]) == ("1Gi", [])
    containers = [{"name": "web", "image": "x"}]
    pod = using({"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": containers}})
    client.create(PODS, pod)
    assert [row["name"] for row in drawer(client, "persistentvolumeclaims", "default", "data", "")["users"]] == ["web"]
    of_pod = drawer(client, "pods", "default", "web", "why")["volumes"]
    assert [(one["id"], one["state"]) for one in of_pod] == [(CLAIM, "pending")]
    done = perform(client, "remove", {"namespace": "default", "name": "data", "resource": "persistentvolumeclaims"})
    assert done.kubectl == "kubectl delete persistentvolumeclaim data"
    assert "deletionTimestamp" in client.get(PERSISTENTVOLUMECLAIMS, "default", "data")["metadata"]


def test_the_drawer_of_a_volume_names_its_claim(client):
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "2Gi"},
        "persistentVolumeReclaimPolicy": "Retain",
        "csi": {"driver": "orrery.io/volumes", "volumeHandle": "one"},
        "claimRef": {"namespace": "default", "name": "data"},
    }
    client.create(PERSISTENTVOLUMES, {"metadata": {"name": "pv-1"}, "spec": spec})
    shown = drawer(client, "persistentvolumes", "", "pv-1", "")
    assert (shown["size"], shown["claim"]["name"], shown["bound"]) == ("2Gi", "data", False)
