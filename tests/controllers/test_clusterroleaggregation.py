"""ClusterRoles that are made of others."""

import pytest

from lab.apimachinery.kinds import CLUSTERROLES, RBAC
from lab.controllers.clusterroleaggregation import ClusterRoleAggregationController

pytestmark = pytest.mark.django_db
LOOP = ClusterRoleAggregationController()
RULE = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["widgets"]}


def rules(cluster, name: str) -> list[dict]:
    return cluster.client.get(CLUSTERROLES, "", name)["rules"]


def test_the_roles_that_a_cluster_begins_with_are_gathered_already(cluster):
    before = cluster.revisions()
    cluster.settle(LOOP)
    assert cluster.revisions() == before


def test_a_role_with_the_label_adds_to_view_and_so_to_edit_and_admin_until_it_goes(cluster):
    meta = {"name": "widgets", "labels": {f"{RBAC}/aggregate-to-view": "true"}}
    cluster.client.create(CLUSTERROLES, {"metadata": meta, "rules": [RULE]})
    cluster.settle(LOOP)
    assert all(RULE in rules(cluster, name) for name in ("view", "edit", "admin"))
    assert RULE not in rules(cluster, "system:aggregate-to-view")
    cluster.client.delete(CLUSTERROLES, "", "widgets")
    cluster.settle(LOOP)
    assert not any(RULE in rules(cluster, name) for name in ("view", "edit", "admin"))


def test_rules_that_somebody_writes_into_it_are_overwritten(cluster):
    gathering = {"clusterRoleSelectors": [{"matchLabels": {"part": "yes"}}]}
    cluster.client.create(CLUSTERROLES, {"metadata": {"name": "sum"}, "aggregationRule": gathering, "rules": [RULE]})
    cluster.settle(LOOP)
    assert rules(cluster, "sum") == []
