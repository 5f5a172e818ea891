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

MOST_BACK = 200  # rows on the way back to whoever began it: 40 ms
MOST_LINKS = 20  # of them that are told
DID = (
    "made ",
    "changed ",
    "removed ",
    "told ",
    "bound ",
    "tainted ",
    "took ",
    "said ",
    "renewed ",
)  # how `told` begins of what one has done


def cards(subject: Subject) -> Iterator[Card]:
    born = next(iter(subject.beginning), None)
    if born is None:
        return  # what made it is no longer kept
    maker, words = called(born["author"]), because(born["why"])
    rows = led_to(subject.client, born["cause"])
    name = part_of(born["author"]).component or f"{subject.kind.singular} {subject.name}"
    grounds = [ground(born, words or f"{maker} made it", name), *links(rows, subject.namespace)]
    answer = f"{capital(maker)} made it{f': {words}' if words else ''}."
    if part_of(born["author"]) is not PERSON or rows:
        answer += behind(rows, subject.namespace) or _by_itself(born)
    yield Card("Why is it there?", answer, "Created", grounds)


def _by_itself(born: dict) -> str:
    return " The time had come for it." if part_of(born["author"]).clock and not born["cause"] else ""


def led_to(client: Client, revision: int) -> list[Row]:
    """What led to a row of that cause: the rows back from there to whoever began it, nearest first. Of a long way the
    nearest, and its beginning."""
    way = lineage(client.cluster, revision, MOST_BACK)
    return list(reversed(list(rows_at(client.cluster, way[: MOST_LINKS - 1] + way[MOST_LINKS - 1 :][-1:]))))


def links(rows: list[Row], namespace: str) -> list[Ground]:
    """As grounds of an object of that namespace."""
    return [_link(row, namespace) for row in rows]


def behind(rows: list[Row], namespace: str) -> str:
    """The person, the clock or the fault that they end with, as a sentence of its own; empty for none."""
    if not rows:
        return ""
    begun = root(rows[-1])
    if begun.kind == BY_PERSON:
        return f" It began when {called(begun.author)} {_did(told(rows[-1], namespace))}."
    if begun.kind == BY_FAULT:
        return f" It began with a fault: {begun.text}."
    if begun.kind == BY_CLOCK:
        return f" It began by the clock, when {called(begun.author)} {_did(told(rows[-1], namespace))}."
    if begun.kind == FORGOTTEN:
        return " What led to that is no longer kept."
    return f" Nobody noted what led to it: {told(rows[-1], namespace)}."


def _did(text: str) -> str:
    return text if text.startswith(DID) else f"changed {text}"


def capital(text: str) -> str:
    """As a sentence begins; a name of an object or a person keeps its letters."""
    return f"T{text[1:]}" if text.startswith("the ") else text


def _link(row: Row, namespace: str) -> Ground:
    decision, said, text = (row.why or {}).get("decision", ""), because(row.why), told(row, namespace)
    text = f"{text}: {said}" if said else text
    return Ground(text, what(row), row.author, decision, row.revision, row.time)
