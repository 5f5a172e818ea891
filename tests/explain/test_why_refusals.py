"""A refusal is read from what anybody may have written into an Event: what it says costs no time."""

import ast
from pathlib import Path

import pytest

from lab import explain
from lab.apimachinery.kinds import DAEMONSETS, DEPLOYMENTS, EVENTS, RESOURCEQUOTAS
from lab.explain.why.objections import Objection
from tests.controllers.cluster import Cluster

from .asking import asked, first

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(60)]

FORGED = {
    "many ends": "exceeded quota: q" + ", requested: a, used: b" * 2000,
    "many beginnings": "failed quota: " * 50_000,
    "another's amounts": "exceeded quota: q, requested: pods=1, used: cpu=1, limited: pods=1",
}


@pytest.fixture
def web():
    return Cluster("refusals")


def test_a_number_that_cannot_be_counted_to_is_added_at_once(web):
    few = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "0"}}}
    web.client.create(RESOURCEQUOTAS, few)
    web.deploy(1)
    web.settle()
    web.patch(replicas=2**31 - 1)
    card = first(web.client, DEPLOYMENTS, "web")
    assert card["help"]["command"].endswith("""'{"spec": {"hard": {"pods": "2147483647"}}}'""")


@pytest.mark.parametrize("forged", FORGED)
def test_an_event_that_somebody_has_made_up_is_read_as_quickly(web, forged):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": "web", "namespace": "default"}
    made = web.client.create(DAEMONSETS, {"metadata": meta, "spec": spec})
    web.client.update_status(DAEMONSETS, {**made, "status": {"desiredNumberScheduled": 1}})
    about = {"kind": "DaemonSet", **meta, "uid": made["metadata"]["uid"]}
    event = {"involvedObject": about, "reason": "FailedCreate", "message": FORGED[forged]}
    web.client.create(EVENTS, {"metadata": {**meta, "name": "forged"}, **event})
    assert "FailedCreate" in [card["reason"] for card in asked(web.client, DAEMONSETS, "web")]


def test_a_taint_is_found_in_the_schedulers_words():
    found = Objection.of("node(s) had untolerated taint {team/of: red}")
    assert (found.what, found.value) == ("team/of", "red")
    assert Objection.of("node(s) had untolerated taint {team: }").words(2).startswith("2 have the taint team,")


def test_no_pattern_has_two_parts_that_may_end_anywhere():
    sources = [ast.parse(path.read_text()) for path in Path(explain.__file__).parent.rglob("*.py")]
    calls = [node for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Call)]
    patterns = [ast.unparse(node.args[0]) for node in calls if ast.unparse(node.func) == "re.compile"]
    assert len(patterns) > 10
    assert [pattern for pattern in patterns if pattern.count(".*") + pattern.count(".+") > 1] == []
