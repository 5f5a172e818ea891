"""What may be typed into the page's command line, and what it answers when a real kubectl runs it."""

import contextlib
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser
from playwright.sync_api import expect

from lab.client.clusters import ensure_cluster
from lab.dashboard import console
from lab.dashboard.commandline import addressed, arguments, reads, wants_input
from lab.dashboard.console import kubeconfig_command
from lab.httpserver import AT_END, BY_ROOM, ONLY_CLUSTER
from tests.labs import wait_until

from .screen import SECONDS, Screen


@pytest.mark.parametrize(
    "typed",
    [
        "get pods",
        "version",
        "kubectl get pods -A -o wide --show-labels",
        "get pods -nkube-system -Aw",
        "get pod web -o=jsonpath='{.spec.nodeName}'",
        "get pods -l 'app in (web, api)' --sort-by=.metadata.name",
        "get --raw /healthz",
        "logs -f web -c app --tail=5 -p",
        "exec web -c app -- ls -la --kubeconfig /etc",
        "apply -f - --server-side",
        "create --raw '/api/v1/namespaces/default/pods/web/kill?container=web' -f /dev/null",
        "create deployment web --image=orrery/hello:v1 --replicas=2",
        """patch deployment web --type=merge -p '{"spec": {"replicas": 2}}'""",
        "run box --image=busybox --command -- sleep 5",
        "drain node-a --ignore-daemonsets --delete-emptydir-data --force",
        "set image deployment/web web=orrery/hello:v2",
        "scale deployment/web --replicas=3 -n other",
        "auth can-i create pods --as=system:serviceaccount:default:default",
    ],
)
def test_what_stays_within_the_cluster_may_be_typed(typed):
    words = arguments(typed)
    assert words[0] == typed.removeprefix("kubectl ").split()[0]


@pytest.mark.parametrize(
    ("typed", "changes_nothing"),
    {
        "get pods -w": True,
        "describe node": True,
        "diff -f -": True,
        "rollout history deployment/web": True,
        "apply view-last-applied deployment/web": True,
        "auth whoami": True,
        "get --raw /healthz": True,
        "delete pod get": False,
        "rollout": False,
        "rollout restart deployment/web status": False,
        "rollout -n status undo deployment/web": False,
        "auth reconcile -f -": False,
        "apply -f -": False,
        "label pods --all --list": False,
    }.items(),
)
def test_a_command_that_changes_nothing_is_known(typed, changes_nothing):
    assert reads(arguments(typed)) is changes_nothing


REFUSED = {
    "": "Type a command",
    "--kubeconfig=/x get pods": "command comes first",
    "edit deployment web": "opens an editor",
    "cp web:/etc/passwd .": "files of this machine",
    "proxy": "opens a port",
    "port-forward web 80": "opens a port",
    "config view --raw": "kubeconfigs",
    "plugin list": "plug-ins",
    "kustomize .": "files",
    "neat": "does not know neat",
    "get pods --kubeconfig /root/.kube/config": "--kubeconfig is not",
    "get pods --kubeconfig=/root/.kube/config": "--kubeconfig is not",
    "get pods --server=http://elsewhere": "--server is not",
    "get pods -s http://elsewhere": "-s is not",
    "get pods --token=x": "--token is not",
    "get pods --cache-dir=/etc": "--cache-dir is not",
    "get pods --profile=cpu --profile-output=/etc/x": "--profile is not",
    "apply -f /etc/passwd": "Files of this machine",
    "apply -f/etc/passwd": "Files of this machine",
    "apply -f=/etc/passwd": "Files of this machine",
    "apply -f -,/etc/passwd": "Files of this machine",
    "apply -f http://elsewhere/x.yaml": "Files of this machine",
    "apply --filename=/etc/passwd": "Files of this machine",
    "apply --filename /etc/passwd -f -": "Files of this machine",
    "apply -k /etc": "-k is not",
    "apply -Rf /etc": "-Rf is not",
    "get pods -wf /etc/passwd": "-wf is not",
    "create configmap x --from-file=/etc/passwd": "--from-file is not",
    "create configmap x --from_file=/etc/passwd": "--from_file is not",
    "create secret tls x --cert=/x --key=/y": "--cert is not",
    "create -f - --edit": "--edit is not",
    "patch pod web --patch-file=/x": "--patch-file is not",
    "get pods -o go-template-file=/etc/passwd": "-o go-template-file",
    "get pods -ojsonpath-file=/etc/passwd": "-o jsonpath-file",
    "get pods --output custom-columns-file=/etc/passwd": "-o custom-columns-file",
    "get pods -o templatefile --template=/etc/passwd": "-o templatefile",
    "cluster-info dump --output-directory=/etc": "--output-directory is not",
    "debug web --image=busybox --custom=/etc/passwd": "--custom is not",
    "exec -it web -- sh": "its drawer has one",
    "exec web --stdin -- sh": "its drawer has one",
    "get pods -l -- --kubeconfig=/x": "before --",
    "get pods --selector -- --kubeconfig=/x": "before --",
    "get pods | sh": "no shell",
    "get pods > /etc/x": "no shell",
    "get pods && reboot": "no shell",
    "get pods; reboot": "no shell",
    "get 'pods": "quote",
    "get po\0ds": "character",
    "get --raw http://elsewhere/": "an address and no other option",
    "get secrets -l --raw=/clusters/mine/": "an address and no other option",
    "get --raw /api -n other": "an address and no other option",
    "get --raw": "an address and no other option",
}


