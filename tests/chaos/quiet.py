"""When every fault is gone the cluster settles: then what is declared, what the API says and what the engine has agree.

Deployments, nodes, sandboxes and containers are compared by `flow.audit`, as after every bad day; the rest is here.
"""

import time
from collections.abc import Iterator

from lab.apimachinery.meta import at

from ..flow.audit import audit
from ..labs import LabUnderTest, is_ready, wait_until
from .findings import Findings
from .hands import Ledger
from .manifests import NAMESPACE, PATHS
from .rules import ENDED, is_at_work, is_true, owner_of, phase
from .watchers import FOLLOWED, Watcher

SETTLE_SECONDS = 120.0  # and labs.PATIENCE times as long
SILENT_SECONDS = 3.0


def settle(lab: LabUnderTest, ledger: Ledger, findings: Findings) -> bool:
    """Whether it did; what is wrong still is found to be so."""
    complaints = ["never looked"]

    def look() -> bool:
        complaints[:] = disagreements(lab, ledger)
        return not complaints

    try:
        wait_until("it to settle", look, SETTLE_SECONDS, step=0.5)
    except AssertionError:
        for each in complaints:
            findings.add(f"does not settle: {each}")
    ledger.quiet()
    return not complaints


def disagreements(lab: LabUnderTest, ledger: Ledger) -> list[str]:
    listed = {kind: lab.get(path) for kind, path in FOLLOWED.items()}
    if None in listed.values():
        return ["the API does not answer"]
    there = {kind: found["items"] for kind, found in listed.items()}
    return [
        *audit(lab),
        *_accepted(there, ledger),
        *_owned(there),
        *(wrong for each in there["statefulset"] for wrong in _set(each, there["pod"], there["claim"])),
        *(wrong for each in there["daemonset"] for wrong in _daemons(each, there["pod"], there["node"])),
        *(wrong for each in there["job"] for wrong in _job(each)),
        *(wrong for each in there["cronjob"] for wrong in kept(each, there["job"], time.time())),
        *(wrong for each in there["autoscaler"] for wrong in scaled(each, there["deployment"])),
        *(wrong for each in there["pod"] for wrong in _images(each)),
    ]


def _accepted(there: dict[str, list[dict]], ledger: Ledger) -> Iterator[str]:
    """Each object as its last accepted write left it."""
    seen = {kind: {obj["metadata"]["name"]: obj for obj in there[kind] if _is_ours(obj)} for kind in PATHS}
    for (kind, name), is_kept in ledger.declared.items():
        obj = seen[kind].pop(name, None)
        if is_kept is None and obj:
            yield f"{kind} {name} was deleted and is there"
        elif is_kept and not obj:
            yield f"{kind} {name} was accepted and is not there"
        elif is_kept and not is_kept(obj):
            yield f"{kind} {name} is not as it was accepted: {obj['spec']}"
    undeclared = ((kind, name) for kind, names in seen.items() for name, obj in names.items() if not owner_of(obj))
    yield from (f"{kind} {name} was never declared" for kind, name in undeclared)


def _owned(there: dict[str, list[dict]]) -> Iterator[str]:
    spaces = {obj["metadata"]["name"] for obj in there["namespace"]}
    uids = {obj["metadata"]["uid"] for objects in there.values() for obj in objects}
    for kind, objects in there.items():
        for obj in objects:
            if obj["metadata"].get("namespace", "default") not in spaces:
                yield f"{kind} {obj['metadata']['name']} is in no namespace"
    for kind in ("pod", "replicaset", "job"):
        for obj in there[kind]:
            owner = owner_of(obj)
            if owner["uid"] not in uids if owner else kind != "job":
                yield f"{kind} {obj['metadata']['name']} has no owner"


def _set(obj: dict, pods: list[dict], claims: list[dict]) -> Iterator[str]:
    name, wanted = obj["metadata"]["name"], obj["spec"]["replicas"]
    space = obj["metadata"]["namespace"]
    mine = [each for each in claims if each["metadata"]["namespace"] == space]
    bound = {each["metadata"]["name"] for each in mine if each.get("status", {}).get("phase") == "Bound"}
    for missing in sorted({f"data-{name}-{n}" for n in range(wanted)} - bound):
        yield f"claim {missing} of statefulset {name} is not bound"
    own = [pod for pod in pods if (owner_of(pod) or {}).get("uid") == obj["metadata"]["uid"]]
    ready = sorted(pod["metadata"]["name"] for pod in own if is_ready(pod))
    if ready != [f"{name}-{n}" for n in range(wanted)] or len(own) != wanted:
        yield f"statefulset {name} wants {wanted} pods, and has {ready} ready of {len(own)}"
    status = obj.get("status", {})
    if wanted and status.get("currentRevision") != status.get("updateRevision"):
        yield f"statefulset {name} is not updated"


