"""RBAC's rules: what they allow, and what nobody may hand on."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CLUSTERROLEBINDINGS, CLUSTERROLES, RBAC, ROLEBINDINGS, ROLES
from lab.apiserver.access.attributes import Attributes, of_request, refusal
from lab.apiserver.access.escalation import check
from lab.apiserver.access.rbac import allows, authorize
from lab.apiserver.access.user import LOOPBACK, User
from lab.client import Client
from lab.client.clusters import ensure_cluster

JANE = User("jane", ("developers", "system:authenticated"))
READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}


@pytest.mark.parametrize(
    ("change", "asked", "allowed"),
    [
        ({}, {}, True),
        ({}, {"verb": "delete"}, False),
        ({}, {"resource": "secrets"}, False),
        ({}, {"group": "apps"}, False),
        ({}, {"subresource": "log"}, False),
        ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verb": "boil", "subresource": "log"}, True),
        ({"resources": ["pods/log"]}, {"subresource": "log"}, True),
        ({"resources": ["pods/log"]}, {}, False),
        ({"resources": ["*/scale"]}, {"resource": "deployments", "subresource": "scale"}, True),
        ({"resources": ["*/scale"]}, {"resource": "deployments"}, False),
        ({"resourceNames": ["web-1"]}, {"name": "web-1"}, True),
        ({"resourceNames": ["web-1"]}, {"name": "web-2"}, False),
        ({"resourceNames": ["web-1"]}, {}, False),
    ],
)
def test_a_rule_covers_what_it_names_and_nothing_else(change, asked, allowed):
    attributes = Attributes(**{"verb": "get", "resource": "pods", "namespace": "default"} | asked)
    assert allows(READ | change, attributes) is allowed


@pytest.mark.parametrize(
    ("url", "allowed"), [("/version", True), ("/ver*", True), ("*", True), ("/version/", False), ("/versions", False)]
)
def test_a_path_is_covered_by_itself_or_by_its_beginning(url, allowed):
    rule = {"verbs": ["get"], "nonResourceURLs": [url]}
    assert allows(rule, Attributes("get", path="/version")) is allowed
    assert not allows(rule, Attributes("get", resource="pods"))
    assert not allows(READ, Attributes("get", path="/version"))


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/api/v1/namespaces/a/pods", {}, Attributes("list", "", "pods", namespace="a")),
        ("GET", "/api/v1/pods", {"watch": "1"}, Attributes("watch", "", "pods")),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name=x"}, Attributes("list", "", "pods", name="x")),
        ("GET", "/api/v1/pods", {"fieldSelector": "status.phase!=x\\,metadata.name=x"}, Attributes("list", "", "pods")),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name!=x"}, Attributes("list", "", "pods")),
        ("GET", "/api/v1/namespaces/a", {}, Attributes("get", "", "namespaces", namespace="a", name="a")),
        ("DELETE", "/api/v1/namespaces/a/pods", {}, Attributes("deletecollection", "", "pods", namespace="a")),
        ("GET", "/api/v1/namespaces/a/pods/p/exec", {}, Attributes("create", "", "pods", "exec", "a", "p")),
        ("GET", "/api/v1/namespaces/a/pods/p/log", {}, Attributes("get", "", "pods", "log", "a", "p")),
        ("PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale", {},
         Attributes("patch", "apps", "deployments", "scale", "a", "d")),
        ("GET", "/apis/apps/v1", {}, Attributes("get", path="/apis/apps/v1")),
        ("GET", "/version", {}, Attributes("get", path="/version")),
    ],
)  # fmt: skip
def test_a_request_is_a_verb_on_something(method, path, query, expected):
    assert of_request(method, path, query) == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Attributes("list", "", "pods", namespace="default"),
         'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"'),
        (Attributes("patch", "apps", "deployments", "scale", "a", "web"),
         'deployments.apps "web" is forbidden: User "jane" cannot patch resource "deployments/scale" in API group '
         '"apps" in the namespace "a"'),
        (Attributes("list", "", "nodes"),
         'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope'),
        (Attributes("get", path="/metrics"), 'forbidden: User "jane" cannot get path "/metrics"'),
    ],
)  # fmt: skip
def test_a_refusal_is_in_kubernetes_words(asked, words):
    assert (refusal("jane", asked).code, refusal("jane", asked).message) == (403, words)


@pytest.fixture
def client(transactional_db) -> Client:
    ensure_cluster("default")
    return Client("default", "test")


def bind(client: Client, role: str, kind=ROLEBINDINGS, of="Role", to: tuple[str, str] = ("User", "jane")) -> None:
    subject = {"kind": to[0], "name": to[1], "apiGroup": RBAC}
    home = {"namespace": "default"} if kind is ROLEBINDINGS else {}
    ref = {"apiGroup": RBAC, "kind": of, "name": role}
    client.create(kind, {"metadata": {"name": f"{role}-{to[1]}", **home}, "roleRef": ref, "subjects": [subject]})


def test_a_binding_of_a_namespace_counts_there_alone_and_says_who_allowed_it(client):
    client.create(ROLES, {"metadata": {"name": "reader", "namespace": "default"}, "rules": [READ]})
    bind(client, "reader")
    here, there = (Attributes("list", "", "pods", namespace=home) for home in ("default", "kube-system"))
    said = authorize(client.view(), JANE, here)
    assert (said.allowed, said.reason) == (
        True,
        'RBAC: allowed by RoleBinding "reader-jane/default" of Role "reader" to User "jane"',
    )
    assert not authorize(client.view(), JANE, there).allowed
    assert not authorize(client.view(), User("john"), here).allowed


def test_a_cluster_role_may_be_given_to_a_group_in_one_namespace_or_in_all(client):
    pods = Attributes("delete", "", "pods", namespace="default", name="web-1")
    bind(client, "edit", of="ClusterRole", to=("Group", "developers"))
    assert authorize(client.view(), JANE, pods).allowed
    nodes = Attributes("list", "", "nodes")
    assert not authorize(client.view(), JANE, nodes).allowed
    bind(client, "cluster-admin", CLUSTERROLEBINDINGS, "ClusterRole", ("Group", "developers"))
    assert authorize(client.view(), JANE, nodes).allowed


def test_who_edits_a_namespace_may_look_at_endpoints_and_not_lead_its_traffic_elsewhere(client):
    bind(client, "edit", of="ClusterRole")
    verbs = ("list", "create", "update", "patch")
    asked = [Attributes(verb, "", "endpoints", namespace="default") for verb in verbs]
    assert [authorize(client.view(), JANE, each).allowed for each in asked] == [True, False, False, False]


def test_a_role_that_is_not_there_is_named_where_it_would_have_helped(client):
    bind(client, "ghost")
    said = authorize(client.view(), JANE, Attributes("list", "", "pods", namespace="default"))
    assert (said.allowed, said.reason) == (False, f'RBAC: role.{RBAC} "ghost" not found')


def test_the_groups_of_everybody_may_find_out_what_there_is_and_what_they_may(client):
    for asked in (
        Attributes("get", path="/apis/apps"),
        Attributes("get", path="/version"),
        Attributes("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
    ):
        assert authorize(client.view(), JANE, asked).allowed
    assert not authorize(client.view(), JANE, Attributes("get", path="/metrics")).allowed


def role(rules: list[dict]) -> dict:
    return {"metadata": {"name": "new", "namespace": "default"}, "rules": rules}


def test_nobody_grants_what_they_have_not(client):
    client.create(ROLES, {"metadata": {"name": "reader", "namespace": "default"}, "rules": [READ]})
    bind(client, "reader")
    check(client.view(), JANE, ROLES, role([READ]), None)
    more = {"verbs": ["get", "delete", "list"], "apiGroups": [""], "resources": ["pods", "secrets"]}
    with pytest.raises(ApiError) as refused:
        check(client.view(), JANE, ROLES, role([more]), None)
    assert refused.value.code == 403
    assert refused.value.message == (
        f'roles.{RBAC} "new" is forbidden: user "jane" (groups=["developers" "system:authenticated"]) is attempting to '
        "grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete" "list"]}'
    )
    check(client.view(), LOOPBACK, ROLES, role([more]), None)
    check(client.view(), JANE, ROLES, role([more]), role([more]))  # what was there already is not granted anew


def test_who_lacks_the_rights_of_a_role_may_not_even_label_it(client):
    """For another role may gather the rules of what carries a label."""
    client.create(ROLES, {"metadata": {"name": "reader", "namespace": "default"}, "rules": [READ]})
    bind(client, "reader")
    more = role([READ | {"resources": ["secrets"]}])
    labelled = {"labels": {f"{RBAC}/aggregate-to-view": "true"}}
    with pytest.raises(ApiError, match="not currently held"):
        check(client.view(), JANE, ROLES, more | {"metadata": more["metadata"] | labelled}, more)
    check(client.view(), JANE, ROLES, more | {"metadata": more["metadata"] | {"finalizers": ["a/b"]}}, more)
    held = role([READ])
    check(client.view(), JANE, ROLES, held | {"metadata": held["metadata"] | labelled}, held)


def test_a_rule_of_names_is_no_licence_for_all(client):
    client.create(
        ROLES, {"metadata": {"name": "one", "namespace": "default"}, "rules": [READ | {"resourceNames": ["a"]}]}
    )
    bind(client, "one")
    check(client.view(), JANE, ROLES, role([READ | {"resourceNames": ["a"]}]), None)
    for rule in (READ, READ | {"resourceNames": ["a", "b"]}):
        with pytest.raises(ApiError):
            check(client.view(), JANE, ROLES, role([rule]), None)


def test_a_binding_grants_what_its_role_holds_unless_one_may_bind_it(client):
    binding = {
        "metadata": {"name": "mine", "namespace": "default"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "apiGroup": RBAC, "name": "john"}],
    }
    with pytest.raises(ApiError, match="is attempting to grant RBAC permissions not currently held"):
        check(client.view(), JANE, ROLEBINDINGS, binding, None)
    rule = {"verbs": ["bind"], "apiGroups": [RBAC], "resources": ["clusterroles"], "resourceNames": ["edit"]}
    client.create(CLUSTERROLES, {"metadata": {"name": "binder"}, "rules": [rule]})
    bind(client, "binder", of="ClusterRole")
    check(client.view(), JANE, ROLEBINDINGS, binding, None)
    unknown = binding | {"roleRef": binding["roleRef"] | {"name": "ghost"}}
    with pytest.raises(ApiError, match='"ghost" not found'):
        check(client.view(), JANE, ROLEBINDINGS, unknown, None)


def test_only_who_may_do_everything_has_roles_gathered(client):
    gathering = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    cluster_role = {"metadata": {"name": "sum"}, "aggregationRule": gathering}
    with pytest.raises(ApiError, match="must have cluster-admin privileges to use the aggregationRule"):
        check(client.view(), JANE, CLUSTERROLES, cluster_role, None)
    with pytest.raises(ApiError, match="must have cluster-admin privileges"):
        check(client.view(), JANE, CLUSTERROLES, {"metadata": cluster_role["metadata"]}, cluster_role)
    bind(client, "cluster-admin", CLUSTERROLEBINDINGS, "ClusterRole")
    check(client.view(), JANE, CLUSTERROLES, cluster_role, None)
