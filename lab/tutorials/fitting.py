"""What of a cluster fits a scene, and how what does not is put back. Pure."""

import math
from collections import Counter
from collections.abc import Iterator

from lab.apimachinery.controlplane import is_up
from lab.apimachinery.kinds import (
    BUILDS,
    BY_GVK,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTS,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    JOBS,
    LEASES,
    LESSONS,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    RELEASES,
    REPLICASETS,
    SERVICES,
    STATEFULSETS,
    VISITORS,
    WHEELS,
    Kind,
)
from lab.apimachinery.labels import BOOTS_UNTIL, GATEWAY, KUBELET, RESTARTED
from lab.apimachinery.meta import controller_of, is_deleting, is_true, parse_time
from lab.apimachinery.priorities import SYSTEM
from lab.apimachinery.services import API_SERVER, HEADLESS
from lab.apimachinery.volumes import PROVISIONED_BY, annotation, claim_names
from lab.apimachinery.wheels import RUNNING
from lab.client import Put
from lab.client.clusters import ACCOUNT, FIRST_NAMESPACES, ROOT_CA
from lab.controllers.deployment.revisions import REVISION, REVISION_HISTORY, same_template
from lab.controllers.horizontalpodautoscaler.controller import MEMORY
from lab.store import View

from . import facts
from .scenes import Scene

# No part of a scene: these stay.
LEFT = {kind.resource for kind in (EVENTS, LEASES, LESSONS, WHEELS)}
BUILT_IN = {("namespaces", name) for name in FIRST_NAMESPACES} | {
    ("services", "kubernetes"),
    ("endpoints", "kubernetes"),
    ("endpointslices.discovery.k8s.io", "kubernetes"),
    ("serviceaccounts", ACCOUNT),
    ("configmaps", ROOT_CA),
    *(("priorityclasses.scheduling.k8s.io", name) for name in SYSTEM),
}
OTHERS_NAMESPACES = frozenset(FIRST_NAMESPACES) - {"default"}
# What has done something, or remembers something, cannot be put back: it is made anew.
DOERS = (JOBS, CRONJOBS, RELEASES, BUILDS, HORIZONTALPODAUTOSCALERS, VISITORS)
# What keeps something that programs have done, or what became of them.
KEEPERS = (PERSISTENTVOLUMECLAIMS, DEPLOYMENTS, STATEFULSETS, DAEMONSETS)
# Annotations in which controllers and kubelets remember something.
REMEMBERED = ("deployment.kubernetes.io/", "deprecated.daemonset.", "pv.kubernetes.io/", "volume.", KUBELET, GATEWAY,
              API_SERVER, BOOTS_UNTIL, MEMORY)  # fmt: skip
FILLED_IN = (JOBS, PERSISTENTVOLUMECLAIMS)  # what was filled in there may not be changed any more
LIFECYCLE = "node.kubernetes.io/"
CORDONED = f"{LIFECYCLE}unschedulable"
Key = tuple[str, str, str]  # resource, namespace, name


def key_of(obj: dict) -> Key:
    kind = kind_of(obj)
    return kind.resource, obj["metadata"].get("namespace", "") if kind.namespaced else "", obj["metadata"]["name"]


def kind_of(obj: dict) -> Kind:
    return BY_GVK[obj["apiVersion"], obj["kind"]]


