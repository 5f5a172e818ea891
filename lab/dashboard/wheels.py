"""The control loops' wheels on the board: turning them, and the drawer of a loop."""

from itertools import groupby

from django.db.models import Q

from lab.apimachinery import wheels
from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import EVENTS, NODES, WHEELS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.apimachinery.wheels import BROKEN, KUBELET, MODES, PAUSED, RUNNING, SECONDS, SLOW, STEP, Wheel
from lab.apiserver.tables.cells import human_duration
from lab.client import Client
from lab.client.ahead import LOOPS, Ahead, ahead
from lab.explain.past import PastClient
from lab.explain.words import telling
from lab.store import find, rows_at

from .done import Action, Done, create, patch
from .loops import NAMES, SILENT

MOST_KEYS = 50
LATELY = 3000  # revisions in which a loop's acts are looked for: twenty minutes of an idle cluster
MOST_ROWS = 200  # of them that are read
ACTS, TURNS = 6, 5
MOST_TURNS = 30
SAID = {RUNNING: "turns as ever", PAUSED: "is paused", STEP: "takes one step", BROKEN: "is broken: every key fails"}


def turn(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Turn a wheel in another way, `mode`; Step, each time it is asked for, is one step more."""
    _exists(client, name)
    mode = form.get("mode")
    if mode not in MODES:
        raise bad_request(f"mode must be one of {', '.join(MODES)}")
    stored = client.find(WHEELS, "", name)
    wheel = wheels.read(name, stored)
    spec: dict = {"mode": mode}
    if mode == SLOW:
        spec["seconds"] = form.get("seconds") or SECONDS
    if mode == STEP:
        spec["steps"] = (max(wheel.steps, wheel.taken) if wheel.mode == STEP else wheel.taken) + 1
    said = SAID.get(mode) or f"rests {spec['seconds']:g} s after each key"
    before = PAUSED if wheel.mode == STEP else wheel.mode  # what is stepped stands
    undo = {"mode": before, "seconds": wheel.seconds} if mode not in (before, wheel.mode) else None
    if stored is None:
        return Done(f"{name} {said}", create(client, WHEELS, [{"metadata": {"name": name}, "spec": spec}]), undo)
    return Done(f"{name} {said}", patch(client, WHEELS, "", name, {"spec": spec}), undo)


TURNING: dict[str, Action] = {"turn": turn}


def loop_drawer(client: Client, name: str) -> dict:
    """What a loop watches, how its wheel turns, and what it has before it. `name`: its author, as its row has it; the
    wheel of a node's kubelet; `kubelet` for all of those, or `all`. Raises ApiError 404 for what is no loop."""
    context = {"id": f"loops/{name}", "cluster": client.cluster}
    if name == "all":
        loops = [(author, NAMES[author], _wheel(client, wheel)) for wheel, author in wheels.LOOPS.items()]
        loops += [(wheel.name, wheel.name, wheel) for wheel in _kubelets(client) if wheel.said]
        turned_first = sorted(loops, key=lambda loop: (not loop[2].said, loop[1]))
        return {**context, "kind": "loops", "loops": turned_first}
    if name == "kubelet":
        kubelets = [(wheel.name, wheel.name.removeprefix(KUBELET), wheel) for wheel in _kubelets(client)]
        return {**context, "kind": "loops", "loops": kubelets, "kubelets": True}
    names = {author: wheel for wheel, author in wheels.LOOPS.items()}
    _exists(client, names.get(name, name))
    wheel = _wheel(client, names.get(name, name))
    past = isinstance(client, PastClient)  # of what was before it then, and how long a turn took, nothing is kept
    keys = _before(client, wheel.name) if name in names and not past else []
    now = client.now()
    waiting = [{"key": one.key, "cause": one.cause, "error": one.error, "when": _when(one.due - now)} for one in keys]
    stored = client.find(WHEELS, "", wheel.name)
    rows = client.history(WHEELS, "", wheel.name, MOST_TURNS) if stored else []
    turns = [row for row in rows if row["author"] != wheels.LOOPS.get(wheel.name, "kubelet")]  # it counts its steps
    return {
        **context,
        "kind": "loop",
        "name": wheel.name,
        "title": NAMES.get(name, wheel.name),
        "wheel": wheel,
        "state": "ready" if wheel.mode == RUNNING else "unready",
        "watches": [each.partition(".")[0] for each in LOOPS[wheel.name].watches] if name in names else ["pods"],
        "past": past,
        "kubelet": name not in names,
        "keys": waiting[:MOST_KEYS],
        "more": max(0, len(waiting) - MOST_KEYS),
        "acts": [{**act, "ago": human_duration(now - act["time"])} for act in _acts(client, name)],
        "by": [
            {
                **row,
                "ago": human_duration(now - row["time"]),
                "mode": wheels.read(wheel.name, row["object"]).said or "turns",
            }
            for row in turns[:TURNS]
        ],
        "command": kubectl("get", "wheel", wheel.name, "-o", "yaml"),
    }


def _before(client: Client, loop: str) -> list[Ahead]:
    """What a loop has before it, each key that stands for many by those for which it stands."""
    found = {one.key: one for one in ahead(client.view(), loop)}
    unfolded: dict[str, Ahead] = {}
    for one in found.values():
        for key, cause in LOOPS[loop].singly(client, {one.key: one.cause}).items():
            unfolded.setdefault(key, found.get(key) or one._replace(key=key, cause=cause))
    return list(unfolded.values())


def _acts(client: Client, name: str) -> list[dict]:
    """What the loop whose author is `name`, or a node's kubelet, did last, newest first: `{revision, time, text}`, and
    how many `more` it wrote because of the same."""
    author, _, node = name.partition(".")
    head = client.view().revision
    notes = Q(resource__in=SILENT) & ~Q(resource=EVENTS.resource, deleted=True)
    heartbeats = notes | Q(resource=NODES.resource, cause=0, why__isnull=True)
    found = find(client.cluster, Q(author=author) & ~heartbeats, head - LATELY, head)
    rows = [row for row in rows_at(client.cluster, found[-MOST_ROWS:]) if telling(row)]
    if node:
        rows = [row for row in rows if node in (row.name, row.object["spec"].get("nodeName"))]
    turns = [list(written) for _, written in groupby(rows, lambda row: row.cause or row.revision)]
    said = [{"revision": r.revision, "time": r.time, "text": telling(r), "more": len(more)} for r, *more in turns]
    return said[: -ACTS - 1 : -1]


def _exists(client: Client, name: str) -> None:
    """Raises ApiError 404 for what is neither a loop nor the kubelet of a node."""
    if name.startswith(KUBELET):
        client.get(NODES, "", name.removeprefix(KUBELET))
    elif name not in wheels.LOOPS:
        raise ApiError(404, "NotFound", f"there is no loop {name}")


def _wheel(client: Client, name: str) -> Wheel:
    return wheels.read(name, client.find(WHEELS, "", name))


def _kubelets(client: Client) -> list[Wheel]:
    """The wheels of all nodes' kubelets, by the nodes' names."""
    nodes = [node["metadata"] for node in client.list(NODES) if RUNTIME_LABEL in node["metadata"].get("labels", {})]
    return [_wheel(client, wheels.kubelet_of(name)) for name in sorted(meta["name"] for meta in nodes)]


def _when(seconds: float) -> str:
    return "now" if seconds < 1 else f"in {human_duration(seconds)}"
