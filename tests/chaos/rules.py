"""What must hold of every revision, and of what there is after it. Called from a thread for each kind."""

import threading
from collections.abc import Iterator

from .findings import Findings
from .hands import Ledger
from .manifests import NAMESPACE, POLICY, SURGE

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
ENDED = ("Succeeded", "Failed")


class Rules:
    def __init__(self, findings: Findings, ledger: Ledger):
        self._findings, self._ledger = findings, ledger
        self._lock = threading.Lock()
        self._living: dict[str, dict] = {}  # pods by uid
        self._sets: dict[str, dict] = {}  # ReplicaSets by uid
        self._volumes: dict[str, str] = {}  # of each volume the uid of the claim that has it
        self._kept: dict[tuple[str, str], str] = {}  # CronJob's uid and a time → uid of the Job for it
        self._at_work: dict[str, dict] = {}  # Jobs by uid
        self._succeeded: dict[str, set[str]] = {}  # Job's uid → uids of its pods that ended well

    def look(self, kind: str, before: dict | None, after: dict | None) -> None:
        look = {"pod": self._pod, "replicaset": self._replica_set, "job": self._job, "claim": self._claim}.get(kind)
        if look:
            with self._lock:
                for wrong in look(before, after):
                    self._findings.add(wrong)

    def _pod(self, before: dict | None, after: dict | None) -> Iterator[str]:
        obj = after or before or {}
        uid = obj["metadata"]["uid"]
        name = f"pod {obj['metadata']['name']} ({uid})"
        if before and after:
            yield from (f"{name} {wrong}" for wrong in changes_of_a_pod(before, after))
        self._living.pop(uid, None)
        if after and phase(after) not in ENDED:
            self._living[uid] = after
            yield from self._beside_others(name, after)
        owner = owner_of(obj)
        if after and owner and owner["kind"] == "Job" and phase(after) == "Succeeded":
            self._succeeded.setdefault(owner["uid"], set()).add(uid)

    def _beside_others(self, name: str, pod: dict) -> Iterator[str]:
        address, node, owner = pod["status"].get("podIP"), pod["spec"].get("nodeName"), owner_of(pod)
        for other in self._living.values():
            if other is pod:
                continue
            if address and other["status"].get("podIP") == address:
                yield f"{name} has the address {address} of {other['metadata']['name']}"
            if owner and owner["kind"] == "DaemonSet" and owner == owner_of(other):
                target = daemon_node(pod)
                if target == daemon_node(other) and not is_leaving(pod) and not is_leaving(other):
                    yield f"{name} is beside {other['metadata']['name']} of the same DaemonSet on {target or node}"

    def _replica_set(self, before: dict | None, after: dict | None) -> Iterator[str]:
        uid = (after or before or {})["metadata"]["uid"]
        self._sets.pop(uid, None)
        if not after or not (owner := owner_of(after)):
            return
        self._sets[uid] = after
        most = self._ledger.most_replicas.get(owner["name"])
        total = sum(each["spec"]["replicas"] for each in self._sets.values() if owner_of(each) == owner)
        if most is not None and total > most + SURGE:
            yield f"deployment {owner['name']} has replica sets of {total} pods, where {most} and {SURGE} are most"

    def _claim(self, before: dict | None, after: dict | None) -> Iterator[str]:
        """Of a set's pod: nobody deletes it, and what is in its volume is not changed for another."""
        name = f"claim {(after or before or {})['metadata']['name']}"
        if not after:
            if before and before["metadata"]["namespace"] == NAMESPACE:
                yield f"{name} is gone, which nobody has deleted"
            return
        then, now = (each.get("spec", {}).get("volumeName") for each in (before or {}, after))
        if then and now != then:
            yield f"{name} had the volume {then} and has {now}"
        if now and self._volumes.setdefault(now, after["metadata"]["uid"]) != after["metadata"]["uid"]:
            yield f"{name} has the volume {now} of another claim"
        if after.get("status", {}).get("phase") == "Lost":
            yield f"{name} has lost its volume"

    def _job(self, before: dict | None, after: dict | None) -> Iterator[str]:
        self._at_work.pop((after or before or {})["metadata"]["uid"], None)
        if not after:
            return
        yield from self._of_a_cronjob(after)
        name, wanted = f"job {after['metadata']['name']}", after["spec"]["completions"]
        now, then = (each.get("status", {}).get("succeeded", 0) for each in (after, before or {}))
        if now < then:
            yield f"{name} counts back from {then} to {now}"
        if now > wanted:
            yield f"{name} has succeeded {now} times, {wanted} were wanted"
        pods = self._succeeded.get(after["metadata"]["uid"], ())
        if after["spec"].get("completionMode") != "Indexed" and len(pods) > wanted:
            yield f"{name} had {len(pods)} pods that succeeded, {wanted} were wanted"
        if is_true(after, "Complete") and now != wanted:
            yield f"{name} is complete with {now} of {wanted}"
        if is_true(after, "Failed"):
            yield f"{name} has failed, though it may fail as often as it likes"

    def _of_a_cronjob(self, job: dict) -> Iterator[str]:
        """No time is kept twice, and no Job is beside another where its CronJob forbids it."""
        owner, uid = owner_of(job), job["metadata"]["uid"]
        if not owner or owner["kind"] != "CronJob":
            return
        name, time = f"job {job['metadata']['name']} ({uid})", job["metadata"]["annotations"][SCHEDULED]
        if self._kept.setdefault((owner["uid"], time), uid) != uid:
            yield f"{name} is the second one for {time}"
        if not is_at_work(job):
            return
        others = [each for each in self._at_work.values() if owner_of(each) == owner]
        self._at_work[uid] = job
        policy = job["metadata"]["labels"][POLICY]
        if others and policy != "Allow":
            yield f"{name} is beside {others[0]['metadata']['name']}, where the policy is {policy}"


def changes_of_a_pod(before: dict, after: dict) -> Iterator[str]:
    """What cannot become of a pod, whatever happens."""
    for what, where in (("spec", "nodeName"), ("status", "podIP")):
        then, now = before.get(what, {}).get(where), after.get(what, {}).get(where)
        if then and now != then:
            yield f"had the {where} {then} and has {now}"
    if phase(before) in ENDED and phase(after) != phase(before):
        yield f"was {phase(before)} and is {phase(after)}"
    if is_leaving(before) and not is_leaving(after):
        yield "was leaving and is no longer"
    counts = {each["name"]: each["restartCount"] for each in before["status"].get("containerStatuses", ())}
    for each in after["status"].get("containerStatuses", ()):
        if each["restartCount"] < counts.get(each["name"], 0):
            yield f"had {counts[each['name']]} restarts of {each['name']} and has {each['restartCount']}"


def daemon_node(pod: dict) -> str:
    """Where a DaemonSet wants the pod, which is known before it is bound."""
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", ())
    return next((field["values"][0] for term in terms for field in term.get("matchFields", ())), "")


def phase(pod: dict) -> str:
    return pod.get("status", {}).get("phase", "")


def is_leaving(obj: dict) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def is_true(obj: dict, condition: str) -> bool:
    conditions = obj.get("status", {}).get("conditions", ())
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def is_at_work(job: dict) -> bool:
    return not is_leaving(job) and not is_true(job, "Complete") and not is_true(job, "Failed")


def owner_of(obj: dict) -> dict | None:
    return next((ref for ref in obj["metadata"].get("ownerReferences", ()) if ref.get("controller")), None)
