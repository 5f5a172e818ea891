"""A stage that is set again, whatever was done to it: the real store and loops, with kubelets that are played."""

import time

import pytest
import yaml
from django.conf import settings

from lab.apimachinery.kinds import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    HORIZONTALPODAUTOSCALERS,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    RESOURCEQUOTAS,
    SERVICES,
    STORAGECLASSES,
    VISITORS,
    WHEELS,
)
from lab.apimachinery.meta import now, owner_reference
from lab.client import Client
from lab.controllers.endpoints.controller import EndpointSliceController
from lab.controllers.horizontalpodautoscaler.controller import MEMORY
from lab.tutorials.cluster import ensure_learning_cluster
from lab.tutorials.fitting import Fitting, root_of
from lab.tutorials.pages import SCENES
from lab.tutorials.scenes import Scene, read_scene
from lab.tutorials.stage import let_in, set_stage, settled
from tests.controllers.cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db(transaction=True)


class Theatre(Cluster):
    """A cluster whose stage is set with `scene`, and whose pods run as soon as they are there."""

    def __init__(self, name: str = "web-3.yaml"):
        super().__init__("learn")
        self.scene = scene(name)
        self.tutor = Client("learn", "tutor")
        self.reset()

    def reset(self) -> None:
        since = time.time()
        for _ in range(20):
            if set_stage(self.tutor, self.scene, since):
                return
            self.settle(*WORKLOADS, EndpointSliceController())
            for node in self.client.list(NODES):
                self.report_node(node["metadata"]["name"])
                self.lift(node["metadata"]["name"])
            self.bind("node-a")
            self.run([pod for pod in self.pods() if pod.get("status", {}).get("phase") != "Running"])
        raise AssertionError("the stage is never set")

    def reset_later(self) -> None:
        """Times are whole seconds: what is there now is of the one before."""
        time.sleep(1.1)
        self.reset()

    def run(self, pods: list[dict], ready: bool = True) -> None:
        """With addresses, so that a Service can lead to them."""
        super().run([{**pod, "status": {**pod.get("status", {}), "podIP": "10.0.0.7"}} for pod in pods], ready)

    def report_node(self, name: str, ready: str = "True") -> dict:
        """As a kubelet does: what it was given as capacity stays."""
        node = self.client.get(NODES, "", name)
        condition = {"type": "Ready", "status": ready, "reason": "KubeletReady", "lastHeartbeatTime": now()}
        return self.client.update_status(NODES, {**node, "status": {**node["status"], "conditions": [condition]}})

    def lift(self, name: str) -> None:
        """As the node lifecycle controller does of a node that is ready."""
        taints = self.client.get(NODES, "", name)["spec"].get("taints", [])
        kept = [taint for taint in taints if not taint["key"].startswith("node.kubernetes.io/")]
        self.client.patch(NODES, "", name, {"spec": {"taints": kept}})

    def webs(self) -> set[str]:
        return {pod["metadata"]["name"] for pod in self.pods()}


def scene(name: str) -> Scene:
    return read_scene(SCENES, name, "simulated")


@pytest.fixture
def theatre() -> Theatre:
    return Theatre()


def test_what_fits_stays(theatre):
    revision, pods = theatre.client.view().revision, theatre.webs()
    assert settled(theatre.client.view(), theatre.scene)
    assert set_stage(theatre.tutor, theatre.scene)
    assert theatre.client.view().revision == revision
    assert len(pods) == 3


def test_a_missing_pod_alone_is_made_anew(theatre):
    lost, *others = sorted(theatre.webs())
    theatre.client.delete(PODS, "default", lost, grace_seconds=0)
    assert not settled(theatre.client.view(), theatre.scene)
    theatre.reset()
    assert len(theatre.webs()) == 3 and theatre.webs() > set(others)


