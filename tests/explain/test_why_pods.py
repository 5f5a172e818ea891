"""Why a pod is where it is, waits, fails, was restarted, left, and is asked: by the rows that say so."""

import pytest

from lab.apimachinery.kinds import CONFIGMAPS, DEPLOYMENTS, ENDPOINTSLICES, NODES, PODS, SERVICES
from lab.apimachinery.meta import is_true, owner_reference
from lab.apimachinery.patch import STRATEGIC_MERGE_PATCH
from lab.client import Client
from lab.controllers.endpoints.controller import EndpointSliceController
from lab.controllers.tainteviction import TaintEvictionController
from lab.explain.past import PastClient
from lab.explain.why.origin import MOST_LINKS
from lab.explain.why.subject import MOST_ROWS
from tests.controllers.cluster import Cluster
from tests.kubelet.conftest import world
from tests.labs import wait_until
from tests.scheduler.build import node, pod
from tests.scheduler.test_flow import Cluster as Scheduled

from .asking import asked, first

__all__ = ["world"]
pytestmark = pytest.mark.django_db
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "value": "", "effect": "NoSchedule"}


def by_reason(client: Client, name: str, *reasons: str) -> dict:
    """The first of its cards with one of these reasons."""
    cards = asked(client, PODS, name)
    return next(card for card in cards if card["reason"] in reasons)


def revision_of(client: Client, kind, name: str, decision: str) -> int:
    namespace = "default" if kind.namespaced else ""
    rows = client.history(kind, namespace, name, decided=True)
    return next(row["revision"] for row in rows if row["why"]["decision"] == decision)


def version(obj: dict) -> int:
    return int(obj["metadata"]["resourceVersion"])


