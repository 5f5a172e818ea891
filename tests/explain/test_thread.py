"""Threads: from any row back to a person, the clock or a fault, and forwards to what came of it."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, ENDPOINTS, ENDPOINTSLICES, EVENTS, LEASES, NODES, PODS, SERVICES
from lab.client import Client, Put
from lab.controllers.endpoints.controller import EndpointSliceController
from lab.explain import thread
from lab.explain.authors import AUTHORS
from lab.explain.past import PastClient
from lab.explain.roots import root
from lab.explain.words import told
from lab.store import Row
from lab.tasks import LOOPS
from tests.apiserver.conftest import deployment
from tests.controllers.cluster import WORKLOADS, Cluster


def row(revision: int, author: str, cause: int = 0, why: dict | None = None, **more) -> Row:
    """A row that made a pod, unless there is an `old` one."""
    obj = {"kind": "Pod", "metadata": {"name": "web", "namespace": "default"}, "spec": {}, "status": {}}
    told = {"object": obj, "old": None, "created": "old" not in more, "deleted": False, **more}
    return Row(
        revision, PODS.resource, "default", "web", time=float(revision), author=author, cause=cause, why=why, **told
    )


def same(revision: int, cause: int) -> Row:
    """A row that says nothing new."""
    return row(revision, "kubelet", cause, old=row(1, "kubectl").object)


DIED = {"reason": "ContainerDied", "container": "web", "exitCode": 137, "ended": "OOMKilled"}


@pytest.mark.parametrize(
    ("begun", "kind", "text"),
    [
        (row(1, "kubectl"), "person", "made pod web"),
        (row(1, "board"), "person", "made pod web"),
        (row(1, "system:serviceaccount:default:robot"), "person", "made pod web"),
        (row(2, "kubectl", created=False), "person", "changed pod web"),  # the row that made it is no longer kept
        (row(1, "cronjob-controller"), "clock", "the time had come: made pod web"),
        (row(1, "endpointslice-controller"), "lost", "nobody noted what led to it: made pod web"),
        (row(1, "kubelet", why={"fault": DIED}), "fault", "container web ended with exit code 137"),
        (row(2, "kubelet", cause=1), "forgotten", "revision 1 led to it, and is no longer kept"),
    ],
)
def test_what_a_thread_begins_with_is_told_by_its_first_row_alone(begun, kind, text):
    assert (root(begun).kind, root(begun).text) == (kind, text)


def test_a_heartbeat_is_said_as_what_it_is_and_not_by_its_times():
    def lease(holder: str, at: str) -> dict:
        spec = {"holderIdentity": holder, "renewTime": at}
        return {"kind": "Lease", "metadata": {"name": "kube-scheduler", "namespace": "kube-system"}, "spec": spec}

    def said(holder: str) -> str:
        old, new = lease("a", "12:00:00"), lease(holder, "12:00:02")
        whose = {"author": "leader-election", "cause": 0, "why": None, "created": False, "deleted": False}
        beat = Row(2, LEASES.resource, "kube-system", "kube-scheduler", object=new, old=old, time=2.0, **whose)
        return told(beat)

    assert said("a") == "renewed lease kube-scheduler"
    assert said("b") == "lease kube-scheduler is held by b"


def test_each_of_the_labs_own_loops_is_known_by_name():
    assert {loop.author for loop in LOOPS.values()} <= AUTHORS.keys()


def test_what_says_nothing_new_is_left_out_unless_something_came_of_it():
    rows = {
        each.revision: each for each in (row(1, "kubectl"), same(2, 1), same(3, 1), row(4, "scheduler", 3), same(5, 4))
    }
    assert sorted(thread.without_silence(rows, keep=())) == [1, 3, 4]
    assert sorted(thread.without_silence(rows, keep=(5,))) == [1, 3, 4, 5]


def test_the_engines_calls_are_hops_at_their_own_time():
    did = [
        {"call": "RunPodSandbox", "at": 7.0, "seconds": 0.5},
        {"call": "StartContainer", "container": "web", "at": 8.0, "seconds": 0.1},
    ]
    first, second, last = thread.hops_of(row(9, "kubelet", 5, why={"decision": "SyncPod", "did": did}), {5, 9})
    assert [(hop["time"], hop["lane"], hop["text"]) for hop in (first, second)] == [
        (7.5, "engine", "made the pod's sandbox"),
        (8.1, "engine", "started container web"),
    ]
    assert (last["lane"], last["parent"], last["decision"]) == ("kubelet", 5, "SyncPod")


@pytest.mark.django_db
class TestOnTheRealStore:
    @pytest.fixture
    def web(self):
        cluster = Cluster("threads")
        cluster.add_node("n1")
        cluster.deploy(2)
        cluster.run_all()
        return cluster

    def test_a_scaling_is_followed_from_the_person_to_the_pods_and_nothing_else(self, web):
        scaled = web.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 3}})
        web.run_all()
        told = thread.of_object(web.client, DEPLOYMENTS, "default", "web")
        assert told["root"] | {"time": 0} == {
            "kind": "person",
            "author": "tester",
            "text": "deployment web: replicas 2 → 3",
            "time": 0,
            "revision": int(scaled["metadata"]["resourceVersion"]),
        }
        hops = told["hops"]
        assert [hop["lane"] for hop in hops[:3]] == ["person", "deployment", "replicaset"]
        assert [hop["text"].split()[:2] for hop in hops[:3]] == [
            ["deployment", "web:"],
            ["replicaset", hops[1]["object"]["name"] + ":"],
            ["made", "pod"],
        ]
        assert [hop["parent"] for hop in hops[1:3]] == [hop["revision"] for hop in hops[:2]]
        assert len({hop["object"]["name"] for hop in hops if hop["object"]["resource"] == "pods"}) == 1
        assert hops == sorted(hops, key=lambda hop: hop["time"])
        assert told["truncated"] == 0
        # The same thread from its other end.
        made = thread.of_revision(web.client, hops[2]["revision"])
        assert made["root"] == told["root"]
        assert made["hops"][:3] == hops[:3]

    def test_a_pods_thread_is_its_life_with_all_that_led_to_it(self, web):
        name = web.pods()[0]["metadata"]["name"]
        web.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 0}})
        web.settle()
        told = thread.of_object(web.client, PODS, "default", name)
        texts = [hop["text"] for hop in told["hops"]]
        assert texts[0] == "made deployment web"
        assert f"made pod {name}" in texts
        assert "deployment web: replicas 2 → 0" in texts  # why it had to end
        assert texts[-1] in (f"told pod {name} to end", f"removed pod {name}")
        others = {hop["object"]["name"] for hop in told["hops"] if hop["object"]["resource"] == "pods"}
        assert others == {name}

    def test_a_deployments_thread_is_its_rollout_from_the_person_until_it_is_done(self):
        cluster = Cluster("threads")
        cluster.deploy(2)
        cluster.settle()
        tester = cluster.client
        for pod in cluster.pods():
            cluster.client = Client("threads", "kubelet").caused_by(int(pod["metadata"]["resourceVersion"]))
            cluster.run([pod])
        cluster.settle()
        told = thread.of_object(tester, DEPLOYMENTS, "default", "web")
        texts = [hop["text"] for hop in told["hops"]]
        assert (told["root"]["author"], texts[0]) == ("tester", "made deployment web")
        assert "deployment web: rollout 1 begins" in texts
        assert sum(text.startswith("made pod") for text in texts) == 2
        assert texts[-1] == "deployment web: rollout 1 is done"

    def test_a_long_thread_is_cut_and_says_by_how_much(self, web, monkeypatch):
        begun = web.client.history(DEPLOYMENTS, "default", "web")[-1]["revision"]
        whole = thread.of_revision(web.client, begun)
        monkeypatch.setattr(thread, "HOPS", 2)
        short = thread.of_revision(web.client, begun)
        assert short["hops"] == whole["hops"][:2] + whole["hops"][-2:]
        assert (whole["truncated"], len(whole["hops"])) == (0, 5)  # the deployment, its set and two pods, each ready
        assert (short["truncated"], short["cut"]) == (1, 2)

    def test_a_pod_of_many_rows_keeps_its_beginning_and_its_end(self, web, monkeypatch):
        monkeypatch.setattr(thread, "OWN", 4)
        name = web.pods()[0]["metadata"]["name"]
        for ready in (False, True) * 5:
            web.run([web.client.get(PODS, "default", name)], ready)
        told = thread.of_object(web.client, PODS, "default", name)
        texts = [hop["text"] for hop in told["hops"]]
        assert texts[:2] == ["made deployment web", told["hops"][1]["text"]] and f"made pod {name}" in texts
        assert texts[-4:] == [f"pod {name} is {word}" for word in ("not ready", "ready") * 2]
        own = len(web.client.history(PODS, "default", name))
        assert told["truncated"] == own - 8
        assert told["hops"][told["cut"]]["text"] == texts[-4]

    def test_in_the_past_it_ends_where_one_stands(self, web):
        begun = web.client.history(DEPLOYMENTS, "default", "web")[-1]["revision"]
        whole = thread.of_revision(web.client, begun)["hops"]
        name = web.pods()[0]["metadata"]["name"]
        born = web.client.history(PODS, "default", name)[-1]["revision"]
        then = PastClient("threads", born)
        assert thread.of_revision(then, begun)["hops"] == [hop for hop in whole if hop["revision"] <= born]
        life = thread.of_object(then, PODS, "default", name)
        assert (life["root"]["revision"], life["hops"][-1]["revision"]) == (begun, born)
        assert whole[-1]["revision"] > born
        with pytest.raises(ApiError) as early:
            thread.of_revision(then, born + 1)
        assert early.value.code == 404 and f"newest is {born}" in early.value.message

    def test_of_an_event_it_tells_what_came_of_that_of_which_it_tells(self, web):
        scaled = web.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 3}})
        web.settle()
        event = next(e for e in web.client.list(EVENTS) if "from 2 to 3" in e["message"])
        told = thread.of_revision(web.client, int(event["metadata"]["resourceVersion"]))
        assert told["root"]["revision"] == int(scaled["metadata"]["resourceVersion"])
        kinds = {hop["object"]["resource"] for hop in told["hops"]}
        assert {EVENTS.resource, PODS.resource} <= kinds

    def test_what_endpoints_say_after_their_slices_is_left_out(self, web):
        port = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
        web.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": port})
        web.settle(*WORKLOADS, EndpointSliceController())
        told = thread.of_object(web.client, SERVICES, "default", "web")
        kinds = {hop["object"]["resource"] for hop in told["hops"]}
        assert web.client.find(ENDPOINTS, "default", "web")
        assert ENDPOINTSLICES.resource in kinds and ENDPOINTS.resource not in kinds
        own = thread.of_object(web.client, ENDPOINTS, "default", "web")  # whoever asks for them is told
        assert own["hops"][-1]["object"]["resource"] == ENDPOINTS.resource

    def test_a_node_that_fell_silent_is_a_fault_that_the_clock_found(self, web):
        fault = {"reason": "NodeSilent", "node": "n1"}
        node = web.client.get(NODES, "", "n1")
        silent = {**node, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
        author = web.client.author
        web.client.author = "node-controller"
        web.client.write([Put(NODES, silent, "status", {"decision": "NodeStatusUnknown", "fault": fault})])
        web.client.author = author
        told = thread.of_object(web.client, NODES, "", "n1")
        assert (told["root"]["kind"], told["root"]["text"]) == ("fault", "node n1 fell silent")


def test_a_thread_is_asked_for_as_the_api_is_and_outlives_its_object(api):
    web = "/apis/apps/v1/namespaces/default/deployments/web"
    made = api.create("/apis/apps/v1/namespaces/default/deployments", deployment("web"))
    scaled = api.patch(web, {"spec": {"replicas": 4}}).json["metadata"]["resourceVersion"]
    told = api.get(f"{web}/thread").json
    assert (told["root"]["kind"], told["root"]["text"]) == ("person", "deployment web: replicas 1 → 4")
    assert api.get(f"/history/{scaled}/thread").json == told
    begun = api.get(f"/history/{made['metadata']['resourceVersion']}/thread").json
    assert [hop["text"] for hop in begun["hops"]] == ["made deployment web"]
    api.ask("DELETE", web)
    assert api.get(f"{web}/thread").json["hops"][-1]["text"] in ("told deployment web to end", "removed deployment web")
    assert api.get("/history/999999/thread").code == 404
    assert api.get("/api/v1/namespaces/default/pods/nobody/thread").code == 404
