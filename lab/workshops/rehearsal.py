"""A rehearsal before the class comes: each stage of its lessons is set once, in a cluster that is held to what a
learner's is, and what that took is kept with the workshop. A class plays what was rehearsed, with no image to pull.

One stage a task, so that each stays short; which task goes on, and whether one still may, the workshop says.
"""

import os
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, UnknownCluster
from lab.client.clusters import delete_cluster
from lab.models import Workshop
from lab.tutorials import progress, shelf
from lab.tutorials.cluster import ensure_learning_cluster
from lab.tutorials.lesson import Lesson, Step
from lab.tutorials.views import begin, change

from .seats import rehearsal_cluster

REHEARSER = "rehearsal"  # who the log says it was
STAGE_SECONDS, FIGURES_SECONDS, LOOK_SECONDS = 40.0, 4.0, 0.2
STOPPED_SECONDS = 120.0  # with no stage so long after the last, nobody is at it: its task went with a worker
READY = (progress.PREDICT, progress.ACT, progress.DONE)
SPARE = 0.8  # of what is free, what a class may take: the lab and its engine grow with it
MEMINFO = Path("/proc/meminfo")
# How many neighbours this machine's kernel has room for, in all networks; a pod that is probed takes two places.
NEIGHBOURS, PLACES = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3"), 2


@dataclass(frozen=True)
class Row:
    """`seconds` until the stage was set, `memory` in bytes and `cpu` in thousandths of a processor of all its `pods`;
    `trouble`: why it could not be, else ""."""

    lesson: str
    step: str
    seconds: float
    memory: int = 0
    cpu: int = 0
    pods: int = 0
    trouble: str = ""


def order(workshop: Workshop) -> str:
    """Begin one, in the place of one that is under way: its run, which its tasks have to name."""
    run = secrets.token_hex(4)
    workshop.rehearsal = {"run": run, "rows": [], "ended": False, "at": time.time()}
    workshop.save(update_fields=["rehearsal"])
    return run


def stages(workshop: Workshop) -> list[tuple[Lesson, Step]]:
    """All that there are to set: a step without a scene goes on upon the one before it."""
    lessons = [found.lesson for id in workshop.lessons if (found := shelf.find(id)) and found.lesson]
    return [(lesson, step) for lesson in lessons for step in lesson.steps if step.start]


def rehearse(code: str, run: str) -> bool:
    """Set the next stage of a run, or end it; whether there is more to do."""
    workshop = Workshop.objects.filter(code=code).first()
    if workshop is None or workshop.rehearsal.get("run") != run or workshop.rehearsal["ended"]:
        return False
    rows, every = workshop.rehearsal["rows"], stages(workshop)
    name = rehearsal_cluster(workshop)
    if len(rows) >= len(every):
        delete_cluster(name)
    else:
        rows = [*rows, asdict(_rehearsed(name, workshop.guard, *every[len(rows)]))]
    ended = len(rows) >= len(every) and len(rows) == len(workshop.rehearsal["rows"])
    now = {"run": run, "rows": rows, "ended": ended, "at": time.time()}
    # Whoever ordered another one meanwhile, or deleted the workshop, is not overruled.
    same = Workshop.objects.filter(code=code, rehearsal__run=run).update(rehearsal=now)
    if not same and not Workshop.objects.filter(code=code).exists():
        delete_cluster(name)
    return bool(same) and not ended


def _rehearsed(name: str, guard: str, lesson: Lesson, step: Step) -> Row:
    began, place = time.monotonic(), (lesson.title, step.title)
    try:
        ensure_learning_cluster(name, guard)
        client = Client(name, REHEARSER, hardware=True)
        begin(client, lesson)
        change(client, lesson.id, lambda obj: progress.entered(obj, step))
        trouble = _until_set(client, lesson.id, began + STAGE_SECONDS)
        taken = round(time.monotonic() - began, 1)
        return Row(*place, taken, trouble=trouble) if trouble else Row(*place, taken, *_figures(name))
    except (ApiError, UnknownCluster) as error:
        return Row(*place, round(time.monotonic() - began, 1), trouble=str(error))


def _until_set(client: Client, id: str, deadline: float) -> str:
    """Why it is not, after all that time; "" as soon as it is."""
    while True:
        obj = client.get(LESSONS, "", id)
        status = obj.get("status", {})
        if status.get("run") == obj["spec"]["run"] and status.get("phase") in READY:
            return ""
        if status.get("phase") == progress.ERROR or time.monotonic() > deadline:
            return status.get("message") or f"the stage was not set within {STAGE_SECONDS:.0f} s"
        time.sleep(LOOK_SECONDS)


def _figures(cluster: str) -> tuple[int, int, int]:
    """Memory, processor, and how many they are: the most that was seen of its pods while it is looked at. A container
    counts from its second look on."""
    memory, cpu, count, deadline = 0, 0.0, 0, time.monotonic() + FIGURES_SECONDS
    while time.monotonic() < deadline:
        pods = metrics.read(cluster, metrics.POD_USAGE).values()
        memory = max(memory, sum(pod["memoryBytes"] for pod in pods))
        cpu = max(cpu, sum(pod["cpuMillis"] for pod in pods))
        count = max(count, len(pods))
        time.sleep(LOOK_SECONDS)
    return memory, round(cpu), count


def said(workshop: Workshop) -> dict:
    """What its page shows: `rows`, how many stages there are, and what they mean for a full class."""
    kept = workshop.rehearsal
    rows = kept.get("rows", [])
    under_way = bool(kept) and not kept["ended"]
    stopped = under_way and time.time() - kept.get("at", 0) > STOPPED_SECONDS
    return {
        "rows": rows,
        "stages": len(stages(workshop)),
        "goes_on": under_way and not stopped,
        "stopped": stopped,
        "ended": bool(kept) and kept["ended"],
        "wrong": sum(bool(row["trouble"]) for row in rows),
        "memory": room_for(max((row["memory"] for row in rows), default=0), workshop.seats, free_memory()),
        "cpu": room_for(
            max((row.get("cpu", 0) for row in rows), default=0), workshop.seats, 1000 * (os.cpu_count() or 0)
        ),
        "neighbours": room_for(
            PLACES * max((row.get("pods", 0) for row in rows), default=0), workshop.seats, most_neighbours()
        ),
    }


def room_for(need: int, seats: int, free: int) -> dict:
    """`most`: what the largest stage takes, `all`: as often as there are seats, `fits`: how many have room at once.
    What is not known is no reason against it. Bytes, thousandths of a processor, or places. Pure."""
    known = bool(need and free)
    fits = int(free * SPARE / need) if known else 0
    return {"most": need, "all": need * seats, "free": free, "fits": fits, "enough": not known or fits >= seats}


def most_neighbours() -> int:
    """0 where the machine does not say."""
    try:
        return int(NEIGHBOURS.read_text())
    except (OSError, ValueError):
        return 0


def free_memory() -> int:
    """Of this machine, in bytes; 0 where it does not say."""
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
