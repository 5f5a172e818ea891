"""What the log tells of a step: whether something held at every revision, and whether moments came in their order.

Both are fed each row once, as the log grows. After a restart they are fed anew, from the step's start.
"""

from typing import Any

from lab.apimachinery.kinds import ENDPOINTSLICES
from lab.explain.authors import PERSON, part_of
from lab.store import Change

from . import facts
from .claims import Claim, Reading, Subject
from .facts import Objects, all_hold
from .lesson import Check, Moment


class Replay:
    """Every state since a revision, one after the other: what held in each of them, and what did not in one."""

    def __init__(self, checks: list[Check], then: Objects):
        self._claims = [(check.id, claim) for check in checks for claim in check.always if _of_objects(claim)]
        words = {claim.reading.subject.kind for _, claim in self._claims}
        kinds = {kind.resource for word in words if (kind := facts.kind_of(word))} | {ENDPOINTSLICES.resource}
        self._objects = {resource: {_key(obj): obj for obj in then.list(resource)} for resource in kinds}
        self.broken: dict[str, tuple[int, Claim, list[Any]]] = {}

    def list(self, resource: str, namespace: str = "") -> list[dict]:
        found = self._objects.get(resource, {})
        return [obj for (where, _), obj in found.items() if not namespace or where == namespace]

    def take(self, change: Change) -> None:
        known = self._objects.get(change.resource)
        if known is None:
            return
        key = (change.namespace, change.name)
        if change.deleted:
            known.pop(key, None)
        else:
            known[key] = change.object
        for id, claim in self._claims:
            if id not in self.broken and not all_hold(claim, read := facts.read(self, claim.reading)):
                self.broken[id] = (change.revision, claim, read)


def _of_objects(claim: Claim) -> bool:
    return facts.kind_of(claim.reading.subject.kind) is not None


def _key(obj: dict) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


class Sequence:
    """Moments that have to come in their order. Where one comes too late, the first has to come anew."""

    def __init__(self, moments: tuple[Moment, ...], began: float):
        self._moments = moments
        self._began = began
        self._start()

    def _start(self) -> None:
        self._next, self._seen = 0, 0
        self._last = self._first = 0.0
        self.revision = 0

    @property
    def done(self) -> bool:
        return self._next == len(self._moments)

    @property
    def took(self) -> float:
        """Seconds from the first moment to the last."""
        return self._last - self._first

    def take(self, change: Change) -> None:
        if self.done:
            return
        moment = self._moments[self._next]
        if not happened(moment, change):
            return
        since = self._last or self._began
        if moment.within is not None and change.time - since > moment.within:
            self._start()
            return
        self._seen += 1
        if self._seen < moment.count:
            return
        self._first = self._first or change.time
        self._last, self.revision = change.time, change.revision
        self._next, self._seen = self._next + 1, 0

    def missing(self) -> str:
        moment = self._moments[self._next]
        by = f" by {moment.by}" if moment.by else ""
        return f"{moment.subject} {moment.event}{by}: not yet"


def happened(moment: Moment, change: Change) -> bool:
    """Whether a row of the log is that moment. A deletion begins where somebody asks for it."""
    subject = moment.subject
    if subject is None or not _fits(subject, change):
        return False
    return _event(moment.event, change) and _by(moment.by, change.author) and _as_claimed(moment, change)


def _fits(subject: Subject, change: Change) -> bool:
    kind = facts.kind_of(subject.kind)
    if kind is None or kind.resource != change.resource:
        return False
    return bool(facts.find(_Only(change), subject))


class _Only:
    """A state in which there is nothing but the object of one row."""

    def __init__(self, change: Change):
        self._change = change

    def list(self, resource: str, namespace: str = "") -> list[dict]:
        mine = self._change.resource == resource and namespace in ("", self._change.namespace)
        return [self._change.object] if mine else []


def _event(event: str, change: Change) -> bool:
    old, new = change.old, change.object
    if event == "created":
        return change.created
    if event == "changed":
        return not change.created and not change.deleted
    was_ending = old is not None and "deletionTimestamp" in old["metadata"]
    return not was_ending and (change.deleted or "deletionTimestamp" in new["metadata"])


def _by(wanted: str, author: str) -> bool:
    if wanted == "person":
        return part_of(author) is PERSON
    return not wanted or author == wanted or author.startswith(f"{wanted}-") or author.startswith(f"{wanted}/")


def _as_claimed(moment: Moment, change: Change) -> bool:
    if moment.where is None:
        return True
    subject = Subject(change.resource, change.name, namespace=change.namespace or "default")
    return all_hold(moment.where, facts.read(_Only(change), Reading(subject, moment.where.reading.fact)))
