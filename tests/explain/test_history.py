"""The readings of the log as JSON: at the plain port, at the TLS port with RBAC, and by a real kubectl."""

import json
import subprocess

import pytest

from lab.apimachinery.kinds import CLUSTERROLES, RBAC, ROLEBINDINGS
from lab.client import Client
from lab.store import compact, view
from tests.apiserver.conftest import deployment, pod
from tests.apiserver.secured import Secured, add_robot

WEB = "/apis/apps/v1/namespaces/default/deployments/web"
PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def grown(api):
    """A deployment that was made, scaled and deleted again: with the revisions of each."""
    before = view("default").revision
    made = api.create("/apis/apps/v1/namespaces/default/deployments", deployment("web"))
    scaled = api.patch(WEB, {"spec": {"replicas": 4}}).json
    api.ask("DELETE", WEB)
    return before, int(made["metadata"]["resourceVersion"]), int(scaled["metadata"]["resourceVersion"])


def test_it_says_where_the_history_begins_and_ends_and_what_happened_between(api, grown):
    told = api.get("/history").json
    assert (told["begins"]["revision"], told["head"]["revision"]) == (0, view("default").revision)
    assert told["begins"]["time"] <= told["head"]["time"]
    marks = [mark for mark in told["marks"] if mark["object"]["name"] == "web"]
    assert [mark["text"] for mark in marks][:2] == ["made deployment web", "deployment web: replicas 1 → 4"]
    assert marks[0] | {"time": 0} == {
        "revision": grown[1],
        "time": 0,
        "kind": "person",
        "text": "made deployment web",
        "author": "unknown",
        "object": {"resource": "deployments.apps", "namespace": "default", "name": "web"},
    }
    later = api.get(f"/history?from={grown[1]}&to={grown[2]}").json["marks"]
    assert [mark["revision"] for mark in later] == [grown[2]]


def test_the_state_of_a_revision_is_what_was_there(api, grown):
    before, made, scaled = grown
    for revision, replicas in ((before, []), (made, [1]), (scaled, [4])):
        then = api.get(f"/history/{revision}").json
        assert then["metadata"]["resourceVersion"] == str(revision)
        assert [obj["spec"]["replicas"] for obj in then["items"] if obj["kind"] == "Deployment"] == replicas


def test_the_difference_of_two_revisions_names_each_object(api, grown):
    before, made, scaled = grown
    told = api.get(f"/history/{made}/{scaled}").json
    about = {"resource": "deployments.apps", "kind": "Deployment", "namespace": "default", "name": "web"}
    assert told["objects"] == [{**about, "change": "changed", "paths": [{"path": "spec.replicas", "from": 1, "to": 4}]}]
    assert api.get(f"/history/{before}/{made}").json["objects"] == [{**about, "change": "added"}]
    assert api.get(f"/history/{made}/{before}").json["objects"] == [{**about, "change": "removed"}]
    assert api.get(f"/history/{made}/{made}").json["objects"] == []


def test_the_history_of_an_object_outlives_it(api, grown):
    told = api.get(f"{WEB}/history").json
    assert (told["kind"], told["name"], told["more"]) == ("Deployment", "web", False)
    acts = [(row["act"], [item["path"] for item in row["changed"]]) for row in told["revisions"]]
    assert acts[0][0] == "deleted" and acts[-2:] == [("updated", ["spec.replicas"]), ("created", [])]
    assert [row["revision"] for row in told["revisions"][-2:]] == [grown[2], grown[1]]
    assert {(row["author"], row["cause"]) for row in told["revisions"]} == {("unknown", 0)}


def test_secrets_keep_what_they_hold(api):
    secrets = "/api/v1/namespaces/default/secrets"
    api.create(secrets, {"metadata": {"name": "s"}, "stringData": {"word": "sesame"}})
    api.patch(f"{secrets}/s", {"stringData": {"word": "mustard"}})
    head = view("default").revision
    told = [
        api.get(path)
        for path in (f"/history/{head}", f"/history/{head - 1}/{head}", f"{secrets}/s/history", "/history")
    ]
    assert all(b"word" in reply.raw for reply in told[:3])
    assert not any(word in reply.raw for reply in told for word in (b"c2VzYW1l", b"bXVzdGFyZA", b"sesame", b"mustard"))


