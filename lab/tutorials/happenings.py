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
        claims = [(check.id, claim, _read_for(claim)) for check in checks for claim in check.always]
        self._claims = [one for one in claims if one[2]]  # figures have no past
        resources = {resource for *_, read in self._claims for resource in read}
        self._objects = {resource: {_key(obj): obj for obj in then.list(resource)} for resource in resources}
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
        for id, claim, read_for in self._claims:
            if change.resource not in read_for or id in self.broken:
                continue
            if not all_hold(claim, read := facts.read(self, claim.reading)):
                self.broken[id] = (change.revision, claim, read)


def _read_for(claim: Claim) -> set[str]:
    """The resources whose objects say whether it holds; none of what no object says."""
    kind = facts.kind_of(claim.reading.subject.kind)
    if kind is None or not facts.can_read(claim.reading):
        return set()
    return {kind.resource, ENDPOINTSLICES.resource} if claim.reading.fact == "endpoints" else {kind.resource}


def _key(obj: dict) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


class Sequence:
    """Moments that have to come in their order. Where one comes too late, a later try counts: the first moment of it
    may have come already. Of two that are counted the second may begin before the first is whole, and ends after it:
    who deletes three pods one by one has the first replaced before the last is gone."""

    def __init__(self, moments: tuple[Moment, ...], began: float):
        self._moments = moments
        self._began = began
        self._try: list[Change] = []  # what of the log was any of the moments, since the first of this try
        self._start()

    def _start(self) -> None:
        self._next, self._seen = 0, [0] * len(self._moments)
        self.ended = self._first = 0.0
        self.revision = 0

    @property
    def done(self) -> bool:
        return self._next == len(self._moments)

    @property
    def took(self) -> float:
        """Seconds from the first moment to the last, `ended` (since the epoch)."""
        return self.ended - self._first

    def take(self, change: Change) -> None:
        if self.done or not any(happened(moment, change) for moment in self._moments):
            return
        self._try.append(change)
        in_time = self._go_on(change)
        while not in_time:
            del self._try[0]
            self._start()
            in_time = all(self._go_on(again) for again in self._try)

    def _go_on(self, change: Change) -> bool:
        """One step further, if that is what has to come next; whether it is not too late for it."""
        if self.done:
            return True
        if not happened(moment := self._moments[self._next], change):
            self._count_ahead(change)
            return True
        since = self.ended or self._began
        if moment.within is not None and change.time - since > moment.within:
            return False
        self._seen[self._next] += 1
        if self._seen[self._next] >= moment.count:
            self._first = self._first or change.time
            self.ended, self.revision = change.time, change.revision
            self._next += 1
        return True

    def _count_ahead(self, change: Change) -> None:
        for index in range(self._next + 1, len(self._moments)):
            if not self._seen[index - 1]:
                return
            if happened(moment := self._moments[index], change):
                self._seen[index] = min(self._seen[index] + 1, moment.count - 1)

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
