"""The why cards in the drawer, and what a drain and short waits say for themselves."""

import json
import re

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from lab.apimachinery.budgets import Budget
from lab.apimachinery.kinds import BUILDS, NODEPOOLS, NODES, PERSISTENTVOLUMES, PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import parse_time
from lab.apimachinery.selectors import EVERYTHING
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.actions import ACTIONS
from lab.dashboard.advice import act_of
from lab.dashboard.drain import checklist
from lab.dashboard.drawers import drawer, gone
from lab.dashboard.waits import shortened, span
from lab.dashboard.why import CALM, MOST_GROUNDS, laid_out, telling
from lab.explain.past import PastClient
from lab.models import Revision
from tests.explain.asking import REASONS

from .build import a_deployment, a_pod, a_replicaset, leaving, with_spec, with_status

NOW = parse_time("2026-05-20T10:00:30Z")
SET = a_replicaset(a_deployment())
LEADS = {
    "op": "replace",
    "path": "/spec/rules/0/http/paths/0/backend/service",
    "value": {"name": "web", "port": {"number": 80}},
}
LEAD = kubectl("patch", "ingress", "front", "--type=json", "-p", json.dumps([LEADS]), namespace="shop")
EITHER = json.dumps({"spec": {"minAvailable": 1, "maxUnavailable": None}})
UNCOUNTED = kubectl("patch", "poddisruptionbudget", "web", "--type=merge", "-p", EITHER)
AMENDS = (
    (PERSISTENTVOLUMES, {"claimRef": None}),
    (PERSISTENTVOLUMES, {"capacity": {"storage": "5Gi"}}),
    (PERSISTENTVOLUMES, {"accessModes": ["ReadWriteMany"]}),
    (PODDISRUPTIONBUDGETS, {"minAvailable": 1}),
    (PODDISRUPTIONBUDGETS, {"minAvailable": None, "maxUnavailable": 1}),
    (PODDISRUPTIONBUDGETS, {"selector": {"matchLabels": {"ap": None, "app": "web"}}}),
    (NODEPOOLS, {"maxNodes": 4}),
)


def ground(revision: int) -> dict:
    return {"text": "said", "name": "Pod", "author": "scheduler", "revision": revision, "time": NOW - 90}


def card(reason: str, **more) -> dict:
    told = {"question": "Why?", "answer": f"{reason} it is.", "reason": reason, "because": [ground(7)]}
    return {**told, "help": None, "verdicts": [], **more}


def cards(*reasons: str) -> list[dict]:
    return [laid_out(card(reason), NOW) for reason in reasons]


def test_what_is_as_it_should_be_is_not_told_in_the_head_of_every_tab():
    assert telling(cards("Unschedulable", "Created"), "pending") == "Unschedulable it is."
    assert telling(cards("Ready", "Restarted"), "ready") == telling([], "pending") == ""
    assert telling(cards("TaintEviction", "Ready"), "ready") == ""  # that was once
    resume = {"text": "Let it run again.", "command": ""}
    assert telling([laid_out(card("WheelPaused", help=resume), NOW)], "ready") == "WheelPaused it is."
    assert CALM <= REASONS


def test_grounds_say_how_long_ago_they_were_and_more_than_one_reads_are_counted():
    told = laid_out(card("Created", because=[ground(n) for n in range(MOST_GROUNDS + 3)]), NOW)
    assert ({one["ago"] for one in told["because"]}, len(told["because"]), told["more"]) == ({"90s"}, MOST_GROUNDS, 3)


