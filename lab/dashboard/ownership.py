"""Who owns whom on the board: the pods of a replica set are its deployment's too. Pure.

Whatever order owners and owned come in, each workload has the same pods in the end.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

from .rows import owner_id, version_of


class Ownership:
    """`objects`: what is on the board, by row id; `mark` is told whose row tells of something else now."""

    def __init__(self, objects: Mapping[str, dict], mark: Callable[[str], None]):
        self._objects = objects
        self._mark = mark
        self._pods: dict[str, set[str]] = defaultdict(set)  # id of a workload → ids of its pods, and of its parts'
        self._made: dict[str, set[str]] = defaultdict(set)  # id of a workload → ids of its replica sets or Jobs

    def pods_of(self, owner: str) -> set[str]:
        return self._pods[owner]

    def made_by(self, owner: str) -> list[dict]:
        return [self._objects[part] for part in sorted(self._made[owner]) if part in self._objects]

    def owners_of(self, obj: dict | None) -> list[str]:
        """A pod's replica set, and that one's deployment; its Job, and that one's CronJob: nearest first. Who is its
        own owner, or its owner's, is met once."""
        found: list[str] = []
        while obj and (owner := owner_id(obj)) and owner not in found:
            found.append(owner)
            obj = self._objects.get(owner)
        return found

    def put_pod(self, id_: str, pod: dict, known: dict | None) -> None:
        if known and owner_id(known) != owner_id(pod):
            self.drop_pod(id_, known)
        for owner in self.owners_of(pod):
            self._pods[owner].add(id_)
            self._mark(owner)

    def drop_pod(self, id_: str, pod: dict) -> None:
        for owner in self.owners_of(pod):
            self._pods[owner].discard(id_)
            self._mark(owner)

    def put_workload(self, id_: str, workload: dict, known: dict | None) -> None:
        """Also what another workload has made, a replica set or a Job: its pods are the other's too."""
        if known and owner_id(known) != owner_id(workload):
            self.drop_workload(id_, known)
        if owner := owner_id(workload):
            self._made[owner].add(id_)
            self._pods[owner] |= self._pods[id_]
            self._mark(owner)
        if known is None or version_of(known) != version_of(workload) or owner_id(known) != owner_id(workload):
            self._mark_pods_of(id_)

    def drop_workload(self, id_: str, workload: dict) -> None:
        if owner := owner_id(workload):
            self._made[owner].discard(id_)
            self._pods[owner] -= self._pods[id_]
            self._mark(owner)
        self._mark_pods_of(id_)

    def _mark_pods_of(self, owner: str) -> None:
        """Their rows name their owner, and say its version."""
        for pod in self._pods[owner]:
            self._mark(pod)