def test_sizes_images_and_revisions_are_put_back(theatre):
    pods = theatre.webs()
    theatre.patch(replicas=5)
    theatre.settle()
    theatre.release("v2")
    theatre.settle()
    theatre.reset()
    assert theatre.deployment()["spec"]["replicas"] == 3
    assert theatre.webs() == pods
    assert [rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for rs in theatre.replica_sets()] == [
        "1"
    ]


def test_a_pod_of_before_must_be_well(theatre):
    well, restarted, unready = theatre.pods()
    spoilt = [
        (restarted, {"containerStatuses": [{"name": "web", "restartCount": 1}]}),
        (unready, {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": now()}]}),
    ]
    for pod, status in spoilt:
        theatre.client.update_status(PODS, {**pod, "status": {**pod["status"], **status}})
    theatre.reset_later()
    names = {pod["metadata"]["name"] for pod in (well, restarted, unready)}
    assert theatre.webs() & names == {well["metadata"]["name"]}
    assert len(theatre.webs()) == 3


def test_machines_are_as_the_scene_has_them(theatre):
    client = theatre.client
    client.patch(NODES, "", "node-a", {"metadata": {"annotations": {"orrery.io/power": "off"}}})
    client.patch(NODES, "", "node-b", {"metadata": {"labels": {"disk": "fast"}}, "spec": {"unschedulable": True}})
    taints = [{"key": "team", "value": "ml", "effect": "NoSchedule"}]
    client.patch(NODES, "", "node-c", {"spec": {"taints": taints}})
    theatre.add_node("stranger")
    client.delete(NODES, "", "control-plane-a")
    theatre.reset()
    nodes = {node["metadata"]["name"]: node for node in client.list(NODES)}
    assert sorted(nodes) == ["control-plane-a", "node-a", "node-b", "node-c"]
    assert not nodes["node-a"]["metadata"].get("annotations")
    assert "disk" not in nodes["node-b"]["metadata"]["labels"]
    assert not nodes["node-b"]["spec"].get("unschedulable")
    assert nodes["node-c"]["spec"]["taints"] == []


def test_it_is_set_while_no_control_plane_is_up(theatre):
    lease = {"name": "kube-controller-manager", "namespace": "kube-system"}
    members = {"annotations": {"orrery.io/members": "control-plane-a"}}

    theatre.client.create(LEASES, {"metadata": {**lease, **members}, "spec": {"holderIdentity": "control-plane-a"}})
    off = {"metadata": {"annotations": {"orrery.io/power": "off"}}}
    theatre.client.patch(NODES, "", "control-plane-a", off)
    assert not set_stage(theatre.tutor, theatre.scene)
    theatre.reset()
    assert not theatre.client.get(NODES, "", "control-plane-a")["metadata"].get("annotations")


def test_what_a_learner_made_goes_and_what_was_there_comes_back(theatre):
    client = theatre.client
    client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    held = {"name": "kept", "namespace": "shop", "finalizers": ["example.com/stay"]}
    client.create(CONFIGMAPS, {"metadata": held})
    lone = {"containers": [{"name": "main", "image": "web:1"}], "terminationGracePeriodSeconds": 600}
    client.create(PODS, {"metadata": {"name": "lone", "namespace": "default"}, "spec": lone})
    client.create(
        RESOURCEQUOTAS, {"metadata": {"name": "none", "namespace": "default"}, "spec": {"hard": {"pods": "0"}}}
    )
    client.delete(PODS, "default", "lone")
    client.delete(SERVICES, "default", "web")
    client.delete(STORAGECLASSES, "", "standard")
    client.delete(DEPLOYMENTS, "default", "web")
    client.create(WHEELS, {"metadata": {"name": "replicaset"}, "spec": {"mode": "Paused"}})
    theatre.reset()
    assert client.find(NAMESPACES, "", "shop") is None
    assert not client.list(RESOURCEQUOTAS)
    assert client.find(PODS, "default", "lone") is None
    assert client.get(SERVICES, "default", "web")["spec"]["selector"] == {"app": "web"}
    assert client.find(STORAGECLASSES, "", "standard") is not None
    assert client.get(WHEELS, "", "replicaset")["spec"]["mode"] == "Running"
    assert len(theatre.webs()) == 3


def test_what_may_not_be_changed_is_made_anew(theatre):
    """A Service that has become headless cannot be given an address, nor a Deployment another selector."""
    client = theatre.client
    client.delete(SERVICES, "default", "web")
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    headless = {"clusterIP": "None", "selector": {"app": "web"}, "ports": ports}
    client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": headless})
    client.delete(DEPLOYMENTS, "default", "web")
    theatre.settle()
    theatre.deploy(selector={"matchLabels": {"app": "web"}})
    stranger = theatre.deployment()["metadata"]["uid"]
    client.delete(DEPLOYMENTS, "default", "web")
    template = {"metadata": {"labels": {"of": "x"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    other = {"replicas": 1, "selector": {"matchLabels": {"of": "x"}}, "template": template}
    client.create(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "default"}, "spec": other})
    theatre.reset()
    assert client.get(SERVICES, "default", "web")["spec"]["clusterIP"] != "None"
    assert theatre.deployment()["metadata"]["uid"] != stranger
    assert theatre.deployment()["spec"]["selector"] == {"matchLabels": {"app": "web"}}


def test_what_remembers_begins_anew(theatre):
    """A program with something in its memory, and an autoscaler that knows of a load."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bank"}
    autoscaler = {
        "apiVersion": HORIZONTALPODAUTOSCALERS.api_version,
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "bank", "namespace": "default"},
        "spec": {"maxReplicas": 5, "scaleTargetRef": target},
    }
    theatre.scene = Scene((*scene("bank-monolith.yaml").objects, autoscaler), anew=True)
    theatre.reset()
    before = theatre.webs(), theatre.client.get(HORIZONTALPODAUTOSCALERS, "default", "bank")["metadata"]["uid"]
    theatre.reset_later()
    after = theatre.webs(), theatre.client.get(HORIZONTALPODAUTOSCALERS, "default", "bank")["metadata"]["uid"]
    assert not before[0] & after[0] and before[1] != after[1]
    # What an autoscaler notes while the stage is set is not taken from it, or both would write for ever.
    theatre.client.patch(HORIZONTALPODAUTOSCALERS, "default", "bank", {"metadata": {"annotations": {MEMORY: "{}"}}})
    assert set_stage(theatre.tutor, theatre.scene)


def test_what_can_forget_keeps_its_pods(theatre):
    theatre.scene = scene("bank-monolith.yaml")
    theatre.reset()
    before = theatre.webs(), theatre.deployment("bank")["metadata"]["uid"]
    theatre.reset_later()
    assert (theatre.webs(), theatre.deployment("bank")["metadata"]["uid"]) == before


def test_visitors_come_when_there_is_somebody_to_answer_and_are_counted_from_then(theatre):
    visitors = lambda: [one["metadata"]["uid"] for one in theatre.client.list(VISITORS)]  # noqa: E731
    assert not visitors()
    let_in(theatre.tutor, theatre.scene)
    first = visitors()
    assert len(first) == 1 and set_stage(theatre.tutor, theatre.scene)
    time.sleep(1.1)  # times are whole seconds
    theatre.patch(replicas=0)
    assert not set_stage(theatre.tutor, theatre.scene, time.time()) and not visitors()
    theatre.reset()
    let_in(theatre.tutor, theatre.scene)
    assert len(visitors()) == 1 and visitors() != first


def test_a_scene_is_laid_over_what_it_includes(tmp_path):
    change = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": {"selector": {"app": "wbe"}}}
    template = {"spec": {"containers": [{"name": "web", "image": "orrery/hello:v2"}]}}
    image = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web"}, "spec": {"template": template}}
    text = yaml.safe_dump_all([{"kind": "Scene", "include": ["web-3.yaml"]}, change, image])
    (tmp_path / "over.yaml").write_text(text)
    objects = {obj["kind"]: obj for obj in read_scene(tmp_path, "over.yaml", "simulated").objects}
    assert objects["Service"]["spec"]["selector"] == {"app": "wbe"}
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    [container] = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "orrery/hello:v2" and container["readinessProbe"]


def test_what_is_included_brings_along_what_it_includes_itself(tmp_path):
    (tmp_path / "inner.yaml").write_text("kind: Scene\ninclude: [three-control-planes.yaml]\n")
    (tmp_path / "outer.yaml").write_text("kind: Scene\ninclude: [inner.yaml]\n")
    names = {obj["metadata"]["name"] for obj in read_scene(tmp_path, "outer.yaml", "simulated").objects}
    assert {"control-plane-a", "control-plane-c", "node-a", "web"} <= names


def test_a_step_begins_when_what_its_scene_waits_for_has_come(theatre, tmp_path):
    (tmp_path / "small.yaml").write_text("kind: Scene\ninclude: [web-3.yaml]\nuntil: pods app=web count == 2\n")
    waits = read_scene(tmp_path, "small.yaml", "simulated")
    view = theatre.client.view()
    assert settled(view, theatre.scene) and not settled(view, waits)
    theatre.client.delete(PODS, "default", sorted(theatre.webs())[0], grace_seconds=0)
    theatre.settle(EndpointSliceController())
    view = theatre.client.view()
    assert not settled(view, theatre.scene) and settled(view, waits)


def test_what_is_not_about_pods_leaves_those_that_are_well(theatre, tmp_path):
    file = "kind: Scene\ninclude: [web-3.yaml]\nuntil: service/web endpoints == 0\n---\n"
    file += "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: wbe}}\n"
    (tmp_path / "misses.yaml").write_text(file)
    before, theatre.scene = theatre.webs(), read_scene(tmp_path, "misses.yaml", "simulated")
    theatre.reset_later()
    assert theatre.webs() == before


def test_pods_that_are_as_the_scene_waits_for_stay_though_they_are_not_ready(theatre, tmp_path):
    (tmp_path / "never.yaml").write_text("kind: Scene\ninclude: [web-3.yaml]\nuntil: pods app=web ready == 0\n")
    theatre.scene = read_scene(tmp_path, "never.yaml", "simulated")
    theatre.run(theatre.pods(), ready=False)
    before = theatre.webs()
    theatre.reset_later()
    assert theatre.webs() == before


def test_where_endpoints_follow_nothing_they_are_not_waited_for(theatre, tmp_path):
    wheel = "apiVersion: orrery.io/v1\nkind: Wheel\nmetadata: {name: endpointslice}\nspec: {mode: Paused}\n"
    (tmp_path / "stands.yaml").write_text(f"kind: Scene\ninclude: [web-3.yaml]\n---\n{wheel}")
    theatre.scene = read_scene(tmp_path, "stands.yaml", "simulated")
    theatre.reset()
    for each in theatre.client.list(ENDPOINTSLICES):
        theatre.client.delete(ENDPOINTSLICES, each["metadata"]["namespace"], each["metadata"]["name"])
    assert settled(theatre.client.view(), theatre.scene)
    assert not settled(theatre.client.view(), scene("web-3.yaml"))


# What is called release-… is applied by steps.
@pytest.mark.parametrize("file", sorted(path.name for path in SCENES.glob("[!r]*.yaml")))
def test_every_scene_can_be_read(file):
    objects = scene(file).objects
    assert all(obj["metadata"]["labels"]["orrery.io/runtime"] for obj in objects if obj["kind"] == "Node")
    assert len({(obj["kind"], obj["metadata"]["name"]) for obj in objects}) == len(objects)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: Scene\ninclude: [nowhere.yaml]\n", "there is no file nowhere.yaml"),
        ("kind: Scene\ninclude: [bad.yaml]\n", "bad.yaml includes itself"),
        ("kind: Scene\nfresh: true\n", "a Scene has no fresh"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", "a Pod has no name"),
        ("apiVersion: orrery.io/v1\nkind: Release\nmetadata: {name: x}\n", "a scene has no Release"),
        ("kind: Scene\nkind: [", "bad.yaml, line 2: expected the node content"),
        ("apiVersion: v1\nkind: Pot\nmetadata: {name: x}\n", "there is no kind Pot"),
    ],
)
def test_a_scene_that_cannot_be_set_is_refused_in_words(tmp_path, text, says):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_scene(tmp_path, "bad.yaml", "simulated")


def test_the_cluster_of_lessons_is_made_once(db):
    assert ensure_learning_cluster("school")
    assert not ensure_learning_cluster("school")
    nodes = Client("school", "tester").list(NODES)
    assert sorted(node["metadata"]["name"] for node in nodes) == ["control-plane-a", "node-a", "node-b", "node-c"]


def test_only_those_beyond_their_share_move_where_places_matter(theatre, tmp_path):
    theatre.scene, before = Scene(theatre.scene.objects, even=True), theatre.webs()  # all three are on node-a

    def fairly(_: str) -> None:
        for pod in theatre.pods():
            if not pod["spec"].get("nodeName"):
                taken = [one["spec"].get("nodeName") for one in theatre.pods()]
                theatre.client.bind([(pod, min(("node-a", "node-b", "node-c"), key=taken.count), None)])

    theatre.bind = fairly
    theatre.reset()
    assert len(before & theatre.webs()) == 1
    after = theatre.webs()
    theatre.reset_later()
    assert theatre.webs() == after


def test_what_was_restarted_is_as_good_as_before(theatre):
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}
    theatre.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"template": template}})
    for _ in range(4):
        theatre.settle(*WORKLOADS, EndpointSliceController())
        theatre.bind("node-a")
        theatre.run([pod for pod in theatre.pods() if pod.get("status", {}).get("phase") != "Running"])
    before = {pod["metadata"]["name"] for pod in theatre.pods() if "deletionTimestamp" not in pod["metadata"]}
    theatre.reset_later()
    assert len(before) == 3 and theatre.webs() == before
    assert len(theatre.client.list(REPLICASETS)) == 1  # and there is no revision to go back to


def test_a_pod_that_is_to_wait_is_made_anew_when_it_has_found_a_node(theatre):
    theatre.scene = read_scene(settings.LESSONS_DIR / "13-scheduling", "picky-waits.yaml", "simulated")
    for _ in range(3):
        set_stage(theatre.tutor, theatre.scene)
    theatre.bind("node-a")
    theatre.run(theatre.pods())
    time.sleep(1.1)
    assert not set_stage(theatre.tutor, theatre.scene, time.time())
    assert [pod["spec"].get("nodeName") for pod in theatre.pods()] in ([], [None])


def test_what_is_its_own_owner_goes(theatre):
    web = theatre.client.list(DEPLOYMENTS)[0]
    names = ("itself", "one", "other")
    for name in names:
        theatre.client.create(DEPLOYMENTS, {"metadata": {"name": name, "namespace": "default"}, "spec": web["spec"]})
    for name, owner in zip(names, ("itself", "other", "one"), strict=True):
        ref = owner_reference(theatre.client.get(DEPLOYMENTS, "default", owner))
        patch = {"metadata": {"ownerReferences": [ref]}}
        theatre.client.patch(DEPLOYMENTS, "default", name, patch)
    view = theatre.client.view()
    fitting = Fitting(view, theatre.scene, time.time())
    found = {obj["metadata"]["name"]: obj for obj in view.list(DEPLOYMENTS.resource)}
    assert [fitting.stays(found[name]) for name in ("web", *names)] == [True, False, False, False]
    assert root_of(view, found["itself"]) is not None
    assert root_of(view, found["one"])["metadata"]["name"] in names
