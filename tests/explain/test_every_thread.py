"""A small real cluster, with all loops and a kubelet, in which things happen at random: every row that it leaves leads
back to a person, the clock or a fault.
"""

import random
import time

import pytest
from django.conf import settings

from lab.apimachinery.kinds import DEPLOYMENTS, JOBS, NODES, PODS, SERVICES
from lab.explain.roots import root
from lab.runtime.simulated.behaviour import PREFIX
from lab.store import Row, changes
from tests.labs import wait_until

from .running import Running

pytestmark = pytest.mark.django_db(transaction=True)
ACTS = 40
PROBE = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1, "failureThreshold": 1}
POWER = "orrery.io/power"


class Small(Running):
    """Two nodes, two deployments and a job."""

    def __init__(self, folder):
        super().__init__("small", folder)
        for name in ("n1", "n2"):
            self.add_node(name)

    def deploy(self, name: str, **rules: str) -> None:
        labels = {"app": name}
        meta = {"labels": labels, "annotations": {f"{PREFIX}{rule}": text for rule, text in rules.items()}}
        template = {
            "metadata": meta,
            "spec": {"containers": [{"name": "web", "image": "web:1", "readinessProbe": PROBE}]},
        }
        spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
        self.client.create(DEPLOYMENTS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        port = {"selector": labels, "ports": [{"port": 80}]}
        self.client.create(SERVICES, {"metadata": {"name": name, "namespace": "default"}, "spec": port})

    def work(self) -> None:
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "work", "image": "work:1"}]}}
        self.client.create(JOBS, {"metadata": {"name": "work", "namespace": "default"}, "spec": {"template": template}})

    def act(self, chance: random.Random) -> None:
        """Something that a person does, or that happens to a container."""
        patch, name = self.client.patch, chance.choice(("steady", "shaky"))
        pods = self.client.list(PODS, "default")
        match chance.choice(("scale", "image", "delete", "kill", "cordon", "none")):
            case "scale":
                patch(DEPLOYMENTS, "default", name, {"spec": {"replicas": chance.randrange(5)}})
            case "image":
                image = {"name": "web", "image": f"web:{chance.randrange(3)}", "readinessProbe": PROBE}
                template = {"spec": {"containers": [image]}}
                patch(DEPLOYMENTS, "default", name, {"spec": {"template": template}})
            case "delete" if pods:
                self.client.delete(PODS, "default", chance.choice(pods)["metadata"]["name"])
            case "kill":
                running = [c.id for box in self.runtime.list_pods() for c in box.containers if c.state == "running"]
                if running:
                    self.runtime.kill_container(chance.choice(running))
            case "cordon":
                patch(NODES, "", "n2", {"spec": {"unschedulable": chance.choice((True, None))}})

    def power(self, node: str, word: str | None) -> None:
        self.client.patch(NODES, "", node, {"metadata": {"annotations": {POWER: word}}})

    def is_told(self, reason: str) -> bool:
        return any(_fault(row) == reason for row in changes("small", 0, 100_000))


def _fault(row: Row) -> str:
    return ((row.why or {}).get("fault") or {}).get("reason", "")


def test_every_thread_ends_in_a_person_the_clock_or_a_fault(tmp_path, monkeypatch):
    for wait, seconds in {"node_grace": 2.0, "node_lease_renew": 0.5}.items():
        monkeypatch.setitem(settings.CLOCK, wait, seconds)
    chance = random.Random(6)
    with Small(tmp_path) as small:
        small.deploy("steady")
        small.deploy("shaky", **{"unready-after": "1s", "crash-after": "3s"})
        small.work()
        for _ in range(ACTS):
            small.act(chance)
            time.sleep(chance.random() / 5)
        small.power("n1", "off")
        wait_until("the silence to be told", lambda: small.is_told("NodeSilent"), 60)
        small.power("n1", None)
        wait_until("the deaths to be told", lambda: small.is_told("ContainerDied"), 60)
    rows = {row.revision: row for row in changes("small", 0, 100_000)}
    kinds = {root(_first(rows, row)).kind for row in rows.values()}
    assert kinds == {"person", "clock", "fault"}
    pods = {root(_first(rows, row)).kind for row in rows.values() if row.resource == PODS.resource}
    assert {"person", "fault"} <= pods


def _first(rows: dict[int, Row], row: Row) -> Row:
    while row.cause:
        assert row.cause < row.revision
        row = rows[row.cause]
    return row
