"""The DaemonSet controller: reads a set, its history and pods, and all nodes; asks for a step, takes it."""

import time
from collections.abc import Iterable
from itertools import islice

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DAEMONSETS, NODES, PODS
from lab.apimachinery.labels import REVISION_LABEL
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Change, Client, Put

from ..history import History, forget_old, kept
from ..objects import EVERY
from ..owners import claimed, dependents
from ..workload import BURST_REPLICAS, WorkloadController, as_far_as_allowed, is_worth_telling, next_look
from .nodes import daemon
from .plan import Look, next_step
from .status import next_status


class DaemonSetController(WorkloadController):
    """Keys are DaemonSets."""

    name = "daemonset"
    kind = DAEMONSETS
    watches = (DAEMONSETS.resource, PODS.resource, NODES.resource)

    def other_keys(self, change: Change) -> Iterable[str]:
        """A node that comes, goes, or is another one to daemons than before, concerns all of them."""
        before = _described(change.old) if change.old else None
        after = None if change.deleted else _described(change.object)
        return () if before == after else (EVERY,)

    def converge(self, client: Client, ds: dict) -> float | None:
        if is_deleting(ds):
            return None  # its history may be gone already, and would be written anew
        history = kept(client, ds, REVISION_LABEL)
        selector = parse_label_selector(ds["spec"]["selector"])
        pods = claimed(client, ds, PODS, lambda pod: selector.matches(pod["metadata"].get("labels")))
        delay = None
        try:
            delay = self._act(client, _look(client, ds, pods, history), history)
        finally:
            pods = dependents(client.view(), ds["metadata"]["uid"], PODS)
            self.write_status(client, ds, next_status(_look(client, ds, pods, history), history.collisions))
        hashes = {pod["metadata"].get("labels", {}).get(REVISION_LABEL) for pod in pods}
        in_use = {one["metadata"]["name"] for one in history.revisions if _hash(one) in hashes}
        forget_old(client, ds, history, in_use)
        delays = [wait for wait in (delay, next_look(ds, pods)) if wait is not None]
        return min(delays, default=None)

    def _act(self, client: Client, look: Look, history: History) -> float | None:
        step = next_step(look)

        def why(pod: dict) -> dict:
            return {"decision": "DeleteDaemonPod", "because": step.because[pod["metadata"]["uid"]]}

        client.delete_these(PODS, step.delete[:BURST_REPLICAS], why=why)
        deleted = [pod["metadata"]["name"] for pod in step.delete[:BURST_REPLICAS]]
        told = [*step.events, *(("Normal", "SuccessfulDelete", f"Deleted pod: {name}") for name in deleted)]
        client.events([(look.ds, *event) for event in told])
        if step.create:
            self._create(client, look.ds, dict(islice(step.create.items(), BURST_REPLICAS)), history)
        return 0.0 if step.create or step.delete else step.delay

    def _create(self, client: Client, ds: dict, nodes: dict[str, int], history: History) -> None:
        """A daemon for each of these nodes, or for as many as the namespace may have. `nodes`: name → failures before
        it."""

        def make(some: list[str]) -> None:
            made = client.write(
                [
                    Put(
                        PODS,
                        daemon(ds, node, history.newest, nodes[node]),
                        why={"decision": "CreateDaemonPod", "missing_on": node},
                    )
                    for node in some
                ]
            )
            told = [f"Created pod: {pod['metadata']['name']}" for pod in made]
            client.events([(ds, "Normal", "SuccessfulCreate", words) for words in told])

        try:
            as_far_as_allowed(list(nodes), make)
        except ApiError as error:
            if is_worth_telling(error):
                client.event(ds, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise


def _look(client: Client, ds: dict, pods: list[dict], history: History) -> Look:
    nodes = sorted(client.list(NODES), key=lambda node: node["metadata"]["name"])
    return Look(ds, nodes, pods, _hash(history.newest), time.time())


def _hash(revision: dict) -> str:
    return revision["metadata"]["labels"][REVISION_LABEL]


def _described(node: dict) -> tuple:
    """All of a node that daemons go by."""
    return node["metadata"].get("labels"), node["spec"].get("taints"), node["metadata"]["uid"]
