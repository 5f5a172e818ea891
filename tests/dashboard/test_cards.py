"""What kubectl makes stands on the board at once, of whatever kind; and what is clicked there, the store has."""

import re
import subprocess

import pytest
import yaml
from playwright.sync_api import Locator, expect

from lab.apimachinery.kinds import BY_RESOURCE
from lab.dashboard.rows import WORKLOADS
from tests.labs import manage, wait_until

from .screen import SECONDS, Screen

pytestmark = pytest.mark.parametrize("kubectl", ["KUBECTL_NEW"], indirect=True)
MADE = {"made": "here"}
EVER, SOON = ["sleep", "600"], ["sh", "-c", "exit 0"]


@pytest.fixture
def typed(kubectl, process_lab, tmp_path):
    """Types a command of kubectl's, with something on its standard input; what is made by it goes with the test."""
    config = tmp_path / "kubeconfig"
    config.write_text(manage("kubeconfig", "--plain", data=process_lab.data).stdout)

    def type_(words: str, made: dict | None = None) -> None:
        command = [kubectl, "--kubeconfig", str(config), "--cache-dir", str(tmp_path / "cache"), *words.split()]
        done = subprocess.run(command, input=yaml.safe_dump(made), text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr

    yield type_
    type_("delete sts,ds,rs,rc,job,cj,pvc -l made=here --wait=true --timeout=100s")


def a_workload(kind: str, version: str, name: str, command: list | None = None, **spec) -> dict:
    container = {"name": "app", "image": "orrery/hello:v1", **({"command": command} if command else {})}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
    else:
        labels = {"app": name}
        spec = {"selector": labels if kind == "ReplicationController" else {"matchLabels": labels}, **spec}
    about = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": MADE}}
    return {**about, "spec": {**spec, "template": template}}


def store(screen: Screen, resource: str, name: str) -> dict:
    kind = BY_RESOURCE[resource]
    group = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    return screen.lab.get(f"{group}/namespaces/default/{kind.plural}/{name}")


def card(screen: Screen, resource: str, name: str) -> Locator:
    return screen.page.locator(f'.card[data-id="{resource}/default/{name}"]')


def says(card: Locator, words: str) -> None:
    expect(card.locator(".what")).to_contain_text(words, timeout=SECONDS)


def test_a_statefulset_is_scaled_rolled_and_rolled_back(screen, typed):
    claim = {"metadata": {"name": "data", "labels": MADE}}
    claim["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    screen.open()
    made = a_workload("StatefulSet", "apps/v1", "db", replicas=2, serviceName="db", volumeClaimTemplates=[claim])
    typed("apply -f -", made)
    db = card(screen, "statefulsets.apps", "db")
    says(db, "2 of 2 ready")
    db.hover()
    db.get_by_label("One replica more").click()
    expect(screen.toast("db scaled to 3").locator("code")).to_have_text("kubectl scale statefulset/db --replicas=3")
    assert store(screen, "statefulsets.apps", "db")["spec"]["replicas"] == 3
    says(db, "3 of 3 ready")
    typed("set env statefulset/db COLOUR=blue")
    db.locator(".open").click()
    screen.drawer.get_by_role("button", name="Go back").click(timeout=SECONDS)
    undone = screen.toast("db goes back to revision 1")
    expect(undone.locator("code")).to_have_text("kubectl rollout undo statefulset/db --to-revision=1", timeout=SECONDS)
    template = store(screen, "statefulsets.apps", "db")["spec"]["template"]
    assert "env" not in template["spec"]["containers"][0]
    screen.drawer.get_by_role("button", name="data-db-2").click()
    expect(screen.drawer.locator("h1")).to_have_text("data-db-2")
    screen.drawer.get_by_role("button", name="db-2").click()
    expect(screen.drawer.locator("h1")).to_have_text("db-2")
    screen.drawer.get_by_role("button", name="StatefulSet db", exact=True).click()
    expect(screen.drawer.locator("h1")).to_have_text("db")


def test_a_daemonset_is_restarted_from_its_drawer(screen, typed):
    screen.open()
    typed("apply -f -", a_workload("DaemonSet", "apps/v1", "agent"))
    agent = card(screen, "daemonsets.apps", "agent")
    says(agent, "ready on 3 of 3 nodes")
    expect(agent.locator(".replicas")).to_be_hidden()
    agent.locator(".open").click()
    screen.drawer.get_by_role("button", name="Restart").click()
    expect(screen.toast("agent restarts").locator("code")).to_have_text(
        "kubectl rollout restart daemonset/agent", timeout=SECONDS
    )
    template = store(screen, "daemonsets.apps", "agent")["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]


def test_a_job_shows_how_far_it_is_is_suspended_and_goes_on_to_its_end(screen, typed):
    screen.open()
    typed("apply -f -", a_workload("Job", "batch/v1", "sum", EVER, completions=2))
    card_ = card(screen, "jobs.batch", "sum")
    says(card_, "0 of 2 done, 1 at work")
    card_.locator(".open").click()
    screen.drawer.get_by_role("button", name="Suspend").click()
    said = """kubectl patch job sum --type=merge -p '{"spec": {"suspend": true}}'"""
    expect(screen.toast("sum is suspended").locator("code")).to_have_text(said)
    assert store(screen, "jobs.batch", "sum")["spec"]["suspend"] is True
    says(card_, "suspended")
    screen.drawer.get_by_role("button", name="Resume").click()
    says(card_, "1 at work")
    screen.drawer.locator("#confirm").fill("sum")
    screen.drawer.get_by_role("button", name="Delete").click()
    expect(screen.toast("Job sum and its pods go").locator("code")).to_have_text("kubectl delete job sum")
    expect(card_).to_have_count(0, timeout=SECONDS)
    assert store(screen, "jobs.batch", "sum") is None


def test_a_job_that_succeeds_and_one_that_fails_say_so(screen, typed):
    screen.open()
    typed("apply -f -", a_workload("Job", "batch/v1", "good", SOON))
    typed("apply -f -", a_workload("Job", "batch/v1", "bad", ["sh", "-c", "exit 3"], backoffLimit=0))
    says(card(screen, "jobs.batch", "good"), "complete, 1 of 1 done")
    bad = card(screen, "jobs.batch", "bad")
    says(bad, "failed, 0 of 1 done, 1 failed")
    expect(bad.locator(".trouble")).to_have_text("BackoffLimitExceeded")
    bad.locator(".open").click()
    expect(screen.drawer).to_contain_text("Job has reached the specified backoff limit")
    expect(screen.drawer.get_by_role("button", name="Suspend")).to_have_count(0)


def test_a_cronjob_is_found_run_and_suspended_by_the_keyboard_alone(screen, typed):
    job = a_workload("Job", "batch/v1", "tick", EVER)["spec"]
    tick = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick", "labels": MADE}}
    screen.open()
    jobs = {"metadata": {"labels": MADE}, "spec": job}
    typed("apply -f -", {**tick, "spec": {"schedule": "0 3 * * *", "jobTemplate": jobs}})
    card_ = card(screen, "cronjobs.batch", "tick")
    says(card_, "every day at 03:00")
    says(card_, "next in")
    command(screen, "run now tick")
    said = screen.toast("tick-manual-1 starts now").locator("code")
    expect(said).to_have_text("kubectl create job tick-manual-1 --from=cronjob/tick")
    made = store(screen, "jobs.batch", "tick-manual-1")
    assert made["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"
    expect(card_.locator(".parts")).to_contain_text("tick-manual-1", timeout=SECONDS)
    expect(card(screen, "jobs.batch", "tick-manual-1")).to_have_count(0)
    command(screen, "suspend tick cron")
    says(card_, "every day at 03:00, suspended")
    assert store(screen, "cronjobs.batch", "tick")["spec"]["suspend"] is True
    command(screen, "open cronjob")
    expect(screen.drawer.locator("h1")).to_have_text("tick")
    screen.drawer.get_by_role("tab", name="Overview").press("Enter")  # what is suspended opens on why
    expect(screen.drawer).to_contain_text("tick-manual-1")


def command(screen: Screen, words: str) -> None:
    screen.page.keyboard.press("Control+k")
    screen.page.keyboard.type(words)
    screen.page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("kind", "version", "resource"),
    [("ReplicationController", "v1", "replicationcontrollers"), ("ReplicaSet", "apps/v1", "replicasets.apps")],
)
def test_a_set_of_replicas_without_a_deployment_is_scaled_by_a_key(screen, typed, kind, version, resource):
    screen.open()
    typed("apply -f -", a_workload(kind, version, "alone", replicas=1))
    alone = card(screen, resource, "alone")
    says(alone, "1 of 1 ready")
    alone.locator(".open").focus()
    screen.page.keyboard.press("+")
    said = f"kubectl scale {kind.lower()}/alone --replicas=2"
    expect(screen.toast("alone scaled to 2").locator("code")).to_have_text(said)
    says(alone, "2 of 2 ready")
    assert store(screen, resource, "alone")["spec"]["replicas"] == 2


def test_the_rail_holds_what_the_store_holds_and_no_heading_without_a_card(screen, typed):
    typed("apply -f -", a_workload("ReplicaSet", "apps/v1", "alone", replicas=0))
    typed("create job now --image=orrery/hello:v1 -- sleep 600")
    screen.open()
    expect(card(screen, "jobs.batch", "now")).to_be_visible()
    shown = {it.get_attribute("data-id") for it in screen.page.locator("#rail .card").all()}
    assert shown == wait_until("the workloads that nobody owns", lambda: stored(screen))
    headings = [it.inner_text() for it in screen.page.locator("#rail h2").all() if it.is_visible()]
    assert [re.sub(r"\s.*", "", one).lower() for one in headings] == ["deployments", "replicasets", "jobs"]
    screen.page.locator("#namespace").select_option("kube-system")
    expect(card(screen, "jobs.batch", "now")).to_be_hidden()
    typed("delete job now")


def stored(screen: Screen) -> set[str]:
    found = set()
    for kind in WORKLOADS:
        group = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
        for obj in screen.lab.api("GET", f"{group}/{kind.plural}")["items"]:
            if not obj["metadata"].get("ownerReferences"):
                found.add(f"{kind.resource}/{obj['metadata']['namespace']}/{obj['metadata']['name']}")
    return found
