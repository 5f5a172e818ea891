"""Staged incidents in a real cluster, and whether the card where a user looks first names the true cause of each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from lab.store import rows_at

from .incidents import ADA, BEN, INCIDENTS, NODES, Incident
from .running import Running
from .scene import Scene, a_kubectl

CLOCK = {"node_grace": 2.0, "node_lease_renew": 0.5, "default_toleration": 600.0, "crash_backoff_first": 1.0}


@pytest.fixture
def scenes(api, kubeconfig, tmp_path, monkeypatch) -> Iterator[dict[str, Scene]]:
    """The cluster with everything declared and everything gone wrong, each incident in a namespace of its name."""
    a_kubectl()  # without one nothing that is advised could be done, and nothing would be mended
    for wait, seconds in CLOCK.items():
        monkeypatch.setitem(settings.CLOCK, wait, seconds)
    staged = {each.name: Scene(api, each.name, kubeconfig) for each in INCIDENTS}
    with Running(api.cluster, tmp_path) as running:
        for node, cpu in NODES.items():
            running.add_node(node, cpu)
        taint = {"key": "team", "value": "ml", "effect": "NoSchedule"}
        staged["untolerated-taint"].patch(BEN, "nodes/tainted", {"spec": {"taints": [taint]}})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda each: _stage(each, staged[each.name]), INCIDENTS))
        yield staged


def _stage(incident: Incident, scene: Scene) -> None:
    scene.create(ADA, "namespaces", {"metadata": {"name": scene.namespace}})
    scene.until("its account", lambda: scene.get("serviceaccounts")["items"])
    for resource, obj in incident.objects:
        scene.create(ADA, resource, obj)
    incident.fault(scene)


def test_the_card_names_the_true_cause_and_its_help_helps(scenes, subtests):
    for incident in INCIDENTS:
        with subtests.test(incident.name):
            card = _explained(incident, scenes[incident.name])
            advice = card["help"] or {"command": "", "text": ""}
            assert incident.help in f"{advice['command']} {advice['text']}"
            _follow(incident, scenes[incident.name], advice["command"])
    for incident in INCIDENTS:
        with subtests.test(f"{incident.name}, mended"):
            if incident.then:
                scenes[incident.name].until_reason(incident.look, incident.then)


def _explained(incident: Incident, scene: Scene) -> dict:
    card = scene.until_reason(incident.look, incident.reason, incident.says)
    said = f"{card['answer']} {' '.join(ground['text'] for ground in card['because'])}"
    assert [words for words in incident.never if words in said] == [], card
    for known in incident.grounds:
        assert any(_is(ground, *known) for ground in card["because"]), (known, card["because"])
    for ground in card["because"]:
        (row,) = rows_at(scene.api.cluster, [ground["revision"]])
        assert (row.author, row.time) == (ground["author"], ground["time"])
    return card


def _is(ground: dict, name: str, author: str, text: str) -> bool:
    return ground["name"].startswith(name) and ground["author"] == author and text in ground["text"]


def _follow(incident: Incident, scene: Scene, command: str) -> None:
    if incident.mend:
        incident.mend(scene)
    elif incident.then:
        scene.run(command)
