"""The grounds of decisions in a few words, by the decision's name."""

import re
from pathlib import Path

import lab
from lab.explain.grounds import GROUNDS, because

JOB = {"decision": "SyncJob", "completions": 5, "parallelism": 2, "active": 2, "succeeded": 1, "failed": 0}
NODES = [{"node": "a", "fits": True, "total": 72.0}, {"node": "b", "fits": False, "reasons": ["x"]}]
PLACED = {"decision": "Schedule", "chosen": "a", "evaluated": 2, "feasible": 1, "nodes": NODES}
SETS = {"web-2": {"replicas": 0, "wanted": 2}, "web-1": {"replicas": 4, "wanted": 4}}
SIZES = {"decision": "ScaleReplicaSets", "strategy": "RollingUpdate", "atMost": 6, "availableAtLeast": 4}
METRIC = {"metric": "pods metric requests_per_second", "current": "16682m", "target": "20", "proposal": 6}


def test_each_names_what_it_went_by():
    assert because({"decision": "CreatePods", "replicas": 5, "found": 3, "created": 2}) == "5 wanted, 3 found"
    assert because(PLACED) == "1 of 2 nodes fit, 72 points"
    assert because({**PLACED, "decision": "Unschedulable", "chosen": None}) == "1 of 2 nodes fit"
    promised = {**PLACED, "decision": "Preempt", "nominated": "b", "victims": ["default/low"]}
    assert because(promised) == "no node fits until default/low has left b"
    ordinal = {"decision": "CreateOrdinal", "replicas": 3, "ordinal": 1, "revision": "db-x"}
    assert because(ordinal) == "3 wanted, number 1 missing"
    assert because({"decision": "CreateDaemonPod", "missing_on": "node-a"}) == "node-a had none"
    assert because(JOB) == "1 of 5 done, 0 failed, 2 at work"
    assert because({**JOB, "completions": None}) == "1 done, 0 failed, 2 at work"
    assert because({**SIZES, "replicaSets": SETS}) == "at most 6 pods, at least 4 available: web-2 0 → 2"
    target = {"decision": "ScaleTarget", "current": 3, "desired": 6, "metrics": [METRIC]}
    assert because(target) == "pods metric requests_per_second 16.7 of 20: 3 → 6"
    bought = {"decision": "BuyNode", "bought": "pool-1", "for": ["default/web-1"]}
    assert because(bought) == "bought pool-1 for default/web-1"
    assert because({"decision": "StepRelease", "message": "", "phase": "Promoted"}) == "it is Promoted"


def test_where_nothing_was_decided_nothing_is_said():
    assert because(None) == because({"decision": "SomethingNew", "of": 3}) == ""


def test_a_kubelets_decision_is_told_by_the_reasons_of_its_steps():
    steps = [
        {"action": "CreatePodSandbox", "reason": "the pod has none yet"},
        {"action": "StartContainer", "container": "web", "attempt": 0, "reason": "its pod's sandbox is new"},
    ]
    sync = {"decision": "SyncPod", "steps": steps}
    assert because(sync) == "the pod has none yet; its pod's sandbox is new"
    wait = {"decision": "SyncPod", "steps": [{"action": "Wait", "container": "web", "seconds": 2.0}]}
    assert because(wait) == "back-off: longer after each failure"


def test_every_decision_that_the_lab_takes_stands_in_the_map_and_has_words_or_is_a_fault():
    """Found by its spelling, for that is how each is written down."""
    house = Path(lab.__file__).parent
    written = {
        name
        for path in house.rglob("*.py")
        if "explain" not in path.parts and "dashboard" not in path.parts
        for name in re.findall(r'"decision": "(\w+)"', path.read_text())
    }
    table = (house / "README.md").read_text().partition("| Decision |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    faults = {"NodeNotReady", "NodeStatusUnknown"}
    assert written == listed
    assert set(GROUNDS) <= listed
    assert listed - set(GROUNDS) - faults == {"BuyNothing"}  # its pool's message says it
