"""Two minutes of chaos; and that what looks for trouble would see it: a run that finds nothing proves nothing alone."""

import subprocess
import sys

import pytest

from lab.runtime import Container, Sandbox

from ..labs import HOME, clean_environment
from .engineroom import doubles
from .faults import names_of
from .findings import Findings
from .hands import Hands, Ledger
from .manifests import NAMESPACE
from .plan import BROKEN_IMAGE, Plan
from .rules import Rules

SEED = 20261128


@pytest.mark.timeout(1800)
def test_nothing_is_found_in_two_minutes():
    words = f"-m tests.chaos --seed {SEED} --minutes 2 --runtime process"
    done = subprocess.run(
        [sys.executable, *words.split()], cwd=HOME, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "nothing found in" in done.stdout.splitlines()[-1]


def test_a_seed_says_what_is_done_and_another_says_otherwise():
    def steps(seed: int) -> list[str]:
        plan = Plan(seed, names_of("process", False, False, True))
        return [str(step) for number in range(5) for step in (*plan.storm(number), *plan.calm(number))]

    assert steps(1) == steps(1)
    assert steps(1) != steps(2)


def test_a_plan_uses_every_fault_and_declares_everything_and_leaves_nothing_broken():
    for runtime in ("process", "docker"):
        faults = names_of(runtime, True, runtime == "docker", True)
        plan, verbs, broken = Plan(3, faults), set(), set()
        for number in range(100):
            for step in plan.storm(number):
                verbs.add(step.verb)
                name = step.arguments.get("name")
                if step.verb == "release_deployment" and step.arguments["image"] == BROKEN_IMAGE:
                    broken.add(name)
                elif step.verb in ("release_deployment", "delete_deployment", "undo_deployment"):
                    broken.discard(name)
            assert not broken
            verbs |= {step.verb for step in plan.calm(number)}
        assert set(faults) <= verbs
        assert all(hasattr(Hands, verb) for verb in verbs - set(faults))


def box(uid: str, *names: str, name: str = "web-0", address: str = "127.1.0.1", ready: bool = True) -> Sandbox:
    inside = tuple(Container(f"{uid}-{n}", each, 0, "running") for n, each in enumerate(names))
    return Sandbox(f"box-{uid}", "default", "node-a", "chaos", name, uid, ready, address, containers=inside)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([box("1", "main", "main")], "has 2 running containers main"),
        ([box("1", "main"), box("1")], "has 2 sandboxes at once"),
        ([box("1", "main"), box("2", "main", address="127.1.0.2")], "run at once"),
        ([box("1", "main"), box("2", "main", name="web-1")], "127.1.0.1 is of"),
    ],
)
def test_what_the_engine_has_twice_is_seen(boxes: list[Sandbox], words: str):
    assert [words in wrong for wrong in doubles(boxes)] == [True]
    assert not list(doubles([box("1", "main"), box("2", "main", name="web-1", address="127.1.0.2")]))


def pod(
    uid: str, address: str = "10.0.0.1", node: str = "node-a", phase: str = "Running", restarts: int = 0, **meta
) -> dict:
    counts = [{"name": "main", "restartCount": restarts}]
    status = {"phase": phase, "podIP": address, "containerStatuses": counts}
    return {"metadata": {"uid": uid, "name": f"web-{uid}", **meta}, "spec": {"nodeName": node}, "status": status}


def owned(kind: str, name: str) -> dict:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]}


def job(succeeded: int, completions: int = 2, **conditions: str) -> dict:
    listed = [{"type": each, "status": status} for each, status in conditions.items()]
    spec, status = {"completions": completions}, {"succeeded": succeeded, "conditions": listed}
    return {"metadata": {"name": "sum", "uid": "uid-sum"}, "spec": spec, "status": status}


def replica_set(name: str, replicas: int) -> dict:
    return {"metadata": {"uid": name, "name": name, **owned("Deployment", "web")}, "spec": {"replicas": replicas}}


def claim(name: str = "data-0", volume: str = "pvc-1", phase: str = "Bound") -> dict:
    meta = {"uid": name, "name": name, "namespace": NAMESPACE}
    return {"metadata": meta, "spec": {"volumeName": volume}, "status": {"phase": phase}}


DAEMON = owned("DaemonSet", "agent")
SUM = owned("Job", "sum")
STORIES = {
    "had the podIP 10.0.0.1 and has 10.0.0.2": [("pod", pod("1"), pod("1", "10.0.0.2"))],
    "had the nodeName node-a and has node-b": [("pod", pod("1"), pod("1", node="node-b"))],
    "was Failed and is Running": [("pod", pod("1", phase="Failed"), pod("1"))],
    "was leaving": [("pod", pod("1", deletionTimestamp="now"), pod("1"))],
    "had 2 restarts": [("pod", pod("1", restarts=2), pod("1", restarts=1))],
    "has the address 10.0.0.1 of web-1": [("pod", None, pod("1")), ("pod", None, pod("2"))],
    "of the same DaemonSet": [("pod", None, pod("1", **DAEMON)), ("pod", None, pod("2", "10.0.0.2", **DAEMON))],
    "has replica sets of 5": [("replicaset", None, replica_set("a", 2)), ("replicaset", None, replica_set("b", 3))],
    "is gone, which nobody has deleted": [("claim", claim(), None)],
    "had the volume pvc-1 and has pvc-2": [("claim", claim(), claim(volume="pvc-2"))],
    "has the volume pvc-1 of another claim": [("claim", None, claim()), ("claim", None, claim("data-1"))],
    "has lost its volume": [("claim", claim(), claim(phase="Lost"))],
    "counts back from 2 to 1": [("job", job(2), job(1))],
    "has succeeded 3 times": [("job", None, job(3))],
    "is complete with 1 of 2": [("job", None, job(1, Complete="True"))],
    "has failed": [("job", None, job(1, Failed="True"))],
    "had 3 pods that succeeded": [
        *(("pod", None, pod(uid, phase="Succeeded", **SUM)) for uid in "123"),
        ("job", None, job(2)),
    ],
}


@pytest.mark.parametrize("words", STORIES)
def test_what_must_not_become_of_an_object_is_seen(words: str):
    findings, ledger = Findings(), Ledger()
    ledger.size("web", 3)
    rules = Rules(findings, ledger)
    for kind, before, after in STORIES[words]:
        rules.look(kind, before, after)
    assert [words in found for found in findings.found] == [True]
