"""Seats and the objects of their clusters → tiles of the wall. Pure.

A tile is a flat dict with what the browser draws and nothing else: what is missing, empty or zero is left out. Times
are seconds since the epoch, so that minutes go on in the browser and nothing need be sent for them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from lab.apimachinery.controlplane import is_member
from lab.apimachinery.kinds import LESSONS, NODES, PODS
from lab.apimachinery.meta import is_true, parse_time
from lab.apiserver.tables.pods import summary
from lab.dashboard.rows import compact
from lab.dashboard.status import pod_state
from lab.tutorials import progress
from lab.tutorials.checking import BROKEN, ERROR, PASSED
from lab.tutorials.lesson import Lesson, Step
from lab.tutorials.told import told_in

from .stops import Stretch, lost

Tile = dict
SHOWN = {LESSONS.resource, NODES.resource, PODS.resource}  # what a tile is made of
MOST_PODS, MOST_NODES, LONGEST = 12, 8, 200  # pods of a node, nodes, letters: more have no room in a tile
SYSTEM = "kube-"  # namespaces that are not the learner's
BEGIN_SECONDS = 120  # who has joined and begun nothing after so long is late
SINCE, DUE = "since", "due"
# Who comes first on the wall: those who ask, then where the lab fails, then whose step takes longer than it should.
ASKS, LAB_FAILS, WORKS, WAITS, HAS_DONE = range(5)
GROUP = 10**10  # more than any time
PHASES = (progress.SETTING, progress.PREDICT, progress.ACT, progress.DONE, progress.ERROR)


def seat_part(
    number: int, name: str, cluster: str, hand: float, away: float, alone: bool = False, group: str = ""
) -> Tile:
    """`hand`: since when it is up. `away`: when they were last seen, if they are not here. `alone`: not led. `group`:
    its letter, where there are several."""
    held = {"id": cluster, "number": number, "name": name, "hand": int(hand), "away": int(away)}
    return compact({**held, "alone": alone, "group": group})


def cluster_part(objects: dict[str, list[dict]], find: Callable[[str], Lesson | None], joined: float) -> Tile:
    """What a learner's cluster says: `objects` by their resource, those of SHOWN."""
    lesson = lesson_part(objects[LESSONS.resource], find)
    board = board_part(objects[NODES.resource], objects[PODS.resource])
    return {SINCE: int(joined), DUE: int(joined) + BEGIN_SECONDS, **lesson, **board}


def whole(seat: Tile, cluster: Tile, begun: float = 0.0, stood: Sequence[Stretch] = ()) -> Tile:
    """The tile, with its place: `rank`, the smaller the further in front. `begun`: when the class was, if they had to
    wait for it: nobody is late before. `stood`: when it stood still, which counts for nobody."""
    tile = {**cluster, **seat}
    due = tile.pop(DUE, 0)
    if "step" not in tile and tile[SINCE] < begun:
        tile[SINCE], due = int(begun), int(begun) + BEGIN_SECONDS
    still = int(lost(stood, tile[SINCE]))
    tile[SINCE], due = tile[SINCE] + still, due + still
    if "hand" in tile:
        group, at = ASKS, tile["hand"]
    elif "fault" in tile:
        group, at = LAB_FAILS, tile[SINCE]
    elif "ended" in tile:
        group, at = HAS_DONE, tile[SINCE]
    elif tile.get("phase") == progress.DONE:
        group, at = WAITS, tile[SINCE]
    else:
        group, at = WORKS, due
    return {**tile, "rank": group * GROUP + at}


def lesson_part(lessons: list[dict], find: Callable[[str], Lesson | None]) -> Tile:
    """Where they are in the lesson that they play, or played last."""
    obj = min(lessons, key=lambda one: (one["spec"].get("paused", False), -_version(one)), default=None)
    lesson = find(obj["metadata"]["name"]) if obj else None
    step = lesson.step(obj["spec"].get("step", "")) if lesson and obj else None
    if obj is None or lesson is None or step is None:
        return {}
    status = progress.setting(obj) if progress.begins(obj) else obj["status"]
    phase, kept = status["phase"], status.get("steps", {})
    since, told = begun_at(obj, status, step), told_in(obj, step.id)
    return compact(
        {
            "lesson": lesson.id,
            "step": lesson.steps.index(step) + 1,
            "title": step.title,
            "phase": phase if phase in PHASES else "",
            SINCE: _at(since),
            DUE: _at(since + 60 * step.minutes),
            "minutes": step.minutes,
            **_words(step, status),
            "hints": len(status.get("hints", ())) + sum(one.get("hint") is True for one in told),
            "tries": min(99, status.get("tries", {}).get(step.id, 1) - 1),
            "skips": obj["spec"].get("skip") == step.id and phase != progress.DONE,
            "passed": [number for number, one in enumerate(lesson.steps, 1) if one.id in kept],
            "ended": all(one.id in kept for one in lesson.steps),
        }
    )


