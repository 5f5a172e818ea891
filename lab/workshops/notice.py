"""What the pages of a workshop's learners show of the room: what was said to all, whose hand is up, where all wait,
what all are asked, what all ask, and where all are led."""

import asyncio
from dataclasses import dataclass

from lab.models import Workshop

from .closing import in_time
from .helping import Beside, beside
from .leading import Led, leads_to
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
    led: Led | None
    alone: frozenset[str]
    beside: dict[str, Beside]
    time: dict  # as `closing.in_time` says it
    waiting: int  # how many wait for the class to begin; 0 when it has

    def of(self, cluster: str) -> dict:
        """What one of them is told."""
        asked = self.poll if cluster not in self.voted else None
        hand = cluster in self.hands
        told = {"type": "room", "said": self.said, "hand": hand, "waits": self.waits, "poll": asked}
        return {
            **told,
            "questions": in_short(cluster, self.questions),
            "led": self._led(cluster),
            "help": self.help(cluster),
            "time": self.time,
            "waiting": self.waiting,
        }

    def help(self, cluster: str) -> dict | None:
        """Who is beside them: what the instructor's page is told too."""
        held = self.beside.get(cluster)
        return held.as_dict() if held else None

    def _led(self, cluster: str) -> dict | None:
        """`place`: another whenever the class is led on."""
        if self.led is None:
            return None
        place = self.led.slide or f"{self.led.lesson}/{self.led.step}"
        return {"to": leads_to(self.led, cluster), "place": place, "alone": cluster in self.alone}


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
        led = Led(workshop.lesson, workshop.step, workshop.slide) if workshop.led else None
        return Shown(
            said=workshop.said,
            hands=frozenset(up),
            waits=waits,
            poll=asked(poll),
            voted=voters(poll),
            questions=tuple(of_workshop(workshop)),
            led=led,
            alone=frozenset(workshop.taken.filter(alone=True).values_list("cluster", flat=True) if led else ()),
            beside=beside(workshop),
            time=in_time(workshop),
            waiting=workshop.taken.count() if workshop.is_waiting else 0,
        )
