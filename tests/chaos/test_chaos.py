"""A minute of chaos; and that what looks for trouble would see it: a run that finds nothing proves nothing alone."""

import shutil
import subprocess
import sys

import pytest

from lab.apimachinery.meta import parse_time
from lab.runtime import Container, Sandbox

from ..conftest import need
from ..labs import HOME, clean_environment
from ..postgresql import PROGRAMS
from .engineroom import doubles
from .faultnames import OWN, names_of
from .findings import Findings
from .hands import Hands, Ledger
from .manifests import NAMESPACE, POLICY, autoscaler
from .plan import BROKEN_IMAGE, Plan
from .quiet import kept, scaled
from .rules import SCHEDULED, Rules

SEED = 20261128


@pytest.mark.timeout(1800)
def test_nothing_is_found_in_a_minute():
    need("PostgreSQL and redis-server", PROGRAMS and shutil.which("redis-server"))
    words = f"-m tests.chaos --seed {SEED} --minutes 1 --runtime process --postgresql --workers 2"
    done = subprocess.run(
        [sys.executable, *words.split()], cwd=HOME, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "nothing found in" in done.stdout.splitlines()[-1]


def test_a_seed_says_what_is_done_and_another_says_otherwise():
    def steps(seed: int) -> list[str]:
        plan = Plan(seed, names_of("process", {"clock"}))
        return [str(step) for number in range(5) for step in (*plan.storm(number), *plan.calm(number))]

    assert steps(1) == steps(1)
    assert steps(1) != steps(2)


def test_a_plan_uses_every_fault_and_declares_everything_and_leaves_nothing_broken():
    for runtime in ("process", "docker"):
        faults = names_of(runtime, OWN)
        plan, verbs, broken = Plan(3, faults), set(), set()
        for number in range(100):
            for step in plan.storm(number):
                verbs.add(step.verb)
                name = step.arguments.get("name")
                if step.verb == "release_deployment" and step.arguments["image"] == BROKEN_IMAGE:
                    broken.add(name)
                elif step.verb in ("release_deployment", "delete", "undo_deployment"):
                    broken.discard(name)
            assert not broken
            verbs |= {step.verb for step in plan.calm(number)}
        assert set(faults) <= verbs
        assert all(hasattr(Hands, verb) for verb in verbs - set(faults))


def box(
    uid: str, *names: str, name: str = "web-0", address: str = "127.1.0.1", ready: bool = True, state: str = "running"
) -> Sandbox:
    inside = tuple(Container(f"{uid}-{n}", each, n, state) for n, each in enumerate(names))
    return Sandbox(f"box-{uid}", "default", "node-a", "chaos", name, uid, ready, address, containers=inside)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([box("1", "main", "main")], "has 2 running containers main"),
        ([box("1", "main"), box("1")], "has 2 sandboxes at once"),
        ([box("1", "main"), box("1", "main", ready=False, state="exited")], "was made twice as attempt 0 of main"),
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


def of_cron(uid: str, minute: int = 1, policy: str = "Forbid", **conditions: str) -> dict:
    made = job(len(conditions), 1, **conditions)
    annotations, labels = {SCHEDULED: f"2026-11-28T00:0{minute}:00Z"}, {POLICY: policy}
    return {**made, "metadata": {"name": uid, "uid": uid, "annotations": annotations, "labels": labels, **NIGHTLY}}


def replica_set(name: str, replicas: int) -> dict:
    return {"metadata": {"uid": name, "name": name, **owned("Deployment", "web")}, "spec": {"replicas": replicas}}


def claim(name: str = "data-0", volume: str = "pvc-1", phase: str = "Bound") -> dict:
    meta = {"uid": name, "name": name, "namespace": NAMESPACE}
    return {"metadata": meta, "spec": {"volumeName": volume}, "status": {"phase": phase}}


DAEMON = owned("DaemonSet", "agent")
SUM = owned("Job", "sum")
NIGHTLY = owned("CronJob", "nightly")
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
    "is the second one for 2026-11-28T00:01:00Z": [
        ("job", None, of_cron("a")),
        ("job", of_cron("a"), None),
        ("job", None, of_cron("b")),
    ],
    "is beside a, where the policy is Forbid": [("job", None, of_cron("a")), ("job", None, of_cron("b", 2))],
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


def test_one_that_has_ended_and_one_that_is_allowed_forbid_nothing():
    findings = Findings()
    rules = Rules(findings, Ledger())
    for made in (of_cron("a"), of_cron("a", Complete="True"), of_cron("b", 2)):
        rules.look("job", None, made)
    rules.look("job", None, of_cron("c", 3, "Allow"))
    assert not findings.found


NOON = parse_time("2026-05-20T12:00:00Z")


def cronjob(last: str, policy: str = "Forbid", *active: str) -> dict:
    meta = {"name": "nightly", "uid": "uid-nightly", "creationTimestamp": "2026-05-20T11:58:30Z"}
    status = {"lastScheduleTime": f"2026-05-20T{last}:00Z", "active": [{"uid": uid} for uid in active]}
    return {"metadata": meta, "spec": {"concurrencyPolicy": policy}, "status": status}


@pytest.mark.parametrize(
    ("seen", "jobs", "words"),
    [
        (cronjob("12:00"), [], []),
        (cronjob("11:59"), [], ["has not kept 2026-05-20T12:00:00Z"]),
        (cronjob("11:59", "Forbid", "a"), [of_cron("a")], []),
        (cronjob("11:59", "Replace", "a"), [of_cron("a")], ["has not kept"]),
        (cronjob("12:00", "Forbid", "a"), [of_cron("a", Complete="True")], ["has [] at work"]),
        (cronjob("12:00"), [of_cron("a")], ["has ['a'] at work"]),
    ],
)
def test_a_cronjob_keeps_each_minute_that_it_can(seen: dict, jobs: list[dict], words: list[str]):
    found = list(kept(seen, jobs, NOON + 20))
    assert len(found) == len(words) and all(word in wrong for word, wrong in zip(words, found, strict=True))
    assert not list(kept(cronjob("11:00"), [], NOON - 100)), "it was not there yet"


@pytest.mark.parametrize(
    ("replicas", "desired", "seen", "words"),
    [
        (3, 3, 2, []),
        (3, 2, 2, ["has sized its target [3]"]),
        (4, 4, 2, ["has sized its target [4]"]),
        (3, 3, 1, ["nobody has looked"]),
    ],
)
def test_an_autoscaler_sizes_its_target_as_it_decides(replicas: int, desired: int, seen: int, words: list[str]):
    scaler = {
        "metadata": {"name": "web", "namespace": "chaos", "generation": 2},
        "spec": autoscaler("web", "front", 1, 3, 5)["spec"],
        "status": {"desiredReplicas": desired, "observedGeneration": seen},
    }
    target = {"metadata": {"name": "web", "namespace": "chaos"}, "spec": {"replicas": replicas}}
    found = list(scaled(scaler, [target]))
    assert len(found) == len(words) and all(word in wrong for word, wrong in zip(words, found, strict=True))