def _at(time: float) -> int:
    """Whatever stands there: learners may write their Lessons themselves, and all must find room in a message."""
    return int(min(max(time, 0), GROUP - 1))


def _version(obj: dict) -> int:
    return int(obj["metadata"]["resourceVersion"])


def begun_at(obj: dict, status: dict, step: Step) -> float:
    """Since when they are at what they are at. Who resets a step does not begin to be stuck anew: then it is from when
    they had passed the one before."""
    kept = status.get("steps", {})
    times = {id: one["passed"]["time"] for id, one in kept.items()}
    if status["phase"] == progress.DONE and step.id in times:
        return times[step.id]
    began = status.get("began", {}).get("time", 0.0)
    if step.id in times:
        return began or max(times.values())
    if began and status.get("tries", {}).get(step.id, 1) < 2:
        return began
    return max([parse_time(obj["metadata"]["creationTimestamp"]), *times.values()])


def _words(step: Step, status: dict) -> Tile:
    """What they hear from the first check that is not passed. `fault`: it is the lab's, not theirs."""
    if status["phase"] == progress.ERROR:
        return {"says": status.get("message", "")[:LONGEST], "fault": True}
    if status["phase"] != progress.ACT:
        return {}
    texts = {check.id: check.text for check in step.checks}
    judged = (one for one in status.get("checks", ()) if one["outcome"] != PASSED)
    one = next(judged, None)
    if one is None:
        return {}
    says = one["text"] or texts.get(one["id"], "")
    return {"says": says[:LONGEST], "fault": one["outcome"] == ERROR, "broken": one["outcome"] == BROKEN}


def board_part(nodes: list[dict], pods: list[dict]) -> Tile:
    """The cluster as small as it goes. `board`: a word a node, `+` where it is ready and `-` where not, and a letter a
    pod, the first of its state; `waiting`: those of pods that have no node."""
    placed: dict[str, str] = defaultdict(str)
    for pod in sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp", ""), pod["metadata"]["name"])):
        if not pod["metadata"]["namespace"].startswith(SYSTEM):
            placed[pod["spec"].get("nodeName", "")] += pod_state(pod, summary(pod)[0])[0]
    workers = [node for node in sorted(nodes, key=lambda node: node["metadata"]["name"]) if not is_member(node)]
    board = [_sign(node) + placed.get(node["metadata"]["name"], "")[:MOST_PODS] for node in workers[:MOST_NODES]]
    return compact({"board": board, "waiting": placed.get("", "")[:MOST_PODS]})


def _sign(node: dict) -> str:
    return "+" if is_true(node, "Ready") else "-"


def course(lessons: Iterable[Lesson]) -> list[dict]:
    """What the strip of steps is made of."""
    return [
        {
            "id": one.id,
            "number": one.number,
            "title": one.title,
            "steps": [step.title for step in one.steps],
            "asks": [number for number, step in enumerate(one.steps, 1) if step.predict and step.predict.answers],
        }
        for one in lessons
    ]


def nameless(tiles: Iterable[Tile]) -> list[Tile]:
    """For who shall know nobody. Whoever joins comes with name and number; neither changes."""
    return [{**one, "name": f"No. {one['number']}"} if "name" in one else one for one in tiles]


def news(before: dict[str, Tile], after: dict[str, Tile]) -> tuple[list[Tile], list[str]]:
    """What differs: of each tile the fields that are another, None for those that are gone; and the tiles that are."""
    upserts = []
    for id, tile in after.items():
        old = before.get(id, {})
        changed = {key: held for key, held in tile.items() if old.get(key) != held}
        changed |= {key: None for key in old if key not in tile}
        if changed:
            upserts.append({"id": id, **changed})
    return upserts, [id for id in before if id not in after]