@pytest.mark.parametrize(
    ("command", "act"),
    [
        ("kubectl uncordon node-a", ("uncordon", "nodes/node-a", {})),
        ("kubectl rollout undo deployment/web", ("undo", "deployments.apps/default/web", {})),
        ("kubectl rollout resume deployment/web -n shop", ("resume", "deployments.apps/shop/web", {})),
        ("kubectl scale statefulset/db --replicas=2", ("scale", "statefulsets.apps/default/db", {"replicas": 2})),
        ("kubectl create job web-1 --from=cronjob/web -n shop", ("run-now", "cronjobs.batch/shop/web", {})),
        (
            """kubectl patch wheel scheduler --type=merge -p '{"spec":{"mode":"Running"}}'""",
            ("turn", "wheels.orrery.io/scheduler", {"mode": "Running"}),
        ),
        (
            """kubectl patch job web --type=merge -p '{"spec":{"suspend":false}}'""",
            ("resume", "jobs.batch/default/web", {}),
        ),
        (
            """kubectl patch release web-1 --type=merge -p '{"spec":{"verdict":"Promote"}}' -n shop""",
            ("promote", "releases.orrery.io/shop/web-1", {}),
        ),
        (
            """kubectl patch release web-1 --type=merge -p '{"spec":{"verdict":"Abort"}}'""",
            ("abort", "releases.orrery.io/default/web-1", {}),
        ),
        (
            """kubectl patch release web-1 --type=merge -p '{"spec":{"paused":false}}'""",
            ("hold", "releases.orrery.io/default/web-1", {"pause": False}),
        ),
        ("kubectl annotate node node-a orrery.io/power- orrery.io/partitioned-", None),
        (
            "kubectl set image deployment/web main=web:v2 -n shop",
            ("image", "deployments.apps/shop/web", {"container": "main", "image": "web:v2"}),
        ),
        (
            "kubectl set selector service/web app=web,tier=front",
            (
                "amend",
                "services/default/web",
                {"patch": [{"op": "add", "path": "/spec/selector", "value": {"app": "web", "tier": "front"}}]},
            ),
        ),
        ("kubectl taint node node-a gpu:NoSchedule-", ("untaint", "nodes/node-a", {"taint": "gpu:NoSchedule"})),
        (
            "kubectl label node node-a disk=ssd",
            ("amend", "nodes/node-a", {"patch": {"metadata": {"labels": {"disk": "ssd"}}}}),
        ),
        (LEAD, ("amend", "ingresses.networking.k8s.io/shop/front", {"patch": [LEADS]})),
        *(
            (
                kubectl("patch", kind.singular, "one", "--type=merge", "-p", json.dumps({"spec": spec})),
                ("amend", f"{kind.resource}/{'default/' if kind.namespaced else ''}one", {"patch": {"spec": spec}}),
            )
            for kind, spec in AMENDS
        ),
        # Somebody has to choose how many, or to read.
        ("""kubectl patch horizontalpodautoscaler web --type=merge -p '{"spec":{"maxReplicas":9}}'""", None),
        (UNCOUNTED, None),
        ("kubectl create service clusterip web --tcp=80", None),
        ("kubectl delete build web-1", None),
        ("kubectl taint node node-a node.kubernetes.io/out-of-service=nodeshutdown:NoExecute", None),
        (
            "kubectl rollout undo deployment/web --to-revision=1",
            ("undo", "deployments.apps/default/web", {"revision": 1}),
        ),
        ("kubectl annotate node node-a orrery.io/power-", ("power-on", "nodes/node-a", {})),
        ("kubectl annotate node node-a orrery.io/partitioned-", ("rejoin", "nodes/node-a", {})),
        ("kubectl logs web-1 --previous", None),
        ("", None),
    ],
)
def test_a_command_that_is_an_act_of_the_board_gets_its_button(command, act):
    found = act_of(command)
    assert (found and (found["do"], found["row"], json.loads(found["form"]))) == act
    assert act is None or found["do"] in ACTIONS


def test_the_table_says_of_each_node_its_points_or_what_it_had_against_the_pod():
    fits = {"node": "a", "fits": True, "chosen": True, "reasons": [], "scores": {"NodeResourcesFit": 61}, "total": 61}
    not_ = {"node": "b", "fits": False, "chosen": False, "reasons": ["Too many pods"], "scores": {}, "total": None}
    told = laid_out(card("Scheduled", verdicts=[fits, not_]), NOW)
    drawn = render_to_string("board/drawer/_cards.html", {"cards": [told]})
    assert 'title="NodeResourcesFit">room</th>' in drawn
    assert re.search(r'<tr class="chosen"><td>✓ a</td><td class="n">61</td><td class="n">61</td>', drawn)
    assert '<td>✗ b</td><td colspan="2">Too many pods</td>' in drawn


