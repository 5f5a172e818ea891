"""Why is it there? Who made it, and what made them; asked of every object."""

from collections.abc import Iterator

from lab.client import Client
from lab.store import Row, rows_at

from ..authors import PERSON, called, part_of
from ..grounds import because
from ..roots import BY_CLOCK, BY_FAULT, BY_PERSON, FORGOTTEN, root
from ..words import told, what
from .card import Card, Ground, ground
from .subject import Subject

CLOCK = "the time had come: "  # as `root` begins of it
MOST_LINKS = 20  # back to whoever began it
DID = ("made ", "removed ", "told ", "bound ", "tainted ", "took ", "said ")  # how `told` begins of what one has done


def cards(subject: Subject) -> Iterator[Card]:
    born = next(iter(subject.beginning), None)
    if born is None:
        return  # what made it is no longer kept
    maker, words = called(born["author"]), because(born["why"])
    links = chain(subject.client, born["cause"])
    name = part_of(born["author"]).component or f"{subject.kind.singular} {subject.name}"
    grounds = [ground(born, words or f"{maker} made it", name), *links]
    answer = f"{capital(maker)} made it{f': {words}' if words else ''}."
    if part_of(born["author"]) is not PERSON or links:
        answer += behind(subject.client, links) or _by_itself(born)
    yield Card("Why is it there?", answer, "Created", grounds)


def _by_itself(born: dict) -> str:
    return " The time had come for it." if part_of(born["author"]).clock and not born["cause"] else ""


def chain(client: Client, revision: int) -> list[Ground]:
    """What led to a revision, nearest first: the rows from that one back to whoever began it."""
    return [_link(row) for row in _rows(client, revision)]


def _rows(client: Client, revision: int) -> Iterator[Row]:
    for _ in range(MOST_LINKS):
        row = next(rows_at(client.cluster, [revision]), None) if revision else None
        if row is None:
            return
        yield row
        revision = row.cause


def behind(client: Client, links: list[Ground]) -> str:
    """The person, the clock or the fault that a chain ends with, as a sentence of its own; empty for no chain."""
    row = next(rows_at(client.cluster, [links[-1].revision]), None) if links else None
    if row is None:
        return ""
    begun = root(row)
    if begun.kind == BY_PERSON:
        return f" It began when {called(begun.author)} {_did(begun.text)}."
    if begun.kind == BY_FAULT:
        return f" It began with a fault: {begun.text}."
    if begun.kind == BY_CLOCK:
        return f" It began by the clock, when {called(begun.author)} {_did(begun.text.removeprefix(CLOCK))}."
    return " What led to that is no longer kept." if begun.kind == FORGOTTEN else f" {capital(begun.text)}."


def _did(text: str) -> str:
    return text if text.startswith(DID) else f"changed {text}"


def capital(text: str) -> str:
    """As a sentence begins; a name of an object or a person keeps its letters."""
    return f"T{text[1:]}" if text.startswith("the ") else text


def _link(row: Row) -> Ground:
    decision, said = (row.why or {}).get("decision", ""), because(row.why)
    text = f"{told(row)}: {said}" if said else told(row)
    return Ground(text, what(row), row.author, decision, row.revision, row.time)
