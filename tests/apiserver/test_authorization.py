"""What a ServiceAccount may do at the TLS port, what it is told otherwise, and how it can ask beforehand."""

import pytest

from lab.apimachinery.kinds import RBAC, ROLEBINDINGS
from lab.client import Client

from .secured import READ_PODS, ROBOT, Secured, add_robot, grant

PODS = "/api/v1/namespaces/default/pods"
ROLES = f"/apis/{RBAC}/v1/namespaces/default/roles"
ACCESS = "/apis/authorization.k8s.io/v1"


@pytest.fixture
def client(api) -> Client:
    return Client("default", "test")


@pytest.fixture
def ask(api, tls_server, client):
    """One request of the account `robot`, which may read pods."""
    add_robot(client, READ_PODS)
    path = "/api/v1/namespaces/default/serviceaccounts/robot/token"
    token = api.create(path, {})["status"]["token"]
    tls = Secured(tls_server)
    return lambda method, path, body=None, **headers: tls.ask(method, path, body, token=token, **headers)


def test_it_may_do_what_its_role_says_and_is_told_what_it_may_not(ask):
    assert ask("GET", PODS).json["items"] == []
    assert ask("GET", f"{PODS}/web").code == 404
    for method, path, verb, what, where in (
        ("DELETE", f"{PODS}/web", "delete", 'resource "pods" in API group ""', 'in the namespace "default"'),
        ("POST", PODS, "create", 'resource "pods" in API group ""', 'in the namespace "default"'),
        ("GET", "/api/v1/pods", "list", 'resource "pods" in API group ""', "at the cluster scope"),
        ("GET", "/apis/apps/v1/deployments?watch=1", "watch", 'resource "deployments" in API group "apps"',
         "at the cluster scope"),
        ("GET", f"{PODS}/web/log", "get", 'resource "pods/log" in API group ""', 'in the namespace "default"'),
    ):  # fmt: skip
        refused = ask(method, path, {} if method == "POST" else None)
        assert refused.code == 403
        assert refused.json["reason"] == "Forbidden"
        assert refused.json["message"].endswith(f'User "{ROBOT}" cannot {verb} {what} {where}')
    assert ask("GET", f"{PODS}?watch=1&timeoutSeconds=1").code == 200


def test_everybody_who_is_known_may_find_out_what_there_is(ask):
    for path in ("/version", "/api", "/apis", "/apis/apps/v1", "/openapi/v3", "/healthz"):
        assert ask("GET", path).code == 200


def test_what_does_not_exist_is_refused_as_everywhere(ask):
    assert ask("GET", "/api/v1/widgets").code == 404
    assert ask("GET", "/apis/apps/v1//pods").code == 404


def test_a_right_holds_at_once_and_as_long_as_it_is_there(ask, client):
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["mine"]}
    path = "/api/v1/namespaces/default/configmaps"
    assert ask("GET", f"{path}/mine").code == 403
    grant(client, "robot", [rule], "mine")
    assert ask("GET", f"{path}/mine").code == 404
    assert ask("GET", f"{path}/yours").code == 403
    client.delete(ROLEBINDINGS, "default", "mine")
    assert ask("GET", f"{path}/mine").code == 403


def test_it_cannot_give_itself_more_than_it_has(ask, client):
    may_write_roles = [{"apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": ["*"]}]
    # All verbs, and so `escalate` and `bind` too: that is for who may do everything with roles.
    writer = [{**may_write_roles[0], "verbs": ["create", "get", "update", "patch"]}]
    grant(client, "robot", writer, "writer")
    role = {"metadata": {"name": "more"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
    refused = ask("POST", ROLES, role)
    assert refused.code == 403
    assert refused.json["message"] == (
        f'roles.{RBAC} "more" is forbidden: user "{ROBOT}" (groups=["system:serviceaccounts" '
        '"system:serviceaccounts:default" "system:authenticated"]) is attempting to grant RBAC permissions not '
        'currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    assert ask("POST", ROLES, {**role, "rules": READ_PODS}).code == 201
    grown = {"metadata": {"name": "more"}, "rules": role["rules"]}
    assert ask("PUT", f"{ROLES}/more", grown).code == 403
    binding = {
        "metadata": {"name": "all"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}],
    }
    assert ask("POST", ROLES.replace("roles", "rolebindings"), binding).code == 403
    grant(client, "robot", may_write_roles, "master-of-roles")
    assert ask("PUT", f"{ROLES}/more", grown).code == 200


def test_an_apply_that_would_create_must_be_allowed_to(ask, client):
    path = "/api/v1/namespaces/default/configmaps/note?fieldManager=robot"
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"a": "1"}}
    grant(client, "robot", [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}], "patcher")

    def apply():
        return ask("PATCH", path, note, Content_Type="application/apply-patch+yaml")

    assert 'cannot create resource "configmaps"' in apply().json["message"]
    grant(client, "robot", [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}], "creator")
    assert apply().code == 201
    client.delete(ROLEBINDINGS, "default", "creator")
    assert apply().code == 200


def test_it_can_ask_what_it_may(ask):
    def may(**about: str) -> dict:
        spec = {"resourceAttributes": {"namespace": "default", **about}}
        reply = ask("POST", f"{ACCESS}/selfsubjectaccessreviews", {"spec": spec})
        assert reply.code == 201, reply.raw
        return reply.json["status"]

    assert may(verb="list", resource="pods") == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "robot/default" of Role "robot" to ServiceAccount "robot/default"',
    }
    assert may(verb="delete", resource="pods") == {"allowed": False}
    spec = {"nonResourceAttributes": {"verb": "get", "path": "/version"}}
    assert ask("POST", f"{ACCESS}/selfsubjectaccessreviews", {"spec": spec}).json["status"]["allowed"]


def test_it_can_ask_for_all_it_may(ask):
    status = ask("POST", f"{ACCESS}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}).json["status"]
    assert READ_PODS[0] in status["resourceRules"]
    assert any("/version" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
    assert status["incomplete"] is False


def test_only_who_may_can_ask_about_others(api, ask):
    spec = {"user": ROBOT, "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}
    assert ask("POST", f"{ACCESS}/subjectaccessreviews", {"spec": spec}).code == 403
    assert api.create(f"{ACCESS}/subjectaccessreviews", {"spec": spec})["status"]["allowed"]
    local = f"{ACCESS}/namespaces/default/localsubjectaccessreviews"
    assert api.create(local, {"spec": spec})["status"]["allowed"]
    elsewhere = {**spec, "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "kube-system"}}
    refused = api.ask("POST", local, {"spec": elsewhere}).json
    assert refused["details"]["causes"][0]["field"] == "spec.resourceAttributes.namespace"


def test_a_review_without_a_question_is_invalid(api):
    refused = api.ask("POST", f"{ACCESS}/selfsubjectaccessreviews", {"spec": {}})
    assert (refused.code, refused.json["message"]) == (
        422,
        'SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: '
        "exactly one of nonResourceAttributes or resourceAttributes must be specified",
    )
    assert api.ask("POST", f"{ACCESS}/subjectaccessreviews", {"spec": {"user": 7}}).code == 400
    assert api.get(f"{ACCESS}/selfsubjectaccessreviews").code == 405