class TestPlacement:
    @pytest.fixture
    def three(self, db) -> Scheduled:
        cluster = Scheduled("placement")
        cluster.nodes(node("a", cpu="2"), node("b", cpu="4"), node("head", taints=[CONTROL_PLANE]))
        return cluster

    def placed(self, cluster: Scheduled, made: dict) -> dict:
        cluster.pods(made)
        cluster.turn()
        return first(cluster.client, PODS, made["metadata"]["name"])

    def test_the_runner_up_is_named_with_what_sets_it_apart(self, three):
        card = self.placed(three, pod("web", cpu="1"))
        assert (card["question"], card["reason"]) == ("Why does it not start?", "ContainerCreating")
        card = by_reason(three.client, "web", "Scheduled")
        assert card["question"] == "Why on b?"
        verdicts = {item["node"]: item for item in card["verdicts"]}
        lead = verdicts["b"]["total"] - verdicts["a"]["total"]
        assert card["answer"].startswith(
            f"2 of 3 nodes would do. b had {verdicts['b']['total']:g} points, {lead:g} more"
        )
        assert "more than a, the next best (NodeResourcesFit" in card["answer"]
        assert card["answer"].endswith("The rest would not: 1 is kept for the control plane.")
        assert card["help"]["command"] == "kubectl cordon b"
        assert {one["revision"] for one in card["because"]} == {revision_of(three.client, PODS, "web", "Schedule")}
        assert {"Binding", "plugin NodeResourcesFit", "plugin TaintToleration"} <= {o["name"] for o in card["because"]}
        assert (verdicts["b"]["chosen"], verdicts["head"]["fits"]) == (True, False)

    def test_the_one_thing_is_the_node_that_lacks_least(self, three):
        card = self.placed(three, pod("web", cpu="4500m"))
        assert (card["question"], card["reason"]) == ("Why has it no node?", "Unschedulable")
        assert card["answer"] == (
            "None of 3 nodes takes it: 2 have too little CPU free, 1 is kept for the control plane."
        )
        assert card["help"]["text"] == ("Ask for less, or add a larger node: even empty, b has 500m CPU too little.")
        row = revision_of(three.client, PODS, "web", "Unschedulable")
        said = {one["name"]: one["revision"] for one in card["because"]}
        assert said == dict.fromkeys(
            ("condition PodScheduled", "plugin NodeResourcesFit", "plugin TaintToleration"), row
        )
        assert {item["node"]: item["lacks"] for item in card["verdicts"]}["a"] == {"cpu": 2500}

    def test_room_is_to_be_made_only_where_it_would_be_enough(self, three):
        three.pods(pod("here", cpu="1", node="b"))
        card = self.placed(three, pod("web", cpu="3500m"))
        assert card["help"]["text"] == "b needs only 500m more CPU free: make room there, or ask for less."

    def test_of_a_deployments_pod_kubectl_can_ask_for_less(self, three):
        three.client.create(DEPLOYMENTS, _deployment("web"))
        owner = three.client.get(DEPLOYMENTS, "default", "web")
        ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"]}
        made = pod("web-1", cpu="4500m")
        made["metadata"]["ownerReferences"] = [{**ref, "controller": True}]
        card = self.placed(three, made)
        assert card["help"]["command"] == "kubectl set resources deployment/web --requests=cpu=4"

    def test_of_owners_in_a_circle_nobody_is_told_to_ask_for_less(self, three):
        owner = three.client.create(DEPLOYMENTS, _deployment("web"))
        patch = {"metadata": {"ownerReferences": [owner_reference(owner)]}}
        three.client.patch(DEPLOYMENTS, "default", "web", patch)
        made = pod("web-1", cpu="4500m")
        made["metadata"]["ownerReferences"] = [owner_reference(owner)]
        assert "set resources" not in self.placed(three, made)["help"].get("command", "")

    def test_of_several_containers_the_one_that_asks_for_most_asks_for_less(self, three):
        three.client.create(DEPLOYMENTS, _deployment("web"))
        owner = three.client.get(DEPLOYMENTS, "default", "web")
        ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"]}
        made = pod("web-1", cpu="4")
        made["metadata"]["ownerReferences"] = [{**ref, "controller": True}]
        made["spec"]["containers"].append({"name": "log", "image": "log", "resources": {"requests": {"cpu": "500m"}}})
        card = self.placed(three, made)
        name = made["spec"]["containers"][0]["name"]
        assert card["help"]["command"] == f"kubectl set resources deployment/web -c {name} --requests=cpu=3.5"

    def test_a_cordoned_node_is_named_with_who_cordoned_it(self, three):
        rows = [three.client.patch(NODES, "", name, {"spec": {"unschedulable": True}}) for name in ("a", "b")]
        card = self.placed(three, pod("web"))
        assert "2 are cordoned" in card["answer"]
        assert (card["help"]["text"], card["help"]["command"]) == (
            "Uncordon a: so far nothing else is held against it.", "kubectl uncordon a",
        )  # fmt: skip
        by = next(one for one in card["because"] if one["name"] == "spec.unschedulable")
        assert (by["text"], by["revision"]) == ("tester cordoned a", version(rows[0]))

    def test_a_taint_and_a_label_each_have_their_command(self, three):
        card = self.placed(three, pod("picky", nodeSelector={"disk": "ssd"}))
        assert "2 lack the labels that it asks for (disk=ssd)" in card["answer"]
        assert card["help"]["command"] == "kubectl label node a disk=ssd"
        taint = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
        rows = [three.client.patch(NODES, "", name, {"spec": {"taints": taint}}) for name in ("a", "b")]
        card = self.placed(three, pod("plain"))
        assert "2 have the taint gpu=yes, which it does not tolerate" in card["answer"]
        assert card["help"]["command"] == "kubectl taint node a gpu-"
        by = next(one for one in card["because"] if one["name"] == "taint gpu")
        assert by["revision"] == version(rows[0])

    def test_who_has_to_make_room_says_for_whom(self, three):
        three.classes(high=1000)
        for name, cpu in (("small", "3"), ("other", "1500m")):
            self.placed(three, pod(name, cpu=cpu))
        card = self.placed(three, pod("great", cpu="3", priorityClassName="high"))
        assert card["answer"] == "It waits for room on b: small had to leave, since its priority is higher."
        assert card["because"][0]["revision"] == revision_of(three.client, PODS, "great", "Preempt")
        card = first(three.client, PODS, "small")
        assert (card["question"], card["reason"]) == ("Why is it leaving?", "Preempted")
        assert card["answer"].startswith(
            "The scheduler took its place on b for great, whose priority 1000 is above its 0."
        )
        assert card["because"][0]["revision"] == revision_of(three.client, PODS, "small", "PreemptionByScheduler")

    def test_a_pod_for_one_node_speaks_of_that_node_alone(self, three):
        named = {"key": "metadata.name", "operator": "In", "values": ["a"]}
        required = {"nodeSelectorTerms": [{"matchFields": [named]}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        card = self.placed(three, pod("agent", cpu="3", affinity=affinity))
        assert card["answer"] == "The node that it is made for does not take it: 1 has too little CPU free."
        assert card["help"]["text"].endswith(": even empty, a has 1 CPU too little.")

    def test_in_the_past_only_what_was_known_then_is_said(self, three):
        self.placed(three, pod("web"))
        row = revision_of(three.client, PODS, "web", "Schedule")
        assert by_reason(PastClient(three.name, row), "web", "Scheduled")
        assert first(PastClient(three.name, row - 1), PODS, "web")["reason"] == "Pending"

    def test_where_it_came_from_is_known_however_much_has_happened_since(self, three):
        self.placed(three, pod("web"))
        for count in range(MOST_ROWS + 1):
            three.client.patch(PODS, "default", "web", {"metadata": {"annotations": {"count": str(count)}}})
        card = by_reason(three.client, "web", "Scheduled")
        assert card["because"][0]["revision"] == revision_of(three.client, PODS, "web", "Schedule")
        assert by_reason(three.client, "web", "Created")["answer"] == "tester made it."

    def test_without_a_decision_none_is_made_up(self, three):
        three.pods(pod("new"))
        card = first(three.client, PODS, "new")
        assert (card["reason"], card["help"], card["verdicts"]) == ("Pending", None, [])
        assert card["answer"].startswith("The scheduler has not decided about it yet")


def _deployment(name: str) -> dict:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


class TestContainers:
    """What a real kubelet leaves, of real processes."""

    def test_what_it_decided_of_each_is_said(self, world, transactional_db):
        def shell(command: str, **more) -> list[dict]:
            return [{"name": "web", "image": "orrery/hello:v1", "command": ["sh", "-c", command], **more}]

        cold = {"exec": {"command": ["sh", "-c", "echo cache is cold; exit 1"]}, "periodSeconds": 1}
        world.pod("crash", containers=shell("exit 3"))
        world.pod("cold", containers=shell("sleep 60", readinessProbe=cold))
        world.pod("sick", containers=shell("sleep 60", livenessProbe={**cold, "failureThreshold": 1}))
        world.pod("lost", containers=[{"name": "web", "image": "nowhere/nothing:v1"}])
        world.pod("misnamed", containers=[{**shell("")[0], "command": ["/no/such/program"]}])
        world.pod("work", restartPolicy="Never", containers=shell("exit 0"))
        world.pod("fail", restartPolicy="Never", containers=shell("exit 4"))
        world.pod("changed", containers=shell("sleep 60"))
        world.start()

        def until(name: str, *reasons: str, says: str = "") -> dict:
            """Its first card, once it is one of these."""

            def look() -> dict | None:
                card = first(world.client, PODS, name)
                return card if card["reason"] in reasons and says in card["answer"] else None

            return wait_until(f"{name} to be {reasons}", look, 60)

        self._crashes(world.client, until("crash", "CrashLoopBackOff"))
        card = until("cold", "ReadinessProbeFailed", says="fails")
        assert card["question"] == "Why is it not ready?"
        assert card["answer"] == "Container web runs, but fails its readiness probe: cache is cold."
        assert "condition Ready" in {one["name"] for one in card["because"]}
        wait_until("it to be restarted", lambda: _restarted(world.client, "sick"), 60)
        card = by_reason(world.client, "sick", "Restarted", "CrashLoopBackOff")
        assert "Unhealthy" in {one["name"] for one in card["because"]}
        world.running("changed")
        anew = {"name": "web", "image": "orrery/hello:v2"}
        patch = {"spec": {"containers": [anew]}}
        changed = world.client.patch(PODS, "default", "changed", patch, "", STRATEGIC_MERGE_PATCH)
        wait_until("it to be started anew", lambda: _restarted(world.client, "changed"), 60)
        card = by_reason(world.client, "changed", "Restarted")
        assert card["answer"].startswith("The kubelet ended container web to start it anew, because its definition was")
        assert (card["because"][1]["revision"], card["help"]) == (version(changed), None)
        card = until("lost", "ErrImagePull", "ImagePullBackOff")
        assert card["answer"].startswith("The image nowhere/nothing:v1 of container web cannot be had: ")
        card = until("misnamed", "CrashLoopBackOff")
        assert card["answer"].startswith("Container web could not be started at all.")
        assert "/no/such/program" in card["answer"]
        assert (card["help"]["command"], card["help"]["text"][:14]) == ("", "Name a program")
        assert until("work", "Completed")["help"] is None
        card = until("fail", "Error")
        assert "Container web ended with exit code 4" in card["answer"] and "restartPolicy Never" in card["answer"]
        assert card["because"][0]["text"] == "container web ended with exit code 4"

    def _crashes(self, client: Client, card: dict) -> None:
        assert card["question"] == "Why does it not keep running?"
        assert card["answer"].startswith("Container web ended with exit code 3, ")
        assert "The kubelet waits longer after each failure: this time " in card["answer"]
        rows = {row["revision"]: row for row in client.history(PODS, "default", "crash")}
        died, waits = (rows[one["revision"]]["why"] for one in card["because"])
        assert (died["fault"]["exitCode"], waits["steps"][0]["action"]) == (3, "Wait")
        assert card["help"]["command"] == "kubectl logs crash -c web --previous"


def _restarted(client: Client, name: str) -> bool:
    statuses = client.get(PODS, "default", name).get("status", {}).get("containerStatuses") or [{}]
    return bool(statuses[0].get("restartCount"))


class TestDepartures:
    @pytest.fixture
    def web(self, db) -> Cluster:
        cluster = Cluster("leaving")
        cluster.add_node("n1")
        cluster.deploy(3)
        cluster.settle()
        cluster.bind("n1")
        cluster.run_all()
        return cluster

    def test_a_rollout_that_scales_down_is_followed_back_to_its_beginning(self, web):
        asked_for = web.patch(replicas=2)
        web.settle()
        (leaving,) = [each for each in web.pods() if "deletionTimestamp" in each["metadata"]]
        card = first(web.client, PODS, leaving["metadata"]["name"])
        assert (card["question"], card["reason"]) == ("Why is it leaving?", "Deleted")
        assert card["answer"].startswith("The replicaset controller asked for its end: 2 wanted, 3 found. Among them")
        assert "It began when tester changed deployment web: replicas 3 → 2." in card["answer"]
        decided, *_, began = (one for one in card["because"] if one["name"] != "condition DisruptionTarget")
        assert decided["revision"] == revision_of(web.client, PODS, leaving["metadata"]["name"], "DeletePods")
        assert began["revision"] == version(asked_for)
        web.end([leaving])
        assert first(web.client, PODS, leaving["metadata"]["name"])["question"] == "Why is it gone?"

    def test_an_eviction_names_the_budget_that_allowed_it(self, web):
        one = web.pods()[0]["metadata"]["name"]
        web.client.evict(web.pods()[0], "n1")
        card = first(web.client, PODS, one)
        assert (card["reason"], card["answer"].partition(" Its containers")[0]) == (
            "Evicted", "tester evicted it, because node n1 is being emptied.",
        )  # fmt: skip
        assert card["because"][0]["revision"] == revision_of(web.client, PODS, one, "EvictionByEvictionAPI")

    def test_a_taint_that_drives_it_away_is_named_with_who_put_it_there(self, web):
        broken = [{"key": "broken", "effect": "NoExecute"}]
        tainted = web.client.patch(NODES, "", "n1", {"spec": {"taints": broken}})
        web.settle(TaintEvictionController())
        one = web.pods()[0]["metadata"]["name"]
        card = first(web.client, PODS, one)
        assert card["reason"] == "TaintEviction"
        assert card["answer"].startswith(
            "Its node n1 had the taint broken:NoExecute, which it does not tolerate, so the taint eviction controller"
        )
        assert version(tainted) in [ground["revision"] for ground in card["because"]]


class TestTraffic:
    @pytest.fixture
    def shop(self, db) -> Cluster:
        cluster = Cluster("traffic")
        cluster.add_node("n1")
        selector = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
        cluster.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": selector})
        return cluster

    def run(self, shop: Cluster, name: str, labels: dict, ready: bool = True) -> None:
        made = {"metadata": {"name": name, "namespace": "default", "labels": labels}}
        spec = {"nodeName": "n1", "containers": [{"name": "web", "image": "web"}]}
        made = shop.client.create(PODS, {**made, "spec": spec})
        made = shop.client.update_status(PODS, {**made, "status": {"podIP": "10.0.0.9", "phase": "Running"}})
        shop.run([made], ready)
        shop.settle(EndpointSliceController())

    def test_the_slice_that_let_it_in_or_left_it_out_is_the_ground(self, shop):
        self.run(shop, "web-1", {"app": "web"})
        self.run(shop, "web-2", {"app": "web"}, ready=False)
        assert is_true(shop.client.get(PODS, "default", "web-1"), "Ready")
        (slice_,) = shop.client.list(ENDPOINTSLICES)
        rows = shop.client.history(ENDPOINTSLICES, "default", slice_["metadata"]["name"])
        card = by_reason(shop.client, "web-1", "Serving")
        assert card["answer"] == "Service web selects it, and it is ready: its address is among its endpoints."
        assert card["because"][0]["text"].startswith("let it in: 1 of 1 pods")
        assert card["because"][0]["revision"] == rows[-1]["revision"]
        card = by_reason(shop.client, "web-2", "NotReady")
        assert card["because"][0]["revision"] == rows[0]["revision"]
        assert card["because"][0]["text"].startswith("left it out, as it is not ready: 1 of 2 pods")

    def test_a_label_that_nearly_is_what_a_service_selects_is_held_beside_it(self, shop):
        self.run(shop, "odd", {"app": "web-2"})
        card = by_reason(shop.client, "odd", "NotSelected")
        assert card["answer"] == (
            "No Service of namespace default selects it: it has app=web-2. Nearly: web selects app=web."
        )
        assert [one["name"] for one in card["because"]] == ["labels", "spec.selector"]


def test_who_made_it_is_followed_back_to_a_person(db):
    cluster = Cluster("origin")
    made = cluster.deploy(1)
    cluster.settle()
    (one,) = cluster.pods()
    card = asked(cluster.client, PODS, one["metadata"]["name"])[-1]
    assert (card["question"], card["reason"]) == ("Why is it there?", "Created")
    assert card["answer"] == (
        "The replicaset controller made it: 1 wanted, 0 found. It began when tester made deployment web."
    )
    assert card["because"][-1]["revision"] == version(made)
    assert asked(cluster.client, DEPLOYMENTS, "web")[-1]["answer"] == "tester made it."


def test_of_a_long_way_the_nearest_and_the_beginning_are_told(db):
    client = Client(Cluster("long").name, "tester")
    made = client.create(CONFIGMAPS, {"metadata": {"name": "words", "namespace": "default"}})
    cause = version(made)
    for count in range(MOST_LINKS + 5):
        data = {"data": {"count": str(count)}}
        cause = version(client.caused_by(cause).patch(CONFIGMAPS, "default", "words", data))
    spec = {"containers": [{"name": "web", "image": "web"}]}
    client.caused_by(cause).create(PODS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
    card = asked(client, PODS, "web")[-1]
    assert card["answer"] == "tester made it. It began when tester made configmap words."
    revisions = [one["revision"] for one in card["because"]]
    assert (revisions[1], revisions[-1], len(revisions)) == (cause, version(made), MOST_LINKS + 1)
