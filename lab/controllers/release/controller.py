"""The release controller: reads a Deployment's releases, asks for a plan, writes it in one transaction."""

import copy
import json
import time
from collections.abc import Iterable
from dataclasses import replace

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, ENDPOINTSLICES, PODS, RELEASES, REPLICASETS, SERVICES, Kind
from lab.apimachinery.labels import WEIGHTS
from lab.apimachinery.meta import is_deleting, parse_time, split_key
from lab.apimachinery.services import SERVICE_NAME
from lab.client import Change, Client, Put
from lab.client.reconcile import Controller

from ..deployment import rollout
from ..deployment.revisions import RELEASE, REPLICAS_NEW, REPLICAS_OLD
from ..deployment.trouble import explain
from ..finalizers import held, let_go, released
from ..objects import EVERY
from ..owners import dependents
from .analysis import Counters
from .ending import FAILED
from .look import CANARY, Look, Plan, find_service, revision_of, written
from .plan import WAITING, events, make_plan

# Of a Release: with it, one that is deleted stays until everything is put right again.
FINALIZER = RELEASE
STEERING = (RELEASE, REPLICAS_NEW, REPLICAS_OLD)
# Counters move with every request. A status that says nothing else is not written more often than this.
STATUS_SECONDS = 1.0


class ReleaseController(Controller):
    """Keys are Deployments, for their releases take turns. A Deployment that no release steers is none of its business;
    of pods it hears through the Deployment's status."""

    name = "release"
    watches = (RELEASES.resource, DEPLOYMENTS.resource, SERVICES.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.author == self.author:
            return ()
        if change.resource == RELEASES.resource:
            return (f"{change.namespace}/{change.object['spec'].get('deployment', '')}",)
        mark = RELEASE if change.resource == DEPLOYMENTS.resource else WEIGHTS
        if not any(mark in obj["metadata"].get("annotations", {}) for obj in (change.object, change.old) if obj):
            return ()
        return (f"{change.namespace}/{change.name if mark == RELEASE else EVERY}",)

    def all_keys(self, client: Client) -> Iterable[str]:
        return {f"{r['metadata']['namespace']}/{r['spec']['deployment']}" for r in client.list(RELEASES)}

    def sync(self, client: Client, key: str) -> float | None:
        namespace, name = split_key(key)
        ours = [r for r in client.list(RELEASES, namespace) if name in (EVERY, r["spec"]["deployment"])]
        delays: list[float | None] = []
        first: dict[str, str] = {}
        for release in sorted(filter(_is_open, ours), key=_turn):
            over, name = "finishedAt" in release.get("status", {}), release["metadata"]["name"]
            ahead = name if over else first.setdefault(release["spec"]["deployment"], name)
            delays.append(self._converge(client, release, ahead if ahead != name else ""))
        return min((delay for delay in delays if delay is not None), default=None)

    def _converge(self, client: Client, release: dict, ahead: str) -> float | None:
        look = read(client, release, ahead)
        plan = make_plan(look)
        is_held = FINALIZER in release["metadata"].get("finalizers", ())
        if plan.held and not is_held:
            client.update(RELEASES, held(release, FINALIZER))
            return 0.0
        self._carry_out(client, look, plan)
        if is_held and not plan.held:
            # What ended the release is stored; only now may it go.
            stored = client.get(RELEASES, release["metadata"]["namespace"], look.name)
            client.update(
                RELEASES, released(stored, FINALIZER), let_go(FINALIZER, "its deployment steers itself again")
            )
        return plan.delay

    def _carry_out(self, client: Client, look: Look, plan: Plan) -> None:
        why = {"decision": "StepRelease", "message": plan.status.get("message", ""), **plan.why}
        puts = [Put(kind, obj, why=why) for kind, obj in changes(look, plan)]
        status = {**plan.status, "observedGeneration": look.release["metadata"].get("generation", 0)}
        if not puts and _only_counts(look.status, status) and _written_just_now(look):
            plan.delay = min(plan.delay or STATUS_SECONDS, STATUS_SECONDS)
            return
        if status != look.status:
            status["updatedAt"] = written(look.now)
            puts.append(Put(RELEASES, {**look.release, "status": status}, "status", why))
        try:
            client.write(puts)
        except ApiError as error:
            if error.code == 409 or look.status.get("phase", WAITING) != WAITING:
                raise
            self._refused(client, look, error)
            return
        client.events([(look.release, *event) for event in events(look.status, status)])

    def _refused(self, client: Client, look: Look, error: ApiError) -> None:
        """The API server does not take the new template: then there is no release."""
        words = f"The Deployment cannot be changed so: {error.message}"
        status = {**look.status, "phase": FAILED, "message": words, "finishedAt": written(look.now)}
        client.update_status(RELEASES, {**look.release, "status": status})
        client.event(look.release, "Warning", FAILED, words)


def _is_open(release: dict) -> bool:
    """Not over, or not yet let go."""
    return "finishedAt" not in release.get("status", {}) or bool(release["metadata"].get("finalizers"))


def _turn(release: dict) -> tuple:
    """Of a Deployment's releases one is under way; the others follow in the order in which they came."""
    meta, status = release["metadata"], release.get("status", {})
    return "startedAt" not in status, meta["creationTimestamp"], meta["name"]


def _only_counts(old: dict, new: dict) -> bool:
    told = ("phase", "step", "weight", "newRevision", "finishedAt", "observedGeneration")
    same = all(old.get(field) == new.get(field) for field in told)
    verdicts = [status.get("analysis", {}).get("verdict") for status in (old, new)]
    return "updatedAt" in old and same and verdicts[0] == verdicts[1]


def _written_just_now(look: Look) -> bool:
    return 0 <= look.now - parse_time(look.status["updatedAt"]) < STATUS_SECONDS


def read(client: Client, release: dict, ahead: str) -> Look:
    """Everything that this release is decided from."""
    namespace, spec = release["metadata"]["namespace"], release["spec"]
    view, now = client.view(), time.time()
    deployment = client.find(DEPLOYMENTS, namespace, spec["deployment"])
    chosen = release.get("status", {}).get("service") or spec.get("service", "")
    if deployment is None or is_deleting(deployment):
        return Look(release, now, service=client.find(SERVICES, namespace, chosen) or {}, ahead=ahead)
    replica_sets = dependents(view, deployment["metadata"]["uid"], REPLICASETS)
    neighbours = client.list(SERVICES, namespace), client.list(DEPLOYMENTS, namespace)
    service, no_service = find_service(chosen, deployment, *neighbours)
    pods = {rs["metadata"]["uid"]: dependents(view, rs["metadata"]["uid"], PODS) for rs in replica_sets}
    look = Look(release, now, deployment, replica_sets, service, no_service, ahead=ahead)
    new = look.new
    staying = {
        pod["metadata"]["uid"]: revision_of(rs)
        for rs in replica_sets
        for pod in pods[rs["metadata"]["uid"]]
        if not is_deleting(pod)
    }
    trouble = explain(pods[new["metadata"]["uid"]]) if new and look.ready < rollout.size(new) else ""
    traffic = _traffic(client.cluster, service) if service and spec["strategy"]["type"] == CANARY else None
    return replace(look, pods=staying, lagging=_lags(client, service), trouble=trouble, traffic=traffic)


def _lags(client: Client, service: dict) -> bool:
    """Do its EndpointSlices still lead to a pod that is going, or gone?"""
    if not service:
        return False
    meta = service["metadata"]
    slices = client.list(ENDPOINTSLICES, meta["namespace"], {SERVICE_NAME: meta["name"]})
    ready = [one for each in slices for one in each["endpoints"] or () if one["conditions"].get("ready") is not False]
    staying = {pod["metadata"]["uid"] for pod in client.list(PODS, meta["namespace"]) if not is_deleting(pod)}
    return any(one["targetRef"]["uid"] not in staying for one in ready if "targetRef" in one)


def _traffic(cluster: str, service: dict) -> dict[str, Counters] | None:
    """pod's uid → its counters, over all ports of the Service; None where the proxy says nothing of it."""
    prefix = f"{service['metadata']['namespace']}/{service['metadata']['name']}:"
    backends = [said for name, said in metrics.read(cluster, metrics.TRAFFIC).items() if name.startswith(prefix)]
    if not backends:
        return None
    found: dict[str, Counters] = {}
    for backend in backends:
        for uid, server in backend["servers"].items():
            counts = server["requests"] - server["inFlight"], server["errors"], server["totalMs"]
            found[uid] = [sum(both) for both in zip(found.get(uid, (0, 0, 0)), counts, strict=True)]
    return found


def changes(look: Look, plan: Plan) -> list[tuple[Kind, dict]]:
    """The objects as they should be next; only those that are not so already."""
    wanted = []
    if look.deployment and (plan.steer is not None or plan.template or plan.paused is not None):
        deployment = _annotated(look.deployment, plan.steer, STEERING)
        if plan.template:
            deployment["spec"]["template"] = plan.template
        if plan.paused is not None and plan.paused != deployment["spec"].get("paused", False):
            deployment["spec"]["paused"] = plan.paused
        wanted.append((DEPLOYMENTS, look.deployment, deployment))
    if look.service and plan.weights is not None:
        said = {WEIGHTS: json.dumps(plan.weights)} if plan.weights else {}
        wanted.append((SERVICES, look.service, _annotated(look.service, said, (WEIGHTS,))))
    for rs in look.replica_sets:
        if plan.empty and revision_of(rs) == plan.empty:
            wanted.append((REPLICASETS, rs, {**rs, "spec": {**rs["spec"], "replicas": 0}}))
    return [(kind, new) for kind, old, new in wanted if new != old]


def _annotated(obj: dict, said: dict[str, str] | None, ours: tuple[str, ...]) -> dict:
    """A copy whose annotations of ours are those; None leaves them as they are."""
    obj = copy.deepcopy(obj)
    if said is not None:
        kept = {key: value for key, value in obj["metadata"].get("annotations", {}).items() if key not in ours}
        obj["metadata"]["annotations"] = kept | said
        if not obj["metadata"]["annotations"]:
            del obj["metadata"]["annotations"]
    return obj
