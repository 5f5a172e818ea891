"""The scheduler's decision as the board says it: each node's verdict in a word or two, from the data it left with it.

The shape of the data is `lab.scheduler`'s: `{"chosen", "evaluated", "feasible", "counts", "nodes": [{"node", "fits",
"reasons", "scores", "total"}]}`, best first.
"""

import re

from lab.apimachinery.kinds import PODS
from lab.client import Client

SHOWN = 8  # chips beside one waiting pod
HISTORY = 200  # rows of a pod looked through for the decision
DECISIONS = ("Schedule", "Unschedulable", "Preempt")
# kube-scheduler's words → what fits on a chip. Its own words stand in the drawer.
SHORT = (
    (re.compile(r"^Insufficient (.+)$"), r"too little \1"),
    (re.compile(r"^Too many pods$"), "full"),
    (re.compile(r"^node\(s\) were unschedulable$"), "cordoned"),
    (re.compile(r"^node\(s\) had untolerated taint.*\{(?:.*/)?([^:/}]+).*$"), r"taint \1"),
    (re.compile(r"^node\(s\) didn't match Pod's node affinity/selector$"), "selector"),
    (re.compile(r"^node\(s\) didn't match PersistentVolume's node affinity$"), "volume"),
    (re.compile(r"^node\(s\) didn't match pod topology spread constraints.*$"), "spread"),
    (re.compile(r"^node\(s\) didn't match pod anti-affinity rules$"), "anti-affinity"),
    (re.compile(r"^node\(s\) didn't have free ports.*$"), "port taken"),
    (re.compile(r"^node\(s\) "), ""),
)


# kube-scheduler's scoring plugins → what they reward, as the head of a narrow column.
SCORES = {
    "ImageLocality": "image",
    "InterPodAffinity": "pods",
    "NodeAffinity": "node",
    "NodeResourcesBalancedAllocation": "balance",
    "NodeResourcesFit": "room",
    "PodTopologySpread": "spread",
    "TaintToleration": "taints",
}


def short(reason: str) -> str:
    """`Insufficient cpu` → `too little cpu`; what is not known stays as it is."""
    for pattern, words in SHORT:
        if pattern.search(reason):
            return pattern.sub(words, reason)
    return reason


def chips(why: dict) -> list[dict]:
    """`[{"node", "fits", "text"}]`, at most `SHOWN`; of a large cluster the counts take the place of the rest.

    What every pod is told, that control planes are not for it, comes last.
    """
    nodes = why.get("nodes", ())
    found = [
        {"node": item["node"], "fits": item["fits"], "text": _points(item) if item["fits"] else _objections(item)}
        for item in nodes
    ]
    if not nodes:
        found = [
            {"node": f"{count} nodes", "fits": False, "text": short(reason)}
            for reason, count in sorted(why.get("counts", {}).items(), key=lambda pair: -pair[1])
        ]
    return sorted(found, key=lambda chip: chip["text"] == "taint control-plane")[:SHOWN]


def _points(item: dict) -> str:
    return f"{item.get('total', 0):g}"


def _objections(item: dict) -> str:
    return ", ".join(short(reason) for reason in item.get("reasons", ())) or "no"


def decision(client: Client, namespace: str, name: str, uid: str = "") -> dict | None:
    """The scheduler's newest decision about a pod: the `why` of its row, with its time; None if it has left none.

    Others leave theirs on the pod's rows too: why it was made, why its containers were started.
    """
    for row in client.history(PODS, namespace, name, limit=HISTORY):
        if (row["why"] or {}).get("decision") in DECISIONS and (not uid or row["object"]["metadata"]["uid"] == uid):
            return {**row["why"], "revision": row["revision"], "time": row["time"], "author": row["author"]}
    return None


def verdicts_of(client: Client, pod: dict) -> list[dict]:
    """The chips for a pod while it has no node; none once it has one."""
    meta = pod["metadata"]
    if pod["spec"].get("nodeName"):
        return []
    why = decision(client, meta["namespace"], meta["name"], meta["uid"])
    return chips(why) if why else []
