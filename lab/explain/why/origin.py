"""Why is it there? Who made it, and what made them; asked of every object."""

from collections.abc import Iterator

from lab.client import Client
from lab.store import Row, lineage, rows_at

from ..authors import PERSON, called, part_of
from ..grounds import because
from ..roots import BY_CLOCK, BY_FAULT, BY_PERSON, FORGOTTEN, root
from ..words import told, what
from .card import Card, Ground, ground
from .subject import Subject

CLOCK = "the time had come: "  # as `root` begins of it
MOST_BACK = 200  # rows on the way back to whoever began it: 40 ms
MOST_LINKS = 20  # of them that are told
DID = ("made ", "removed ", "told ", "bound ", "tainted ", "took ", "said ")  # how `told` begins of what one has done


def cards(subject: Subject) -> Iterator[Card]:
    born = next(iter(subject.beginning), None)
    if born is None:
        return  # what made it is no longer kept
    maker, words = called(born["author"]), because(born["why"])
    rows = led_to(subject.client, born["cause"])
    name = part_of(born["author"]).component or f"{subject.kind.singular} {subject.name}"
    grounds = [ground(born, words or f"{maker} made it", name), *links(rows)]
    answer = f"{capital(maker)} made it{f': {words}' if words else ''}."
    if part_of(born["author"]) is not PERSON or rows:
        answer += behind(rows) or _by_itself(born)
    yield Card("Why is it there?", answer, "Created", grounds)


def _by_itself(born: dict) -> str:
    return " The time had come for it." if part_of(born["author"]).clock and not born["cause"] else ""


def led_to(client: Client, revision: int) -> list[Row]:
    """What led to a row of that cause: the rows back from there to whoever began it, nearest first. Of a long way the
    nearest, and its beginning."""
    way = lineage(client.cluster, revision, MOST_BACK)
    return list(reversed(list(rows_at(client.cluster, way[: MOST_LINKS - 1] + way[MOST_LINKS - 1 :][-1:]))))


def links(rows: list[Row]) -> list[Ground]:
    return [_link(row) for row in rows]


def behind(rows: list[Row]) -> str:
    """The person, the clock or the fault that they end with, as a sentence of its own; empty for none."""
    if not rows:
        return ""
    begun = root(rows[-1])
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
