"""A thread as a drawing: a lane for each part, and its hops where they were in time. Pure but for the drawers.

The list of hops is the content; the drawing is its layout. Time is drawn on a logarithmic scale, with its marks, for a
thread goes from milliseconds to minutes.
"""

import math

from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import BY_RESOURCE
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import join_key
from lab.apiserver.tables.cells import human_duration
from lab.client import Client
from lab.explain import thread
from lab.explain.past import PastClient

# In units of the drawing; its lanes begin after their names.
NAMES_WIDTH, WIDTH, LANE = 104, 348, 20
FIRST = 0.01  # seconds: what is drawn at the left edge
TICKS = ((0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (86400, "1 d"))
WORDS = {
    "person": "A person",
    "clock": "The clock",
    "fault": "A fault",
    "forgotten": "Nobody knows who",
    "lost": "Nobody noted who",
}
ENDS = {"person": 0, "request": 2}  # the first lane and the last; all others in the order in which they act


def thread_tab(client: Client, obj: dict, drawable: frozenset[str]) -> dict:
    """What the tab shows; `drawable`: resources whose objects can be opened."""
    kind, meta = BY_RESOURCE[_resource(obj)], obj["metadata"]
    return drawing(thread.of_object(client, kind, meta.get("namespace", ""), meta["name"]), drawable)


def revision_drawer(client: Client, name: str, drawable: frozenset[str]) -> dict:
    """The drawer of one revision: what led to it, and what came of it. Raises ApiError 400 for what is no number, 404
    for a revision that is not kept, or was not written yet."""
    if not name.isdecimal():
        raise bad_request(f'"{name}" is no revision')
    told = drawing(thread.of_revision(client, int(name)), drawable, int(name))
    return {
        **told,
        "kind": "revision",
        "id": f"revisions/{name}",
        "name": name,
        "cluster": client.cluster,
        "told": told["hops"][told["chosen"]],
        "past": isinstance(client, PastClient),
        "command": kubectl("get", "--raw", f"/history/{name}/thread"),
    }


def _resource(obj: dict) -> str:
    return next(
        name for name, kind in BY_RESOURCE.items() if (kind.api_version, kind.kind) == (obj["apiVersion"], obj["kind"])
    )


def drawing(told: dict, drawable: frozenset[str], chosen: int = 0) -> dict:
    """`{"root", "hops", "lanes", "ticks", "links", "width", "height", "left_out", "cut", "chosen"}`, with places for an
    SVG; `chosen`: the hop of that revision, by its number, else the first."""
    hops, root = told["hops"], told["root"]
    lanes = sorted(dict.fromkeys(hop["lane"] for hop in hops), key=lambda lane: ENDS.get(lane, 1))
    longest = max((hop["after"] for hop in hops), default=0.0)
    drawn = [_hop(hop, number, lanes, longest, drawable) for number, hop in enumerate(hops)]
    at = {hop["revision"]: hop for hop in drawn}
    return {
        "root": {**root, "words": WORDS[root["kind"]]},
        "hops": drawn,
        "lanes": [{"name": lane, "y": _y(row)} for row, lane in enumerate(lanes)],
        "ticks": [{"x": _x(seconds, longest), "words": words} for seconds, words in TICKS if seconds < longest],
        "links": [{"from": at[hop["parent"]], "to": hop} for hop in drawn if hop["parent"] in at],
        "names": NAMES_WIDTH,
        "width": WIDTH,
        "height": _y(len(lanes)) + 8,
        "left_out": told["truncated"],
        "cut": told["cut"],
        "chosen": at[chosen]["number"] if chosen in at else 0,
    }


def _hop(hop: dict, number: int, lanes: list[str], longest: float, drawable: frozenset[str]) -> dict:
    of = hop["object"]
    key = f"{of['resource']}/{join_key(of['namespace'], of['name'])}" if of["resource"] in drawable else ""
    place = {"x": _x(hop["after"], longest), "y": _y(lanes.index(hop["lane"]))}
    return {**hop, **place, "number": number, "after": after(hop["after"]), "opens": key}


def _x(seconds: float, longest: float) -> float:
    share = math.log1p(seconds / FIRST) / math.log1p(max(longest, FIRST) / FIRST)
    return round(NAMES_WIDTH + 8 + share * (WIDTH - NAMES_WIDTH - 18), 1)


def _y(row: int) -> int:
    return 24 + row * LANE


def after(seconds: float) -> str:
    if seconds < 1:
        return f"+{seconds * 1000:.0f} ms"
    return f"+{seconds:.1f} s" if seconds < 120 else f"+{human_duration(seconds)}"