@pytest.mark.django_db
def test_ages_in_the_past_are_counted_from_then():
    ensure_cluster("then")
    made = Client("then", "board").create(PODS, a_pod("web"))
    when = parse_time(made["metadata"]["creationTimestamp"]) + 90
    at = int(made["metadata"]["resourceVersion"])
    Revision.objects.filter(cluster__name="then", revision=at).update(time=when)
    assert drawer(PastClient("then", at), "pods", "default", "web", "")["age"] == "90s"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "spec", "headline", "asks"),
    [
        (PODDISRUPTIONBUDGETS, {"minAvailable": 1}, "0 may go, 0 of 0 healthy", "Why may none of its pods go?"),
        (BUILDS, {"deployment": "web", "files": {"Dockerfile": "FROM web:1"}}, "Pending", "Why has it not begun?"),
    ],
)
def test_what_is_nowhere_on_the_board_opens_with_its_cards(client, kind, spec, headline, asks):
    ensure_cluster("asked")
    Client("asked", "board").create(kind, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
    shown = client.get(f"/clusters/asked/board/drawer/{kind.resource}/default/web").content.decode()
    assert headline in shown and asks in shown and 'aria-labelledby="tab-why"' in shown


@pytest.mark.django_db
def test_a_node_opens_though_its_condition_gives_no_reason(client):
    ensure_cluster("terse")
    terse = {"conditions": [{"type": "Ready", "status": "True"}]}
    board = Client("terse", "board")
    board.update_status(NODES, {**board.create(NODES, {"metadata": {"name": "n1"}}), "status": terse})
    answer = client.get("/clusters/terse/board/drawer/nodes/n1")
    assert answer.status_code == 200


@pytest.mark.django_db
def test_what_is_gone_still_says_why():
    ensure_cluster("went")
    client = Client("went", "board")
    client.create(PODS, a_pod("web"))
    client.delete(PODS, "default", "web", grace_seconds=0)
    assert "Deleted" in [one["reason"] for one in gone(client, "pods", "default", "web")["cards"]]
    assert gone(client, "pods", "default", "never") == gone(client, "nothing", "", "web") == {}


def test_a_drain_lists_first_what_stands_in_its_way():
    alone = a_pod("alone", node="node-a")
    data = with_spec(a_pod("data", SET, "node-a"), volumes=[{"emptyDir": {}}])
    moving, going = a_pod("moving", SET, "node-a"), leaving(a_pod("going", SET, "node-a"))
    over = with_status(a_pod("over", node="node-a"), phase="Succeeded")
    daemon = a_pod("daemon", {**SET, "kind": "DaemonSet"}, "node-a")
    items = checklist([moving, daemon, over, going, alone, data])
    assert [(item.name, item.fate) for item in items] == [
        ("alone", "blocks"),
        ("data", "blocks"),
        ("going", "leaving"),
        ("moving", "moves"),
        ("over", "moves"),
        ("daemon", "stays"),
    ]


def test_a_drain_says_whom_a_disruption_budget_keeps_for_now():
    pods = [a_pod(name, SET, "node-a") for name in ("first", "second")]
    budget = Budget("default/web", "default", EVERYTHING, 1, frozenset())
    first, second = checklist(pods, [budget])
    assert (first.fate, second.fate) == ("moves", "moves")
    assert "budget" not in first.reason
    assert second.reason.endswith("makes another elsewhere, once its disruption budget default/web allows it")


def test_short_waits_are_told_beside_kubernetes_own():
    there = settings.KUBERNETES_CLOCK
    said = shortened({**there, "node_grace": 8.0}, there)
    assert said == [{"words": "a silent node counts as lost after", "here": "8 s", "there": "40 s"}]
    assert span(300) == "5 min"
