"""The thread in the drawer: where its hops are drawn. It is walked in `test_page.py`."""

from lab.apimachinery.kinds import DEPLOYMENTS
from lab.dashboard.threaddrawers import drawing


def hop(revision: int, after: float, lane: str, parent: int = 0) -> dict:
    of = {"resource": DEPLOYMENTS.resource, "namespace": "default", "name": "web"}
    words = {"text": lane, "because": "", "decision": "", "author": lane, "component": ""}
    return {"revision": revision, "time": after, "after": after, "lane": lane, "parent": parent, "object": of, **words}


def test_hops_are_drawn_in_lanes_and_in_the_order_of_their_time():
    hops = [hop(1, 0, "person"), hop(5, 0.1, "deployment", 1), hop(9, 70, "request", 5), hop(12, 90, "kubelet", 9)]
    root = {"kind": "person", "author": "kubectl", "text": "made it", "time": 0, "revision": 1}
    told = drawing({"root": root, "hops": hops, "truncated": 2}, frozenset({DEPLOYMENTS.resource}))
    assert [lane["name"] for lane in told["lanes"]] == ["person", "deployment", "kubelet", "request"]
    places = [each["x"] for each in told["hops"]]
    assert places == sorted(set(places)) and told["names"] < places[0] and places[-1] < told["width"]
    assert all(0 < each["y"] < told["height"] for each in told["hops"])
    assert [tick["words"] for tick in told["ticks"]] == ["0.1 s", "1 s", "10 s", "1 min"]
    assert [(link["from"]["revision"], link["to"]["revision"]) for link in told["links"]] == [(1, 5), (5, 9), (9, 12)]
    assert told["hops"][0]["opens"] == "deployments.apps/default/web"
    assert told["left_out"] == 2
