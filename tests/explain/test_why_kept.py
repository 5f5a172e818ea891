"""What keeps: which claim has a volume, and how many pods a disruption budget lets go."""

import pytest

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.kubectl import kubectl
from lab.client import Client
from lab.controllers.persistentvolume.controller import PersistentVolumeController
from lab.controllers.persistentvolume.protection import VolumeProtectionController
from lab.controllers.poddisruptionbudget import DisruptionController
from lab.explain.why import budgets
from lab.explain.why.subject import Subject
from tests.controllers.cluster import Cluster

from .asking import first
from .incidents import claim, volume

pytestmark = pytest.mark.django_db


class TestVolume:
    @pytest.fixture
    def disk(self) -> Cluster:
        cluster = Cluster("disk")
        cluster.client.create(PERSISTENTVOLUMES, volume("disk", "1Gi"))
        self.settle(cluster)
        return cluster

    def settle(self, cluster: Cluster) -> None:
        cluster.settle(PersistentVolumeController(), VolumeProtectionController())

    def ask_for(self, cluster: Cluster, **spec) -> None:
        asked = claim("data", "1Gi", **{"storageClassName": "disk", **spec})
        cluster.client.create(PERSISTENTVOLUMECLAIMS, asked | {"metadata": {"name": "data", "namespace": "default"}})
        self.settle(cluster)

    def test_nobody_asks_for_it(self, disk):
        card = first(disk.client, PERSISTENTVOLUMES, "disk")
        assert (card["question"], card["reason"]) == ("Why has no claim got it?", "Available")
        assert card["answer"] == "No claim waits for a volume."
        assert card["because"][0]["author"] == "persistentvolume-controller"

    def test_a_claim_of_another_class_is_told_in_kubernetes_words_with_the_field_that_would_change_it(self, disk):
        self.ask_for(disk, storageClassName="fast")
        card = first(disk.client, PERSISTENTVOLUMES, "disk")
        assert "storageClassName does not match. It asks for fast, and this is disk." in card["answer"]
        assert [one["name"] for one in card["because"][1:]] == ["spec.storageClassName", "spec.storageClassName"]
        change = ("patch", "persistentvolume", "disk", "--type=merge", "-p", '{"spec": {"storageClassName": "fast"}}')
        assert card["help"]["command"] == kubectl(*change)

    def test_it_is_kept_for_one_that_there_is_not(self, disk):
        disk.client.patch(
            PERSISTENTVOLUMES, "", "disk", {"spec": {"claimRef": {"namespace": "default", "name": "later"}}}
        )
        card = first(disk.client, PERSISTENTVOLUMES, "disk")
        assert "kept for claim later of namespace default" in card["answer"]
        assert card["because"][-1]["text"] == "tester keeps it for later"

    def test_its_claim_has_it_by_the_decision_that_bound_them_and_leaves_it_behind(self, disk):
        self.ask_for(disk)
        card = first(disk.client, PERSISTENTVOLUMES, "disk")
        assert (card["question"], card["reason"], card["help"]) == ("Which claim has it?", "Bound", None)
        assert card["answer"].endswith("when the claim goes, it stays, with what is on it.")
        (bound,) = card["because"]
        assert (bound["decision"], bound["name"]) == ("BindVolume", "spec.claimRef")
        Client(disk.name, "ben").delete(PERSISTENTVOLUMECLAIMS, "default", "data")
        self.settle(disk)
        card = first(disk.client, PERSISTENTVOLUMES, "disk")
        assert card["reason"] == "Released"
        assert card["answer"].startswith("ben removed its claim data.")  # who asked for it, not who let it go


class TestBudget:
    @pytest.fixture
    def web(self) -> Cluster:
        cluster = Cluster("budgeted")
        cluster.add_node("n1")
        cluster.deploy(2)
        cluster.settle()
        cluster.bind("n1")
        cluster.run_all()
        return cluster

    def budget(self, cluster: Cluster, **spec) -> dict:
        spec = {"selector": {"matchLabels": {"app": "web"}}, **spec}
        made = {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
        cluster.client.create(PODDISRUPTIONBUDGETS, made)
        cluster.settle(DisruptionController())
        return first(cluster.client, PODDISRUPTIONBUDGETS, "web")

    def test_it_says_how_many_may_go_of_how_many_and_who_asked_for_that(self, web):
        card = self.budget(web, minAvailable=1)
        assert (card["question"], card["reason"]) == ("How many of its pods may go?", "SufficientPods")
        assert card["answer"] == "1: of 2 pods 2 are healthy, and 1 must stay so."
        counted, asks = card["because"]
        assert (counted["author"], counted["name"]) == ("disruption-controller", "condition DisruptionAllowed")
        assert (asks["name"], asks["text"]) == ("spec.minAvailable", "tester set it to 1")

    @pytest.mark.parametrize(
        ("spec", "loosened"),
        [
            ({"minAvailable": 2}, '{"spec": {"minAvailable": 1}}'),
            ({"minAvailable": "100%"}, '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'),
            ({"maxUnavailable": 0}, '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'),
        ],
    )
    def test_where_all_are_well_it_is_the_budget_that_keeps_them(self, web, spec, loosened):
        card = self.budget(web, **spec)
        assert (card["question"], card["reason"]) == ("Why may none of its pods go?", "InsufficientPods")
        assert card["answer"] == "None: of 2 pods 2 are healthy, and 2 must stay so."
        assert card["help"]["command"] == kubectl("patch", "poddisruptionbudget", "web", "--type=merge", "-p", loosened)

    def test_when_one_has_gone_the_command_lets_one_more_go(self, web):
        """The number that it has already would help nobody."""
        web.run(web.pods()[:1], ready=False)
        card = self.budget(web, minAvailable=1)
        assert card["answer"].startswith("None: of 2 pods 1 is healthy, and 1 must stay so. Pod web-")
        subject = Subject(web.client, PODDISRUPTIONBUDGETS, "default", "web")
        assert '"minAvailable": 0' in budgets.loosened(subject).command

    def test_where_nobody_knows_how_many_there_should_be_it_says_so_in_kubernetes_words(self, web):
        bare = {"metadata": {"name": "bare", "namespace": "default", "labels": {"app": "web"}}}
        owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "x", "uid": "u", "controller": True}
        bare["metadata"]["ownerReferences"] = [owner]
        web.client.create(PODS, {**bare, "spec": {"containers": [{"name": "main", "image": "web:1"}]}})
        card = self.budget(web, maxUnavailable=1)
        assert card["reason"] == "SyncFailed"
        assert "does not implement the scale subresource" in card["answer"]
        assert '"minAvailable": 1' in card["help"]["command"]

    def test_while_it_is_not_counted_it_says_that(self, web):
        self.budget(web, minAvailable=1)
        web.client.patch(PODDISRUPTIONBUDGETS, "default", "web", {"spec": {"minAvailable": 2}})
        assert first(web.client, PODDISRUPTIONBUDGETS, "web")["reason"] == "Progressing"