class Fitting:
    """One comparison. `since`: see `stage.plan`."""

    def __init__(self, view: View, scene: Scene, since: float):
        self.view, self.scene, self.since = view, scene, math.floor(since)
        self._asking: set[Key] = set()  # whose staying is being found out
        self.awaited = self._awaited()
        self.wanted = {(key := key_of(obj)): as_restarted(obj, view.get(*key)) for obj in scene.objects}
        nodes = [obj for key in self.wanted if key[0] == NODES.resource and (obj := view.get(*key))]
        self.nodes = {obj["metadata"]["name"] for obj in nodes if self.stays(obj)}
        self.down = {obj["metadata"]["name"] for obj in nodes if not (is_up(obj) and is_true(obj, "Ready"))}
        all_there = len(self.nodes - self.down) == sum(key[0] == NODES.resource for key in self.wanted)
        self.crowded = set(self._beyond_their_share()) if scene.even and all_there else set()

    def _awaited(self) -> dict[str, bool]:
        """By their uid the pods of which `until` says what they are to be, and whether they are so."""
        found: dict[str, bool] = {}
        for claim in self.scene.until:
            subject, fact = claim.reading.subject, claim.reading.fact
            if facts.kind_of(subject.kind) is not PODS:
                continue
            holds = facts.all_hold(claim, facts.read(self.view, claim.reading))
            for pod in facts.find(self.view, subject):
                uid = pod["metadata"]["uid"]
                # How many there are says nothing of how they are.
                so = holds and (fact != "count" or is_true(pod, "Ready"))
                found[uid] = so and found.get(uid, True)
        return found

    def stays(self, obj: dict) -> bool:
        """Whether it is of the scene, as it is or after `put_back`; or of no concern to it."""
        key = key_of(obj)
        if key in self._asking:
            return False  # its owners go round in a circle: nothing of the scene has made it
        self._asking.add(key)
        stays = self._stays(obj)
        self._asking.remove(key)
        return stays

    def _stays(self, obj: dict) -> bool:
        kind, meta = kind_of(obj), obj["metadata"]
        if self._is_given(kind, meta):
            return True
        if is_deleting(obj) or (kind is PODS and self._is_spoilt(obj)):
            return False
        if key_of(obj) in self.wanted:
            return not self._is_another(kind, obj)
        if controller_of(obj):
            owner = owner_of(self.view, obj)
            return owner is not None and self.stays(owner) and self._is_of(kind, obj, owner)
        return self._belongs(kind, obj)

    def renewed(self, obj: dict) -> dict | None:
        """How one that stays is put back though no scene names it."""
        kind, notes = kind_of(obj), obj["metadata"].get("annotations", {})
        if kind is WHEELS and key_of(obj) not in self.wanted and obj["spec"]["mode"] != RUNNING:
            return {**obj, "spec": {"mode": RUNNING}}
        if kind is REPLICASETS and notes.get(REVISION, "1") != "1":  # a scene begins with the first revision
            first = {key: text for key, text in notes.items() if key != REVISION_HISTORY} | {REVISION: "1"}
            return {**obj, "metadata": {**obj["metadata"], "annotations": first}}
        return None

    def _is_given(self, kind: Kind, meta: dict) -> bool:
        return (
            kind.resource in LEFT
            or (kind.resource, meta["name"]) in BUILT_IN
            or meta.get("namespace") in OTHERS_NAMESPACES
            or "kubernetes.io/bootstrapping" in meta.get("labels", {})
        )

    def _is_old(self, obj: dict) -> bool:
        """Times are whole seconds: one of the same second counts as new."""
        return parse_time(obj["metadata"]["creationTimestamp"]) < self.since

    def _is_another(self, kind: Kind, obj: dict) -> bool:
        """Whether it only has the name of one of the scene."""
        wanted = self.wanted[key_of(obj)]
        if kind is NODES:
            dark = not is_up(wanted) and is_true(obj, "Ready")  # it would take a while until its pods were known dead
            return dark or obj.get("status", {}).get("capacity") != wanted["status"]["capacity"]
        if kind is PODS:
            return _images(obj["spec"]) != _images(wanted["spec"])
        if kind is SERVICES:  # an address is never taken back, nor given to one that has none
            return (obj["spec"].get("clusterIP") == HEADLESS) != (wanted["spec"].get("clusterIP") == HEADLESS)
        return self._is_old(obj) and (kind in DOERS or self.scene.anew and kind in KEEPERS)

    def _is_spoilt(self, pod: dict) -> bool:
        spec, node = pod["spec"], pod["spec"].get("nodeName")
        claims = (
            self.view.get(PERSISTENTVOLUMECLAIMS.resource, pod["metadata"]["namespace"], name)
            for name in claim_names(spec)
        )
        if node and node not in self.nodes or any(claim and not self.stays(claim) for claim in claims):
            return True
        if pod["metadata"]["uid"] in self.crowded:
            return True
        if not self._is_old(pod):
            return False
        restarts = sum(one.get("restartCount", 0) for one in pod.get("status", {}).get("containerStatuses", ()))
        # One that was to wait, and goes on since somebody has helped it, is not well.
        well = self.awaited.get(pod["metadata"]["uid"], is_true(pod, "Ready"))
        return self.scene.anew or restarts > 0 or node in self.down or not well

    def _beyond_their_share(self) -> Iterator[str]:
        """Of pods of one workload, those that are more on a node than it would have if each had as many."""
        workers = sum(key[0] == NODES.resource and not obj["spec"].get("taints") for key, obj in self.wanted.items())
        beside: Counter[tuple[Key, str]] = Counter()
        oldest_first = sorted(self.view.list(PODS.resource), key=lambda pod: pod["metadata"]["creationTimestamp"])
        for pod in oldest_first:
            root, node = key_of(root_of(self.view, pod)), pod["spec"].get("nodeName", "")
            beside[root, node] += 1
            replicas = self.wanted.get(root, {}).get("spec", {}).get("replicas", 0)
            if beside[root, node] > math.ceil(replicas / workers):
                yield pod["metadata"]["uid"]

    def _is_of(self, kind: Kind, obj: dict, owner: dict) -> bool:
        """Whether it is still what its owner has made, and would make now."""
        if kind is REPLICASETS and owner["kind"] == DEPLOYMENTS.kind:
            wanted = self.wanted.get(key_of(owner), owner)
            return same_template(obj["spec"]["template"], wanted["spec"]["template"])
        if kind is PODS and owner["kind"] == REPLICASETS.kind:
            template = owner["spec"]["template"]
            labels = template["metadata"].get("labels", {})
            return obj["metadata"].get("labels", {}) == labels and _images(obj["spec"]) == _images(template["spec"])
        return True

    def _belongs(self, kind: Kind, obj: dict) -> bool:
        """Of those that name no controller, and yet were made for something of the scene."""
        meta = obj["metadata"]
        home, name = meta.get("namespace", ""), meta["name"]
        if kind is ENDPOINTS:
            return (SERVICES.resource, home, name) in self.wanted
        if kind is PERSISTENTVOLUMECLAIMS:
            return not (self.scene.anew and self._is_old(obj)) and any(
                name.startswith(f"{claim['metadata']['name']}-{sets[2]}-")
                for sets, wanted in self.wanted.items()
                if sets[:2] == (STATEFULSETS.resource, home)
                for claim in wanted["spec"].get("volumeClaimTemplates", ())
            )
        return kind is PERSISTENTVOLUMES and bool(annotation(obj, PROVISIONED_BY))  # it goes when its claim does


