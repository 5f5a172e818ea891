"""Real kubectl, over TLS, as somebody who may do little: what it is given, and in which words it is refused."""

import base64
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from lab.apimachinery.kinds import RBAC
from lab.apiserver.access.user import MASTERS
from lab.management import pki
from lab.management.commands.kubeconfig import credentials, kubeconfig

from .conftest import pod
from .secured import ROBOT, Secured
from .test_kubectl import Kubectl


@pytest.fixture
def tls(api, tls_server, tmp_path, monkeypatch) -> Secured:
    monkeypatch.setenv("HOME", str(tmp_path))  # where kubectl keeps what it has discovered
    return Secured(tls_server)


@pytest.fixture
def admin(tls, kubectl, tmp_path) -> Kubectl:
    """With the kubeconfig that `manage.py kubeconfig` prints."""
    return with_config(kubectl, tmp_path / "admin", tls, *credentials())


def with_config(kubectl: str, path: Path, tls: Secured, authority: dict, user: dict) -> Kubectl:
    path.write_text(yaml.safe_dump(kubeconfig("default", f"https://127.0.0.1:{tls.port}/", authority, user)))
    return Kubectl(kubectl, path)


def authority() -> dict:
    pem = (settings.PKI_DIR / "ca.crt").read_bytes()
    return {"certificate-authority-data": base64.b64encode(pem).decode()}


@pytest.fixture
def robot(admin, tls, kubectl, tmp_path) -> Kubectl:
    """An account that may read pods, made as a person makes one, and its token in a kubeconfig."""
    assert admin.run("create", "serviceaccount", "robot") == "serviceaccount/robot created\n"
    admin.run("create", "role", "reader", "--verb=get,list,watch", "--resource=pods")
    admin.run("create", "rolebinding", "read", "--role=reader", "--serviceaccount=default:robot")
    token = admin.run("create", "token", "robot").strip()
    return with_config(kubectl, tmp_path / "robot", tls, authority(), {"token": token})


def test_the_printed_kubeconfig_is_the_administrators(admin):
    assert [row[-1] for row in admin.rows("auth", "whoami")][1:] == [
        "kubernetes-admin",
        f"[{MASTERS} system:authenticated]",
    ]
    assert admin.run("auth", "can-i", "*", "*") == "yes\n"
    assert "configmap/note created" in admin.run("create", "configmap", "note")


def test_an_account_gets_what_its_role_says_and_is_refused_the_rest(robot, api):
    api.create("/api/v1/namespaces/default/pods", pod("web-1"))
    assert robot.run("get", "pods", "-o", "name") == "pod/web-1\n"
    assert robot.fail("delete", "pod", "web-1") == (
        f'Error from server (Forbidden): pods "web-1" is forbidden: User "{ROBOT}" cannot delete resource "pods" '
        'in API group "" in the namespace "default"\n'
    )
    assert "at the cluster scope" in robot.fail("get", "pods", "-A")
    assert 'cannot create resource "pods/exec"' in robot.fail("exec", "web-1", "--", "true")
    assert 'cannot get resource "pods/log"' in robot.fail("logs", "web-1")
    assert 'cannot create resource "configmaps"' in robot.fail("create", "configmap", "note")


def test_an_account_can_ask_what_it_may(robot):
    assert robot.run("auth", "can-i", "list", "pods") == "yes\n"
    assert robot.start("auth", "can-i", "delete", "pods").stdout == "no\n"
    assert robot.start("auth", "can-i", "get", "pods", "--subresource=log").stdout == "no\n"
    rows = robot.rows("auth", "can-i", "--list")
    assert ["pods", "[]", "[]", "[get list watch]"] in rows
    assert ["selfsubjectreviews.authentication.k8s.io", "[]", "[]", "[create]"] in rows
    assert dict(zip(*zip(*robot.rows("auth", "whoami"), strict=True), strict=True))["Username"] == ROBOT


def test_who_shows_nothing_or_nonsense_is_told_to_log_in(tls, kubectl, tmp_path):
    nobody = with_config(kubectl, tmp_path / "nobody", tls, authority(), {"token": "nonsense"})
    assert "You must be logged in to the server" in nobody.fail("get", "pods")


