"""A running lab behind TLS: its kubeconfig, an account's token, and what the web server does with its two ports."""

import base64
import json
import os
import signal
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
import yaml

from tests.labs import LabUnderTest, manage, wait_until


@pytest.fixture
def config(process_lab, tmp_path) -> dict:
    return yaml.safe_load(manage("kubeconfig", data=process_lab.data).stdout)


def run(kubectl: str, path, *words: str, stdin: str = "") -> subprocess.CompletedProcess:
    command = [kubectl, "--kubeconfig", str(path), "--cache-dir", f"{path}-cache", *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)


def test_the_kubeconfig_names_the_authority_and_the_status_the_address(process_lab, config):
    status = json.loads(manage("status", "--json", data=process_lab.data).stdout)
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == status["tls"] == f"{process_lab.run()['tls']}clusters/default"
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        context = ssl.create_default_context(cadata=authority)
        urllib.request.urlopen(f"{cluster['server']}/version", context=context, timeout=20)
    assert refused.value.code == 401
    plain = yaml.safe_load(manage("kubeconfig", "--plain", data=process_lab.data).stdout)
    assert plain["clusters"][0]["cluster"] == {"server": f"{process_lab.address}/clusters/default"}
    assert plain["users"][0]["user"] == {}


def test_an_account_may_read_pods_and_nothing_else_from_kubectl_to_a_real_process(
    process_lab, kubectl, config, tmp_path
):
    admin, robot = tmp_path / "admin", tmp_path / "robot"
    admin.write_text(yaml.safe_dump(config))
    name = f"robot-{os.path.basename(kubectl)}-{os.urandom(3).hex()}"
    process_lab.wait_for_ready_pods(3)
    for words in (
        ("create", "sa", name),
        ("create", "role", name, "--verb=get,list", "--resource=pods,pods/log"),
        ("create", "rolebinding", name, f"--role={name}", f"--serviceaccount=default:{name}"),
    ):
        assert run(kubectl, admin, *words).returncode == 0
    token = run(kubectl, admin, "create", "token", name).stdout.strip()
    robot.write_text(yaml.safe_dump(config | {"users": [{"name": "orrery-default", "user": {"token": token}}]}))
    listed = run(kubectl, robot, "get", "pods", "-l", "app=hello", "-o", "name").stdout.split()
    assert len(listed) == 3
    assert run(kubectl, robot, "logs", listed[0]).returncode == 0
    refused = run(kubectl, robot, "delete", listed[0])
    assert refused.returncode == 1
    assert f'User "system:serviceaccount:default:{name}" cannot delete resource "pods"' in refused.stderr
    assert run(kubectl, robot, "exec", listed[0], "--", "true").returncode != 0
    assert "[get list]" in run(kubectl, robot, "auth", "can-i", "--list").stdout
    done = run(kubectl, admin, "exec", listed[0], "--", "echo", "up")
    assert (done.returncode, done.stdout) == (0, "up\n"), done.stderr
    run(kubectl, admin, "delete", "sa,role,rolebinding", name)
    assert "You must be logged in" in run(kubectl, robot, "get", "pods").stderr


def test_a_new_namespace_has_its_account_and_a_pod_of_an_unknown_one_is_refused(process_lab, kubectl, config, tmp_path):
    path, namespace = tmp_path / "admin", f"shop-{os.urandom(3).hex()}"
    path.write_text(yaml.safe_dump(config))
    run(kubectl, path, "create", "namespace", namespace)
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    wait_until("the account default", lambda: (process_lab.get(accounts) or {}).get("items"))
    overrides = json.dumps({"spec": {"serviceAccountName": "ghost"}})
    words = ("run", "web", "--image=orrery/hello:v1", f"--overrides={overrides}", "-n", namespace)
    assert f"error looking up service account {namespace}/ghost" in run(kubectl, path, *words).stderr
    run(kubectl, path, "delete", "namespace", namespace, "--wait=false")


def test_both_ports_are_back_when_the_web_server_was_killed_and_the_certificate_is_the_same(own_lab: LabUnderTest):
    own_lab.start()
    config = yaml.safe_load(manage("kubeconfig", data=own_lab.data).stdout)
    cluster = config["clusters"][0]["cluster"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())

    def asks_who_is_there() -> bool:
        try:
            urllib.request.urlopen(f"{cluster['server']}/version", context=context, timeout=20)
        except urllib.error.HTTPError as refused:
            return refused.code == 401
        except OSError:
            return False

    assert asks_who_is_there()
    os.kill(own_lab.pid_of("web"), signal.SIGKILL)
    wait_until("the TLS port to answer", asks_who_is_there)
    wait_until("the plain port to answer", lambda: own_lab.get("/version"))
    own_lab.stop()
    keys = (own_lab.data / "pki" / "ca.key").read_bytes()
    own_lab.start()
    assert (own_lab.data / "pki" / "ca.key").read_bytes() == keys
    for log in (own_lab.data / "logs").iterdir():
        assert "BEGIN" not in log.read_text(errors="replace"), "a key in a log"