@pytest.mark.parametrize("typed", REFUSED)
def test_what_reaches_past_the_cluster_is_refused_in_words(typed):
    with pytest.raises(ValueError, match=re.escape(REFUSED[typed])):
        arguments(typed)


def test_what_a_shell_would_do_is_not_done():
    assert arguments("get pods $(reboot) `reboot` $HOME *")[1:] == ["pods", "$(reboot)", "`reboot`", "$HOME", "*"]


@pytest.mark.parametrize("typed", ["apply -f -", "apply -f-", "create --filename=- -n x", "replace --filename -"])
def test_only_who_reads_what_was_pasted_is_given_it(typed):
    assert wants_input(arguments(typed))
    assert not wants_input(arguments("get pods -l app=-"))


@pytest.mark.parametrize("typed", ["get --raw {}", "get --raw={}", "delete --raw '{}'", "replace --raw {} -f -"])
@pytest.mark.parametrize("address", ["/api/v1/nodes", "/clusters/theirs/api/v1/nodes", "/clusters/mine/api/v1/nodes"])
def test_an_address_is_one_of_this_cluster_whatever_a_kubectl_makes_of_a_base_path(typed, address):
    base, words = addressed(arguments(typed.format(address)), "mine")
    assert base == ""  # nothing that one kubectl would put before it, and another not
    assert words[2].startswith("/clusters/mine/") and words[2].endswith(address.removeprefix("/clusters/mine"))


def test_what_comes_for_a_container_is_no_address():
    words = arguments("exec web -- curl --raw http://x/")
    assert addressed(words, "mine") == ("/clusters/mine", words)


async def test_a_learner_runs_a_few_commands_at_once_and_others_as_many_as_they_want(monkeypatch, rf):
    monkeypatch.setattr(console, "program", lambda: "kubectl")

    async def asked(own: str, at_end: contextlib.ExitStack) -> int:
        """One that is let in counts, though its process has not begun."""
        request = rf.post("/", json.dumps({"command": "get pods"}), content_type="application/json")
        request.scope = {"state": {ONLY_CLUSTER: own, BY_ROOM: True}, AT_END: at_end}
        return (await console.run(request, own or "theirs")).status_code

    some = range(console.MOST_AT_ONCE)
    with contextlib.ExitStack() as at_end:
        assert [await asked("theirs", at_end) for _ in some] == [200 for _ in some]
        assert [await asked("theirs", at_end), await asked("another", at_end)] == [429, 200]
        assert {await asked("", at_end) for _ in (*some, 1)} == {200}
    with contextlib.ExitStack() as at_end:
        assert [await asked("theirs", at_end) for _ in some] == [200 for _ in some]


def type_(screen: Screen, command: str, then: str):
    """Type a command and press Enter; until `then` is answered."""
    screen.page.locator("#typed").fill(command)
    screen.page.keyboard.press("Enter")
    last = screen.page.locator(".console .said > div").last
    expect(last.locator("pre")).to_contain_text(then, timeout=SECONDS)
    return last


