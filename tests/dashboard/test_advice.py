"""What a card advises, done by its button: the card does not advise it any more."""

import json

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import (
    BUILDS,
    DEPLOYMENTS,
    INGRESSES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    RESOURCEQUOTAS,
    SERVICES,
    Kind,
)
from lab.controllers.persistentvolume.controller import PersistentVolumeController
from lab.controllers.poddisruptionbudget import DisruptionController
from lab.dashboard.actions import perform
from lab.dashboard.why import cards_of
from tests.controllers.cluster import Cluster

pytestmark = pytest.mark.django_db
WEB = {"name": "web", "namespace": "default"}
DISK = {"driver": "orrery.io/volumes", "volumeHandle": "disk"}


@pytest.fixture
def web():
    cluster = Cluster("advised")
    cluster.add_node("n1")
    cluster.deploy(2)
    cluster.settle()
    cluster.bind("n1")
    cluster.run_all()
    return cluster


def advised(cluster: Cluster, kind: Kind, namespace: str, name: str) -> dict:
    """The first card that has a button."""
    return next(card for card in cards_of(cluster.client, kind, namespace, name) if card["act"])


def press(cluster: Cluster, act: dict) -> None:
    """As `static/board/actions.js` does."""
    resource, *key = act["row"].split("/")
    about = {"resource": resource, "namespace": key[0] if len(key) > 1 else "", "name": key[-1]}
    perform(cluster.client, act["do"], {**about, **json.loads(act["form"])})


def test_a_budget_that_holds_all_lets_one_more_go(web):
    spec = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": "100%"}
    web.client.create(PODDISRUPTIONBUDGETS, {"metadata": WEB, "spec": spec})
    web.settle(DisruptionController())
    card = advised(web, PODDISRUPTIONBUDGETS, "default", "web")
    assert (card["reason"], card["act"]["words"]) == ("InsufficientPods", "Let one more go")
    press(web, card["act"])
    web.settle(DisruptionController())
    assert cards_of(web.client, PODDISRUPTIONBUDGETS, "default", "web")[0]["reason"] == "SufficientPods"


def test_a_budget_that_keeps_nobody_selects_what_there_is(web):
    spec = {"selector": {"matchLabels": {"app": "wep"}}, "minAvailable": 1}
    web.client.create(PODDISRUPTIONBUDGETS, {"metadata": WEB, "spec": spec})
    web.settle(DisruptionController())
    card = advised(web, PODDISRUPTIONBUDGETS, "default", "web")
    assert (card["reason"], card["act"]["words"]) == ("NoPods", "Select app=web")
    press(web, card["act"])
    web.settle(DisruptionController())
    assert cards_of(web.client, PODDISRUPTIONBUDGETS, "default", "web")[0]["reason"] == "SufficientPods"


def test_a_quota_that_refuses_allows_as_many_as_are_wanted(web):
    hard = {"hard": {"pods": "2", "count/replicasets.apps": "9"}}
    web.client.create(RESOURCEQUOTAS, {"metadata": {**WEB, "name": "few"}, "spec": hard})
    web.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 5}})
    web.settle()
    card = advised(web, DEPLOYMENTS, "default", "web")
    assert (card["reason"], card["act"]["words"]) == ("FailedCreate", "Allow pods=5")
    press(web, card["act"])
    assert web.client.get(RESOURCEQUOTAS, "default", "few")["spec"]["hard"] == {**hard["hard"], "pods": "5"}


def test_a_volume_whose_claim_is_gone_is_free_for_another(web):
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "hand"}
    ref = {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "data", "uid": "gone"}
    kept = {**spec, "persistentVolumeReclaimPolicy": "Retain", "csi": DISK, "claimRef": ref}
    web.client.create(PERSISTENTVOLUMES, {"metadata": {"name": "kept"}, "spec": kept})
    web.settle(PersistentVolumeController())
    card = advised(web, PERSISTENTVOLUMES, "", "kept")
    assert (card["reason"], card["act"]["words"]) == ("Released", "Let another claim have it")
    press(web, card["act"])
    web.settle(PersistentVolumeController())
    assert cards_of(web.client, PERSISTENTVOLUMES, "", "kept")[0]["reason"] == "Available"
    asks = {"accessModes": ["ReadWriteOnce"], "storageClassName": "hand", "resources": {"requests": {"storage": "5Gi"}}}
    web.client.create(PERSISTENTVOLUMECLAIMS, {"metadata": {**WEB, "name": "big"}, "spec": asks})
    web.settle(PersistentVolumeController())
    card = advised(web, PERSISTENTVOLUMES, "", "kept")
    assert card["act"]["words"] == "Make it 5Gi"
    press(web, card["act"])
    web.settle(PersistentVolumeController())
    assert cards_of(web.client, PERSISTENTVOLUMES, "", "kept")[0]["reason"] == "Bound"


def test_an_ingress_leads_to_the_service_that_there_is(web):
    backend = {"service": {"name": "wep", "port": {"number": 80}}}
    rule = {"host": "shop", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    web.client.create(INGRESSES, {"metadata": WEB, "spec": {"rules": [rule]}})
    web.client.create(SERVICES, {"metadata": WEB, "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}})
    card = advised(web, INGRESSES, "default", "web")
    assert (card["reason"], card["act"]["words"]) == ("BackendNotFound", "Lead it to web, port 80")
    press(web, card["act"])
    assert cards_of(web.client, INGRESSES, "default", "web")[0]["reason"] != "BackendNotFound"


def test_a_build_whose_image_was_replaced_is_rolled_out_again(web):
    build = {"deployment": "web", "files": {"Dockerfile": "FROM web:v1"}}
    web.client.create(BUILDS, {"metadata": {**WEB, "name": "web-2"}, "spec": build})
    found = web.client.get(DEPLOYMENTS, "default", "web")
    why = {"decision": "RollOutImage", "build": "web-2", "image": "mine/web:2"}
    containers = [{**one, "image": "web:9"} for one in found["spec"]["template"]["spec"]["containers"]]
    template = {**found["spec"]["template"], "spec": {**found["spec"]["template"]["spec"], "containers": containers}}
    web.client.update(DEPLOYMENTS, {**found, "spec": {**found["spec"], "template": template}}, why=why)
    status = {"phase": "Failed", "message": "it was given another image", "image": "mine/web:2"}
    web.client.patch(BUILDS, "default", "web-2", {"status": status}, subresource="status")
    card = advised(web, BUILDS, "default", "web-2")
    assert card["act"]["words"] == "Roll out mine/web:2"
    press(web, card["act"])
    (container,) = web.client.get(DEPLOYMENTS, "default", "web")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "mine/web:2"


def test_a_taint_comes_off_and_the_others_stay(web):
    taints = [{"key": "gpu", "effect": "NoSchedule"}, {"key": "spot", "effect": "NoSchedule"}]
    web.client.patch(NODES, "", "n1", {"spec": {"taints": taints}})
    press(web, advised(web, NODES, "", "n1")["act"])
    assert web.client.get(NODES, "", "n1")["spec"]["taints"] == taints[1:]


def test_what_is_not_for_a_click_is_refused(web):
    for form in ({"resource": "secrets", "patch": {}}, {"resource": "nodes", "patch": "all"}):
        with pytest.raises(ApiError):
            perform(web.client, "amend", {"name": "n1", **form})
    with pytest.raises(ApiError, match="n1 has no taint gpu"):
        perform(web.client, "untaint", {"name": "n1", "taint": "gpu"})