def _daemons(obj: dict, pods: list[dict], nodes: list[dict]) -> Iterator[str]:
    name = obj["metadata"]["name"]
    own = [pod for pod in pods if (owner_of(pod) or {}).get("uid") == obj["metadata"]["uid"] and is_ready(pod)]
    wanted = sorted(node["metadata"]["name"] for node in nodes if not node["spec"].get("taints"))
    if sorted(pod["spec"]["nodeName"] for pod in own) != wanted:
        yield f"daemonset {name} is ready on {sorted(pod['spec']['nodeName'] for pod in own)}, not on {wanted}"
    if obj.get("status", {}).get("updatedNumberScheduled", 0) != len(wanted):
        yield f"daemonset {name} is not updated"


def _job(obj: dict) -> Iterator[str]:
    """One of a CronJob may just have begun."""
    busy = owner_of(obj) and obj.get("status", {}).get("ready")
    if not busy and not is_true(obj, "Complete"):
        yield f"job {obj['metadata']['name']} is not complete"


def kept(cronjob: dict, jobs: list[dict], now: float) -> Iterator[str]:
    """The last minute has had its Job, unless another that is still at work forbids it; of those before, faults may
    have kept it from some. And it knows which are at work."""
    meta, status = cronjob["metadata"], cronjob.get("status", {})
    at_work = {
        job["metadata"]["uid"] for job in jobs if (owner_of(job) or {}).get("uid") == meta["uid"] and is_at_work(job)
    }
    if {ref["uid"] for ref in status.get("active", ())} != at_work:
        yield f"cronjob {meta['name']} has {sorted(at_work)} at work and says {status.get('active')}"
    due = at(now // 60 * 60)
    is_forbidden = at_work and cronjob["spec"]["concurrencyPolicy"] == "Forbid"
    if meta["creationTimestamp"] < due and status.get("lastScheduleTime", "") < due and not is_forbidden:
        yield f"cronjob {meta['name']} has not kept {due}: {status}"


def scaled(scaler: dict, deployments: list[dict]) -> Iterator[str]:
    """Its target is as the last decision, which the log has with this status, says; and that is within the bounds."""
    meta, spec, status = scaler["metadata"], scaler["spec"], scaler.get("status", {})
    place = (meta["namespace"], spec["scaleTargetRef"]["name"])
    sizes = [
        each["spec"]["replicas"]
        for each in deployments
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == place
    ]
    within = range(spec["minReplicas"], spec["maxReplicas"] + 1)
    if sizes != [status.get("desiredReplicas")] or sizes[0] not in within:
        yield f"autoscaler {meta['name']} has sized its target {sizes}, where it decided on {status}"
    if status.get("observedGeneration") != meta["generation"]:
        yield f"autoscaler {meta['name']} has changed and nobody has looked"


def _images(pod: dict) -> Iterator[str]:
    """What runs is what is declared."""
    declared = {each["name"]: each["image"] for each in pod["spec"]["containers"]}
    if phase(pod) in ENDED:
        return
    for status in pod["status"].get("containerStatuses", ()):
        if status["image"] != declared[status["name"]]:
            yield f"pod {pod['metadata']['name']} runs {status['image']}, not {declared[status['name']]}"


def check_silence(watchers: list[Watcher], findings: Findings) -> None:
    """Who has settled writes no more: a loop that writes what it is told of would never end."""
    # The heartbeats of the ones and the figures of the others go on.
    followed = [watcher for watcher in watchers if watcher.kind not in ("node", "autoscaler")]

    def is_silent() -> bool:
        return time.monotonic() - max(watcher.changed for watcher in followed) > SILENT_SECONDS

    try:
        wait_until("silence", is_silent, 60, step=0.5)
    except AssertionError:
        latest = max(followed, key=lambda watcher: watcher.changed)
        findings.add(f"there is no end of changes, the last one of a {latest.kind}")


def check_ledger(watchers: list[Watcher], ledger: Ledger, findings: Findings) -> None:
    """Every write that was answered was told to who watches."""
    told = {watcher.kind: watcher.revisions for watcher in watchers}
    for kind, name, revision in ledger.written:
        if revision not in told[kind].get(name, ()):
            findings.add(f"{kind} {name} was accepted at {revision}, and no watch was told")


def _is_ours(obj: dict) -> bool:
    """Also a namespace that a storm has made."""
    meta = obj["metadata"]
    return meta.get("namespace") == NAMESPACE or meta["name"].startswith("nam-")