def test_the_administrator_may_act_for_others(admin, robot):
    assert admin.run("get", "pods", f"--as={ROBOT}") == ""
    assert "cannot list resource" in admin.fail("get", "nodes", "--as=jane", "--as-group=staff")
    assert admin.start("auth", "can-i", "list", "nodes", "--as=jane").stdout == "no\n"
    assert 'cannot impersonate resource "users"' in robot.fail("get", "pods", "--as=jane")


def test_roles_and_accounts_are_made_listed_and_described(admin):
    admin.run("create", "clusterrole", "nodes", "--verb=get,list", "--resource=nodes")
    admin.run("create", "clusterrole", "metrics", "--verb=get", "--non-resource-url=/metrics")
    admin.run("create", "clusterrolebinding", "nodes", "--clusterrole=nodes", "--user=jane", "--group=staff")
    assert admin.run("get", "nodes", "--as=jane") == ""
    head, row = admin.rows("get", "clusterrolebinding", "nodes", "-o", "wide")
    assert head == ["NAME", "ROLE", "AGE", "USERS", "GROUPS", "SERVICEACCOUNTS"]
    assert (row[:2], row[3:]) == (["nodes", "ClusterRole/nodes"], ["jane", "staff"])
    assert ["nodes", "[]", "[]", "[get list]"] in admin.rows("describe", "clusterrole", "nodes")
    assert "ClusterRole" in admin.run("describe", "clusterrolebinding", "nodes")
    admin.run("create", "sa", "robot")
    assert admin.rows("get", "sa", "robot")[0][0] == "NAME"
    assert "robot" in admin.run("describe", "sa", "robot")
    admin.run("set", "subject", "clusterrolebinding", "nodes", "--serviceaccount=default:robot")
    assert admin.run("auth", "can-i", "list", "nodes", f"--as={ROBOT}").endswith("yes\n")


def test_a_review_can_be_asked_as_a_manifest(admin):
    spec = {"user": "jane", "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    made = yaml.safe_load(admin.run("create", "-f", "-", "-o", "yaml", stdin=yaml.safe_dump(review)))
    assert made["status"] == {"allowed": False}


def test_what_a_certificate_says_is_who_one_is(tls, kubectl, tmp_path):
    parts = pki.client_certificate(settings.PKI_DIR, "jane", ("staff",))
    certificate, key = (base64.b64encode(part).decode() for part in parts)
    shown = {"client-certificate-data": certificate, "client-key-data": key}
    jane = with_config(kubectl, tmp_path / "jane", tls, authority(), shown)
    assert "[staff system:authenticated]" in jane.run("auth", "whoami")
    assert 'User "jane" cannot list resource "pods"' in jane.fail("get", "pods")


def test_roles_are_applied_and_reconciled_from_a_manifest(admin):
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["web"], "verbs": ["get"]}]
    role = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": "web", "namespace": "default"}}
    role["rules"] = rules
    subjects = [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}]
    binding = role | {"kind": "RoleBinding", "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "web"}}
    binding = {**binding, "subjects": subjects}
    del binding["rules"]
    manifest = yaml.safe_dump_all([role, binding])
    assert "role.rbac.authorization.k8s.io/web created" in admin.run("apply", "-f", "-", stdin=manifest)
    assert "unchanged" in admin.run("apply", "-f", "-", stdin=manifest)
    assert "serverside-applied" in admin.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
    asked = ("auth", "can-i", "get", "deployments.apps/web", f"--as={ROBOT}")
    assert admin.run(*asked) == "yes\n"
    more = yaml.safe_dump(role | {"rules": [*rules, rules[0] | {"verbs": ["delete"]}]})
    assert "reconciled" in admin.run("auth", "reconcile", "-f", "-", stdin=more)
    assert admin.run("auth", "can-i", "delete", "deploy/web", f"--as={ROBOT}") == "yes\n"
    assert admin.start("auth", "can-i", "delete", "deploy/other", f"--as={ROBOT}").stdout == "no\n"
    assert "robot" in admin.run("describe", "rolebinding", "web")
