"""What `bench_class` has found, in words. Pure."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .acted import Became
from .classroom import PODS, PODS_A_TURN
from .machine import CORES, GIB, Limit, Sample, table
from .measure import AT_ONCE, figures, p95

CONTAINERS_A_POD = 2  # what holds its address, and the application
SHOWN = 8  # examples of a kind
PARTS = ("used", "lab", "containers", "engine")


@dataclass
class Report:
    learners: int
    every: float
    samples: dict[str, Sample] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)  # % of a core, without a learner
    idle: dict[str, float] = field(default_factory=dict)  # % of a core, when nobody clicks
    became: list[Became] = field(default_factory=list)
    left_out: int = 0
    wrong: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    pods: tuple[int, int] = (0, 0)  # on the engine, and in the API
    seconds: float = 0.0  # that they played
    own: float = 0.0  # what this program took of a core meanwhile, in %
    settled: float | None = None
    lab_starts: float = 0.0
    lab_stops: float = 0.0
    bare_starts: float = 0.0
    bare_stops: float = 0.0
    bare_mb: float = 0.0

    def played(self, play: Callable[[], None]) -> None:
        began, own = time.monotonic(), time.process_time()
        play()
        self.seconds = time.monotonic() - began
        self.own = 100 * (time.process_time() - own) / self.seconds

    def text(self, limits: list[Limit]) -> str:
        parts = (self._acts(), self.times(), self._others(), self._memory(), self._processor(), self._room(limits))
        return "\n".join(["", *(line for part in (*parts, self._engine()) for line in part)])

    def _acts(self) -> Iterable[str]:
        refused = [one for one in self.became if one.act.refused]
        lost = [one for one in self.became if not one.act.refused and not one.revision]
        done = [one for one in refused if one.revision]
        yield (
            f"{self.learners} learners for {self.seconds:.0f} s: {len(self.became)} acts sent, {self.left_out} left "
            f"out (no time, or no pod to delete); this program took {self.own:.0f} % of a core itself"
        )
        yield f"  refused or failed: {len(refused)}, of which done all the same {len(done)}"
        yield from examples(f"{one.act.name} {one.act.target}: {one.act.refused}" for one in refused)
        yield f"  accepted, and not in the log: {len(lost)}"
        yield from examples(f"{one.act.name} {one.act.target}" for one in lost)
        yield f"  otherwise in the API afterwards than was accepted: {len(self.wrong)}"
        yield from examples(self.wrong)

    def times(self) -> Iterable[str]:
        """Of the whole time, and of the minute in which it was worst."""
        done = [one for one in self.became if one.revision and not one.act.refused]
        for what, found in (
            ("answered", {one: one.act.answered - one.act.sent for one in done}),
            ("on their own board", {one: one.board for one in done if one.board is not None}),
            ("on the wall's tile", {one: one.wall for one in done if one.wall is not None}),
        ):
            if found:
                same = sum(one.same for one in done) if "wall" in what else 0
                missing = len(done) - len(found) - same
                also = f"   {missing} not before their next act" if missing else ""
                also += f"   {same} of which it looked so already" if same else ""
                whole = f"{figures(list(found.values()))}   worst minute's p95 {worst_minute(found) * 1000:6.0f} ms"
                yield f"  click -> {what:<20} {whole}   most {max(found.values()) * 1000:6.0f} ms{also}"

    def _others(self) -> Iterable[str]:
        yield f"  websockets that closed: {len(self.closed)} of {2 * self.learners + 1}"
        yield from examples(self.closed)
        settled = "never within the time" if self.settled is None else f"after {self.settled:.1f} s"
        yield f"  all as they wished: {settled}; pods on the engine {self.pods[0]}, in the API {self.pods[1]}"
        yield f"  warnings and errors in the lab's logs: {len(self.complaints)}"
        yield from examples(self.complaints)

    def _memory(self) -> Iterable[str]:
        yield table(self.samples)
        alone, full, after = (self.samples[when] for when in ("lab alone", "all pods run", "after they played"))
        for name, held in full.processes.items():
            before, then = alone.processes.get(name, 0.0), after.processes.get(name, 0.0)
            yield f"  {name:<12} {before:6.0f} MiB alone, {held:6.0f} with all, {then:6.0f} after they played"
        each = {name: (getattr(full, name) - getattr(alone, name)) / self.learners for name in PARTS}
        rest = each["used"] - each["lab"] - each["containers"] - each["engine"]
        yield (
            f"a learner: {each['used']:.1f} MiB: containers {each['containers']:.1f}, the lab's processes "
            f"{each['lab']:.1f}, the engine's {each['engine']:.1f}, the kernel and others {rest:.1f}"
        )

    def _processor(self) -> Iterable[str]:
        for when, shares in (("without a learner", self.alone), ("nobody clicks", self.idle)):
            told = ", ".join(f"{name} {share:.1f}" for name, share in sorted(shares.items()) if share >= 0.05)
            yield f"{when}: {sum(shares.values()):.1f} % of one core: {told}"

    def _room(self, limits: list[Limit]) -> Iterable[str]:
        base, full = sum(self.alone.values()), sum(self.idle.values())
        each = (full - base) / self.learners
        limits = [*limits, Limit("the processor, when nobody clicks, in %", 100 * CORES, base, each)]
        yield f"how many find room in {GIB} GiB, on {CORES} cores; what ends first in front:"
        yield from (f"  {limit}" for limit in sorted(limits, key=Limit.learners))
        before, after = self.samples["before"].fulls, self.samples["after they played"].fulls
        yield f"  the kernel's table of neighbours was full {after - before} times"

    def _engine(self) -> Iterable[str]:
        pods = self.learners * PODS
        yield f"{pods} pods until ready {self.lab_starts:.1f} s, until gone {self.lab_stops:.1f} s"
        if not self.bare_starts:
            return
        there, full = self.samples["learners there"], self.samples["all pods run"]
        of_a_pod = (full.used - there.used) / pods, self.bare_mb / pods
        yield f"the engine alone, as many, {AT_ONCE} at once: the lab's ratio to it"
        for what, ours, theirs, unit in (
            ("start, seconds a container", self.lab_starts / pods, self.bare_starts / pods, "s"),
            ("stop, seconds a container", self.lab_stops / pods, self.bare_stops / pods, "s"),
            ("memory a container", *of_a_pod, "MiB"),
        ):
            ours, theirs = ours / CONTAINERS_A_POD, theirs / CONTAINERS_A_POD
            ratio = f"{ours / theirs:.2f}" if theirs > 0 else "-"
            yield f"  {what:<28} {theirs:8.3f} {unit}; the lab {ours:8.3f} {unit}: {ratio}"
        kept_up = pods / self.bare_starts / (PODS_A_TURN / self.every)
        yield (
            f"an act each {self.every:g} s starts {PODS_A_TURN:g} pods on the average: the engine alone keeps up with "
            f"{kept_up:.0f} learners; with more, pods wait their turn"
        )


def worst_minute(found: dict[Became, float]) -> float:
    """The highest p95 of the acts that were sent in one minute."""
    first, minutes = min(one.act.sent for one in found), defaultdict(list)
    for one, seconds in found.items():
        minutes[(one.act.sent - first) // 60].append(seconds)
    return max(map(p95, minutes.values()))


def examples(found: Iterable[str]) -> Iterable[str]:
    counted = Counter(found)
    for words, times in counted.most_common(SHOWN):
        yield f"    {times} × {words[:220]}"
    if len(counted) > SHOWN:
        yield f"    and {len(counted) - SHOWN} others"
