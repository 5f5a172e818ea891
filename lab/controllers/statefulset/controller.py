"""The StatefulSet controller: reads a set, its history, pods and claims, asks for a step, takes it."""

import time

from lab.apimachinery.errors import ApiError, already_exists
from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS
from lab.apimachinery.meta import is_deleting, key_of
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Client, Put

from ..history import History, forget_old, kept
from ..owners import claimed, dependents
from ..pods import is_finished
from ..workload import BURST_REPLICAS, WorkloadController, as_far_as_allowed, is_worth_telling, next_look
from . import identity, plan

REVISION_HASH_LABEL = "controller.kubernetes.io/hash"
STALE_SECONDS = 1.0  # between two looks whether what is in a pod's way, and goes, has gone
IN_THE_WAY_SECONDS = 10.0  # the same of somebody else's pod that stays


class StatefulSetController(WorkloadController):
    """Keys are StatefulSets."""

    name = "statefulset"
    kind = STATEFULSETS
    watches = (STATEFULSETS.resource, PODS.resource)

    def converge(self, client: Client, sts: dict) -> float | None:
        history = kept(client, sts, REVISION_HASH_LABEL)
        selector = parse_label_selector(sts["spec"]["selector"])

        def is_member(pod: dict) -> bool:
            matches = selector.matches(pod["metadata"].get("labels"))
            return matches and identity.ordinal_of(sts, pod) is not None

        pods = claimed(client, sts, PODS, is_member)
        delay = None
        try:
            if not is_deleting(sts):
                delay = self._act(client, sts, pods, history)
        finally:
            pods = [pod for pod in dependents(client.view(), sts["metadata"]["uid"], PODS) if is_member(pod)]
            status = plan.next_status(sts, pods, history, time.time())
            self.write_status(client, sts, status)
        forget_old(client, sts, history, {*map(identity.revision_of, pods), status["currentRevision"]})
        return delay if delay is not None else next_look(sts, pods)

    def _act(self, client: Client, sts: dict, pods: list[dict], history: History) -> float | None:
        self._mend(client, sts, pods)
        newest = history.newest["metadata"]["name"]
        step = plan.next_step(sts, pods, newest, time.time())
        self._delete(client, sts, step.delete, newest)
        delay = self._create(client, sts, step.create[:BURST_REPLICAS], history)
        return 0.0 if step.delete or len(step.create) > BURST_REPLICAS else delay

    def _mend(self, client: Client, sts: dict, pods: list[dict]) -> None:
        """Give pods and claims back what makes them this set's, whoever took it: labels, claims that a waiting pod
        lacks, and the owner with whom a claim shall go. Of pods that leave only the last, if no other follows them."""
        puts = []
        for ordinal, pod in identity.by_ordinal(sts, pods).items():
            found, surplus = self._claims(client, sts, ordinal), ordinal not in identity.ordinals(sts)
            if not is_deleting(pod):
                named = identity.named(sts, ordinal, pod)
                puts += [Put(PODS, named)] if named is not pod else []
                puts += self._missing(sts, ordinal, found) if plan.is_pending(pod) else []
            elif not surplus:
                continue
            for claim in found.values():
                owned = identity.entrusted(claim, sts, pod, surplus)
                if owned is not claim:
                    puts.append(Put(PERSISTENTVOLUMECLAIMS, owned))
        client.write(puts)

    def _claims(self, client: Client, sts: dict, ordinal: int) -> dict[str, dict]:
        """Of the claims of this number's pod those that are there, by the name of the volume."""
        view, namespace = client.view(), sts["metadata"]["namespace"]
        names = identity.claim_names(sts, ordinal)
        found = {volume: view.get(PERSISTENTVOLUMECLAIMS.resource, namespace, name) for volume, name in names.items()}
        return {volume: claim for volume, claim in found.items() if claim is not None}

    def _missing(self, sts: dict, ordinal: int, found: dict[str, dict]) -> list[Put]:
        lacking = [claim for volume, claim in identity.claims_of(sts, ordinal).items() if volume not in found]
        why = {"decision": "CreateClaim", "ordinal": ordinal}
        return [Put(PERSISTENTVOLUMECLAIMS, identity.entrusted(claim, sts, None, False), why=why) for claim in lacking]

    def _delete(self, client: Client, sts: dict, pods: list[dict], newest: str) -> None:
        def why(pod: dict) -> dict:
            because = plan.why_it_goes(sts, pod, newest)
            return {"decision": "DeleteOrdinal", "ordinal": identity.ordinal_of(sts, pod), "because": because}

        if pods:
            client.delete_these(PODS, pods, why=why)
            wanted = identity.ordinals(sts)
            again = [pod for pod in pods if is_finished(pod) and identity.ordinal_of(sts, pod) in wanted]
            told = [_recreated_told(sts, pod) for pod in again]
            told += [("Normal", "SuccessfulDelete", _told("delete", sts, pod["metadata"]["name"])) for pod in pods]
            client.events([(sts, *event) for event in told])

    def _create(self, client: Client, sts: dict, numbers: list[int], history: History) -> float | None:
        """Make the pods of these numbers, each with its claims, but those that something is in the way of: the seconds
        until it is worth looking again."""
        free, delay = self._free(client, sts, numbers)
        tried = ""

        def make(some: list[int]) -> None:
            nonlocal tried
            tried = identity.pod_name(sts, some[0])
            made = {identity.pod_name(sts, ordinal): self._made(client, sts, ordinal, history) for ordinal in some}
            client.write([put for puts in made.values() for put in puts])
            told = [words for pod, puts in made.items() for words in _made_told(sts, pod, puts)]
            client.events([(sts, "Normal", "SuccessfulCreate", words) for words in told])

        try:
            as_far_as_allowed(free, make)
        except ApiError as error:
            if is_worth_telling(error):
                self._tell_failed(client, sts, tried, error.message)
            raise
        return delay

    def _free(self, client: Client, sts: dict, numbers: list[int]) -> tuple[list[int], float | None]:
        """The numbers whose pods can be made now, and when to ask about the others again: their claims are on their way
        out, or a pod has their name that is not the set's. Kubernetes says nothing of the latter."""
        free, delays = [], []
        for ordinal in numbers:
            other = client.find(PODS, sts["metadata"]["namespace"], identity.pod_name(sts, ordinal))
            if other and not is_deleting(other):
                words = already_exists(PODS, other["metadata"]["name"]).message
                self._tell_failed(client, sts, other["metadata"]["name"], words)
                delays.append(IN_THE_WAY_SECONDS)
            elif other or any(map(identity.is_stale, self._claims(client, sts, ordinal).values())):
                delays.append(STALE_SECONDS)
            else:
                free.append(ordinal)
        return free, min(delays, default=None)

    def _tell_failed(self, client: Client, sts: dict, pod: str, why: str) -> None:
        client.event(sts, "Warning", "FailedCreate", f"{_told('create', sts, pod, 'failed')} error: {why}")

    def _made(self, client: Client, sts: dict, ordinal: int, history: History) -> list[Put]:
        """The claims that this number's pod lacks, and the pod."""
        revision = plan.revision_for(sts, ordinal, plan.current_revision(sts, history), history.newest)
        why = {
            "decision": "CreateOrdinal",
            "replicas": sts["spec"].get("replicas", 1),
            "ordinal": ordinal,
            "revision": revision["metadata"]["name"],
        }
        pod = Put(PODS, identity.stateful_pod(sts, ordinal, revision), why=why)
        return [*self._missing(sts, ordinal, self._claims(client, sts, ordinal)), pod]


def _told(verb: str, sts: dict, pod: str, outcome: str = "successful") -> str:
    return f"{verb} Pod {pod} in StatefulSet {sts['metadata']['name']} {outcome}"


def _recreated_told(sts: dict, pod: dict) -> tuple[str, str, str]:
    kind, how = ("Warning", "Failed") if pod["status"]["phase"] == "Failed" else ("Normal", "Terminated")
    words = f"StatefulSet {key_of(sts)} is recreating {how.lower()} Pod {pod['metadata']['name']}"
    return kind, f"Recreating{how}Pod", words


def _made_told(sts: dict, pod: str, puts: list[Put]) -> list[str]:
    claims, name = [put.object["metadata"]["name"] for put in puts[:-1]], sts["metadata"]["name"]
    told = [f"create Claim {claim} Pod {pod} in StatefulSet {name} success" for claim in claims]
    return [*told, _told("create", sts, pod)]
