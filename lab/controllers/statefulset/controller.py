"""The StatefulSet controller: reads a set, its history, pods and claims, asks for a step, takes it."""

import time

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Client, Put

from ..history import History, forget_old, kept
from ..owners import claimed, dependents
from ..workload import BURST_REPLICAS, WorkloadController, as_far_as_allowed, is_worth_telling, next_look
from . import identity, plan

HASH_LABEL = "controller.kubernetes.io/hash"
STALE_SECONDS = 1.0  # between two looks whether a claim of an earlier pod has gone


class StatefulSetController(WorkloadController):
    """Keys are StatefulSets."""

    name = "statefulset"
    author = "statefulset-controller"
    kind = STATEFULSETS
    watches = (STATEFULSETS.resource, PODS.resource)

    def converge(self, client: Client, sts: dict) -> float | None:
        history = kept(client, sts, HASH_LABEL)
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
        self._mend(client, sts, [pod for pod in pods if not is_deleting(pod)])
        step = plan.next_step(sts, pods, history.newest["metadata"]["name"], time.time())
        self._delete(client, sts, step.delete)
        delay = self._create(client, sts, step.create[:BURST_REPLICAS], history)
        return 0.0 if step.delete or len(step.create) > BURST_REPLICAS else delay

    def _mend(self, client: Client, sts: dict, pods: list[dict]) -> None:
        """Give pods and claims back what makes them this set's, whoever took it: labels, claims that a waiting pod
        lacks, and the owner with whom a claim shall go."""
        puts = []
        for pod in pods:
            ordinal = identity.ordinal_of(sts, pod)
            named = identity.named(sts, ordinal, pod)
            if named is not pod:
                puts.append(Put(PODS, named))
            found = self._claims(client, sts, ordinal)
            if plan.is_pending(pod):
                puts += self._missing(sts, ordinal, found)
            for claim in found.values():
                owned = identity.entrusted(claim, sts, pod, ordinal not in identity.ordinals(sts))
                if owned is not claim:
                    puts.append(Put(PERSISTENTVOLUMECLAIMS, owned))
        if puts:
            client.write(puts)

    def _claims(self, client: Client, sts: dict, ordinal: int) -> dict[str, dict]:
        """Of the claims of this number's pod those that are there, by the name of the volume."""
        view, namespace = client.view(), sts["metadata"]["namespace"]
        names = identity.claim_names(sts, ordinal)
        found = {volume: view.get(PERSISTENTVOLUMECLAIMS.resource, namespace, name) for volume, name in names.items()}
        return {volume: claim for volume, claim in found.items() if claim is not None}

    def _missing(self, sts: dict, ordinal: int, found: dict[str, dict]) -> list[Put]:
        lacking = [claim for volume, claim in identity.claims_of(sts, ordinal).items() if volume not in found]
        return [Put(PERSISTENTVOLUMECLAIMS, identity.entrusted(claim, sts, None, False)) for claim in lacking]

    def _delete(self, client: Client, sts: dict, pods: list[dict]) -> None:
        if pods:
            client.delete_these(PODS, pods)
            client.events(
                [(sts, "Normal", "SuccessfulDelete", _told("delete", sts, pod["metadata"]["name"])) for pod in pods]
            )

    def _create(self, client: Client, sts: dict, numbers: list[int], history: History) -> float | None:
        """Make the pods of these numbers, each with its claims; those whose claims are on their way out have to wait:
        the seconds until then."""
        free = [n for n in numbers if not any(map(identity.is_stale, self._claims(client, sts, n).values()))]
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
                words = f"{_told('create', sts, tried, 'failed')} error: {error.message}"
                client.event(sts, "Warning", "FailedCreate", words)
            raise
        return STALE_SECONDS if len(free) < len(numbers) else None

    def _made(self, client: Client, sts: dict, ordinal: int, history: History) -> list[Put]:
        """The claims that this number's pod lacks, and the pod."""
        revision = plan.revision_for(sts, ordinal, plan.current_revision(sts, history), history.newest)
        why = {"replicas": sts["spec"].get("replicas", 1), "ordinal": ordinal, "revision": revision["metadata"]["name"]}
        pod = Put(PODS, identity.stateful_pod(sts, ordinal, revision), why=why)
        return [*self._missing(sts, ordinal, self._claims(client, sts, ordinal)), pod]


def _told(verb: str, sts: dict, pod: str, outcome: str = "successful") -> str:
    return f"{verb} Pod {pod} in StatefulSet {sts['metadata']['name']} {outcome}"


def _made_told(sts: dict, pod: str, puts: list[Put]) -> list[str]:
    claims, name = [put.object["metadata"]["name"] for put in puts[:-1]], sts["metadata"]["name"]
    told = [f"create Claim {claim} Pod {pod} in StatefulSet {name} success" for claim in claims]
    return [*told, _told("create", sts, pod)]