def owner_of(view: View, obj: dict) -> dict | None:
    """The object that made it, if that is still there."""
    ref = controller_of(obj)
    kind = BY_GVK.get((ref["apiVersion"], ref["kind"])) if ref else None
    if ref is None or kind is None:
        return None
    owner = view.get(kind.resource, obj["metadata"].get("namespace", "") if kind.namespaced else "", ref["name"])
    return owner if owner and owner["metadata"]["uid"] == ref["uid"] else None


def root_of(view: View, obj: dict) -> dict:
    """Who made it in the end: the owner of its owner; of a circle the last that is met."""
    met: set[Key] = set()
    while (owner := owner_of(view, obj)) and key_of(owner) not in met:
        met.add(key_of(owner))
        obj = owner
    return obj


def as_restarted(wanted: dict, now: dict | None) -> dict:
    """A restart changes nothing of a scene: its mark stays, and with it the pods that were made for it."""
    template = wanted.get("spec", {}).get("template", {})
    theirs = (now or {}).get("spec", {}).get("template", {}).get("metadata", {})
    mark = theirs.get("annotations", {}).get(RESTARTED)
    if not mark or not template:
        return wanted
    meta = template.get("metadata", {})
    marked = {**template, "metadata": {**meta, "annotations": {**meta.get("annotations", {}), RESTARTED: mark}}}
    return {**wanted, "spec": {**wanted["spec"], "template": marked}}


def put_back(view: View, wanted: dict) -> Put | None:
    """The write that makes an object as the scene has it; None while it cannot be written. Of one that is there, what
    controllers and kubelets keep in it stays; where all of it is so already, the API server makes no revision of it."""
    kind, old = kind_of(wanted), view.get(*key_of(wanted))
    home = view.get(NAMESPACES.resource, "", wanted["metadata"].get("namespace", "")) if kind.namespaced else {}
    if home is None or home and is_deleting(home):
        return None  # it is made when its namespace is there
    if old is None:
        return Put(kind, wanted)
    if is_deleting(old) or kind is PODS:
        return None  # a pod's specification cannot be put back: one that does not fit goes
    meta = {key: part for key, part in old["metadata"].items() if key not in ("labels", "annotations")}
    for field, held in (("labels", wanted["metadata"].get("labels")), ("annotations", _annotations(wanted, old))):
        if held or field in old["metadata"]:
            meta[field] = held or {}
    new = {**{key: part for key, part in wanted.items() if key != "status"}, "metadata": meta}
    if "status" in old:
        new["status"] = old["status"]
    if kind is NODES:
        new["spec"] = {**old.get("spec", {}), **wanted.get("spec", {}), "taints": _taints(wanted, old)}
        if not wanted.get("spec", {}).get("unschedulable"):
            new["spec"].pop("unschedulable", None)
    elif kind in FILLED_IN:
        new["spec"] = {**old["spec"], **wanted["spec"]}
    return Put(kind, new)


def freed(obj: dict) -> dict | None:
    """One that is going, without what somebody else holds it by; None where only Kubernetes' own parts do."""
    held = obj["metadata"].get("finalizers", [])
    left = [name for name in held if "kubernetes.io/" in name]
    return None if left == held else {**obj, "metadata": {**obj["metadata"], "finalizers": left}}


def _annotations(wanted: dict, old: dict) -> dict:
    kept = {key: text for key, text in old["metadata"].get("annotations", {}).items() if key.startswith(REMEMBERED)}
    return {**kept, **wanted["metadata"].get("annotations", {})}


def _taints(wanted: dict, old: dict) -> list[dict]:
    """Those of the scene, and those by which its controller says that a node is silent: they go when it is not."""
    theirs = [taint for taint in old.get("spec", {}).get("taints", ()) if taint["key"].startswith(LIFECYCLE)]
    return [*wanted.get("spec", {}).get("taints", ()), *(taint for taint in theirs if taint["key"] != CORDONED)]


def _images(spec: dict) -> list[str]:
    return [container["image"] for container in spec["containers"]]
