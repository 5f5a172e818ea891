"""What the pages of a workshop's learners show of the room: what was said to all, whose hand is up,
where all wait, what all are asked, and what all ask."""

import asyncio
from dataclasses import dataclass

from lab.models import Workshop

from .polls import asked, open_poll, voters
from .questions import Wanted, in_short, of_workshop
from .watching import Gone, Watched

LOOK_SECONDS = 0.4


@dataclass(frozen=True)
class Shown:
    said: str
    hands: frozenset[str]  # clusters
    waits: str  # `lesson/step`, past which nobody goes
    poll: dict | None  # as `polls.asked` says it
    voted: frozenset[str]
    questions: tuple[Wanted, ...]

    def of(self, cluster: str) -> dict:
        """What one of them is told."""
        asked = self.poll if cluster not in self.voted else None
        hand = cluster in self.hands
        told = {"type": "room", "said": self.said, "hand": hand, "waits": self.waits, "poll": asked}
        return {**told, "questions": in_short(cluster, self.questions)}


class Notice(Watched):
    shown: Shown | None

    async def more(self) -> None:
        await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> Shown:
        workshop = Workshop.objects.filter(code=self.code).first()
        if workshop is None:
            raise Gone
        up = workshop.taken.filter(hand__isnull=False).values_list("cluster", flat=True)
        waits = f"{workshop.lesson}/{workshop.step}" if workshop.held else ""
        poll = open_poll(workshop)
        return Shown(workshop.said, frozenset(up), waits, asked(poll), voters(poll), tuple(of_workshop(workshop)))
