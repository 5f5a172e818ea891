"""Why is it there? Who made it, and what made them; asked of every object."""

from collections.abc import Iterator

from lab.client import Client
from lab.store import Row, rows_at

from ..authors import PERSON, part_of
from ..grounds import because
from ..roots import root
from ..words import told, what
from .card import Card, Ground, ground
from .subject import Subject

MOST_LINKS = 20  # back to whoever began it


def cards(subject: Subject) -> Iterator[Card]:
    born = next((row for row in reversed(subject.rows) if row["created"]), None)
    if born is None:
        return  # what made it is no longer kept
    part = part_of(born["author"])
    maker = born["author"] if part is PERSON else f"the {part.lane} controller" if part.component else part.lane
    grounds = [ground(born, because(born["why"]) or f"{maker} made it", part.component)]
    links = list(_links(subject.client, born["cause"]))
    grounds += [_link(row) for row in links]
    begun = root(links[-1]).text if links else f"{maker} asked for it"
    yield Card("Why is it there?", f"{maker} made it: {begun}.", "Created", grounds)


def _links(client: Client, revision: int) -> Iterator[Row]:
    """What led to a revision, nearest first."""
    for _ in range(MOST_LINKS):
        row = next(rows_at(client.cluster, [revision]), None) if revision else None
        if row is None:
            return
        yield row
        revision = row.cause


def _link(row: Row) -> Ground:
    decision, said = (row.why or {}).get("decision", ""), because(row.why)
    text = f"{told(row)}: {said}" if said else told(row)
    return Ground(text, what(row), row.author, decision, row.revision, row.time)