def test_commands_are_typed_in_the_page_and_done_by_a_real_kubectl(screen):
    screen.open().page.keyboard.press("x")
    type_(screen, "get deployments", "hello")
    type_(screen, "kubectl get nothing", "exit code 1")
    type_(screen, "get pods -f /etc/passwd", "Files of this machine")
    page = screen.page
    page.locator("#typed").fill("apply -f -")
    page.get_by_label("The YAML that -f - reads").fill("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}\n")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".console .said")).to_contain_text("configmap/typed created", timeout=SECONDS)
    type_(screen, "delete configmap typed", "deleted")
    page.locator("#typed").press("ArrowUp")
    page.locator("#typed").press("ArrowUp")
    expect(page.locator("#typed")).to_have_value("apply -f -")
    expect(page.get_by_label("The YAML that -f - reads")).to_have_value(re.compile("name: typed"))


def test_the_command_for_a_kill_kills(screen):
    pod = screen.lab.ready_pods()[0]["metadata"]["name"]
    before = restarts(screen, pod)
    screen.open(f"?object=pods/default/{pod}")
    screen.drawer.get_by_role("button", name="Kill hello").click()
    command = screen.toast("Killed hello").locator("code").inner_text()
    wait_until("the container to be back", lambda: restarts(screen, pod) > before, 60)
    screen.lab.wait_for_ready_pods(3)
    before = restarts(screen, pod)
    screen.page.get_by_role("button", name="kubectl command line").click()
    type_(screen, command, "Success")
    wait_until("the container to be back again", lambda: restarts(screen, pod) > before, 60)


def restarts(screen: Screen, pod: str) -> int:
    status = screen.lab.get(f"/api/v1/namespaces/default/pods/{pod}")["status"]
    return status["containerStatuses"][0]["restartCount"]


def test_what_runs_is_ended_by_a_key_and_its_process_is_gone(screen):
    screen.open().page.keyboard.press("x")
    type_(screen, "get pods -w --request-timeout=97s", "hello")
    screen.page.locator("#typed").press("Control+c")
    expect(screen.page.locator(".console .said")).to_contain_text("Stopped.")
    wait_until("kubectl to be gone", lambda: not running("--request-timeout=97s"))


def running(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if mark in words and any(word.startswith("--server=") for word in words):
            found.append(" ".join(words))
    return found


def test_what_is_clicked_is_listed_as_the_command_for_it(screen):
    screen.open().page.keyboard.press("x")
    expect(screen.page.locator(".console .said")).to_contain_text("What you click appears here too")
    screen.column("node-a").locator(".cordon").click()
    entry = screen.page.locator(".console .said > div", has_text="node-a takes no new pods")
    expect(entry.locator("code")).to_have_text("kubectl cordon node-a")
    screen.page.locator("#typed").press("ArrowUp")
    expect(screen.page.locator("#typed")).to_have_value("cordon node-a")
    type_(screen, "uncordon node-a", "uncordoned")


def test_another_site_cannot_type_in_ones_name(process_lab):
    url = f"{process_lab.address}/clusters/default/board/kubectl"
    body = json.dumps({"command": "get pods"}).encode()
    for headers in ({}, {"Origin": "http://elsewhere"}, {"Cookie": "csrftoken=x", "X-CSRFToken": "y"}):
        request = urllib.request.Request(url, body, {"Content-Type": "text/plain", **headers})
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=20)
        assert error.value.code == 403


@pytest.mark.django_db
def test_the_kubeconfig_for_a_terminal_is_of_the_cluster_of_the_page(monkeypatch):
    ensure_cluster("learn")
    monkeypatch.setattr("lab.dashboard.panels.program", lambda: "/usr/bin/kubectl")
    for page in ("board/panel/kubectl", ""):
        assert "manage.py kubeconfig learn" in Browser().get(f"/clusters/learn/{page}").content.decode()
    assert kubeconfig_command(settings.DEFAULT_CLUSTER).startswith("python3 manage.py kubeconfig --data ")


@pytest.mark.django_db
def test_where_there_is_no_kubectl_the_page_says_so_and_how_to_get_one(monkeypatch):
    ensure_cluster("bare")
    monkeypatch.setenv("PATH", "")
    page = Browser().get("/clusters/bare/board/panel/kubectl").content.decode()
    assert "No kubectl is installed" in page
    assert "kubernetes.io/docs/tasks/tools" in page
    answer = Browser().post("/clusters/bare/board/kubectl", {"command": "get pods"}, content_type="application/json")
    assert (answer.status_code, answer.json()["reason"]) == (503, "ServiceUnavailable")
    for body in ("[]", "{}", "not JSON"):
        answer = Browser().post("/clusters/bare/board/kubectl", body, content_type="application/json")
        assert (answer.status_code, answer.json()["kind"]) == (400, "Status")
