"""What the pages of a workshop's learners show of the room: what was said to all, whose hand is up,
and where all wait."""

import asyncio
from dataclasses import dataclass

from lab.models import Workshop

from .watching import Gone, Watched

LOOK_SECONDS = 0.4


@dataclass(frozen=True)
class Shown:
    said: str
    hands: frozenset[str]  # clusters
    waits: str  # `lesson/step`, past which nobody goes

    def of(self, cluster: str) -> dict:
        return {"type": "room", "said": self.said, "hand": cluster in self.hands, "waits": self.waits}


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
        return Shown(workshop.said, frozenset(up), waits)
