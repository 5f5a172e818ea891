"""What changed on the board; and of each pod, what it passed through and how long it took to be ready. Pure."""

from dataclasses import dataclass, field, replace

from .rows import Row

Phase = tuple[str, float]  # a pod's state, and since when: the time of the log's row, in seconds since the epoch
DOWN = ("failed", "backoff", "unready", "starting")


@dataclass
class Delta:
    """What changed on the board. `phases`: each state that a pod went into, with the time of it: also those between
    what the board showed and what it shows now, so that what happened between two frames is not swallowed."""

    upserts: dict[str, Row] = field(default_factory=dict)
    removes: set[str] = field(default_factory=set)
    phases: dict[str, list[Phase]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.upserts or self.removes)


@dataclass(frozen=True)
class Way:
    """A pod's way to being ready: `since` when, 0 if it is not on it, and what is said of the last one."""

    state: str
    since: float = 0
    words: str = ""
    said: str = ""


def begun(row: Row | None) -> Way | None:
    """The way of a pod that was there before anybody looked: how long it has taken nobody knows."""
    return Way(row["state"]) if row else None


def onward(way: Way | None, state: str, at: float) -> Way:
    """The way after the pod has got into a state."""
    if way is None:
        return Way(state, 0 if state == "ready" else at, "ready in")
    if way.state == "ready" and state in DOWN:
        return Way(state, at, "healed in")
    if state == "ready" and way.since:
        span = at - way.since
        return Way(state, said=f"{way.words} {span:.2f} s" if span < 10 else f"{way.words} {span:.0f} s")
    return replace(way, state=state)


def turns(before: Row | None, passed: list[Phase]) -> list[Phase]:
    """Of the states seen one after another, those that were another than the one before."""
    states = [before["state"] if before else "", *(state for state, _ in passed)]
    return [phase for phase, last in zip(passed, states, strict=False) if phase[0] != last]