def test_what_was_compacted_is_gone_and_what_is_not_written_is_not_there(api, grown):
    head = view("default").revision
    compact("default", keep=0)
    for path in (f"/history/{head - 1}", f"/history/{head - 1}/{head}"):
        reply = api.get(path)
        assert (reply.code, reply.json["reason"]) == (
            410,
            "Expired",
        ) and "/history says where it begins" in reply.raw.decode()
    assert api.get("/history").json["begins"]["revision"] == head
    assert api.get(f"/history/{head}").code == 200
    assert api.get("/history").json["marks"] == []  # those that were known go with their rows
    early = api.get(f"/history/{head + 1}")
    assert (early.code, early.json["reason"]) == (404, "NotFound") and str(head) in early.json["message"]


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("GET", "/history/yesterday", 400, '"yesterday" is no revision'),
        ("GET", "/history?from=-1", 400, 'from: "-1" is no revision'),
        ("POST", "/history", 405, ""),
        ("DELETE", f"{WEB}/history", 405, ""),
        ("GET", f"{WEB}/history", 404, 'deployments.apps "web" not found'),
        ("GET", f"{PODS}/web/future", 404, ""),
    ],
)
def test_a_refusal_says_what_is_wrong(api, method, path, code, words):
    reply = api.ask(method, path)
    assert reply.code == code and reply.json["kind"] == "Status"
    assert words in reply.json["message"]


def test_an_object_may_be_called_as_a_reading_is(api):
    api.create(PODS, pod("history"))
    assert api.get(f"{PODS}/history").json["kind"] == "Pod"
    assert api.get(f"{PODS}/history/history").json["revisions"][-1]["act"] == "created"
    assert api.get("/api/v1/namespaces/default/history").json["kind"] == "Namespace"


def test_kubectl_reads_it(api, kubeconfig, kubectl, grown):
    def raw(path: str) -> dict:
        command = [kubectl, "--kubeconfig", kubeconfig, "get", "--raw", path]
        return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)

    assert raw(f"/history/{grown[1]}")["metadata"]["resourceVersion"] == str(grown[1])
    assert len(raw(f"/history/{grown[1]}/{grown[2]}")["objects"]) == 1
    assert raw(f"{WEB}/history")["name"] == "web"
    assert raw(f"/history/{grown[2]}/thread")["root"]["author"] == raw(f"{WEB}/history")["revisions"][-1]["author"]
    assert raw(f"{WEB}/thread")["hops"][-1]["object"]["name"] == "web"
    assert raw(f"{WEB}/why")["cards"][-1]["question"] == "Why is it there?"


def test_a_token_reads_of_what_its_role_shows_and_not_of_the_cluster(api, tls_server):
    client, tls = Client("default", author="tests"), Secured(tls_server)
    api.create(PODS, pod("web-1"))
    add_robot(client)
    token = client.create_token("default", "robot", {})["token"]
    for part in ("history", "thread", "why"):
        refused = tls.ask("GET", f"{PODS}/web-1/{part}", token=token)
        assert refused.code == 403 and f'resource "pods/{part}"' in refused.json["message"]
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}
    ref = {"apiGroup": RBAC, "kind": CLUSTERROLES.kind, "name": "view"}
    meta = {"name": "views", "namespace": "default"}
    client.create(ROLEBINDINGS, {"metadata": meta, "roleRef": ref, "subjects": [subject]})
    assert tls.ask("GET", f"{PODS}/web-1/history", token=token).json["name"] == "web-1"
    assert tls.ask("GET", f"{PODS}/web-1/thread", token=token).json["root"]["text"] == "made pod web-1"
    assert tls.ask("GET", f"{PODS}/web-1/why", token=token).json["cards"][-1]["reason"] == "Created"
    for part in ("history", "thread", "why"):
        assert tls.ask("GET", f"/api/v1/namespaces/default/secrets/s/{part}", token=token).code == 403
    for path in ("/history", "/history/1", "/history/1/thread", "/history/1/2"):
        reply = tls.ask("GET", path, token=token)
        assert reply.code == 403 and f'cannot get path "{path}"' in reply.json["message"]
    assert tls.ask("GET", "/history/1", user=("kubernetes-admin", "system:masters")).code == 200
