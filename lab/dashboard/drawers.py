"""What the drawer shows of one thing: the facts of each tab, read through the client. Templates only lay them out."""

import contextlib
from collections.abc import Callable

import yaml

from lab.apimachinery.budgets import parse_budgets
from lab.apimachinery.controlplane import is_member, is_up
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import (
    BUILDS,
    BY_GVK,
    BY_RESOURCE,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    RELEASES,
    SERVICES,
    VISITORS,
    Kind,
)
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.labels import ZONE_LABEL
from lab.apimachinery.meta import join_key
from lab.apimachinery.pods import is_finished
from lab.apiserver.tables.cells import age, human_duration
from lab.apiserver.tables.pods import summary
from lab.client import Client
from lab.explain.past import PastClient

from . import steeringdrawers as steering
from . import storagedrawers as storage
from . import workloaddrawers as workloads
from .actions import nodes_in, pods_on
from .drain import checklist
from .noderows import Room, node_row
from .requests import REQUESTS, request_drawer
from .rows import WORKLOADS, event_row, pod_row, requests_of
from .status import pod_state
from .storagerows import claim_names
from .threaddrawers import revision_drawer, thread_tab
from .wheels import loop_drawer
from .whole import ZONES, zone_of, zone_row
from .why import cards_of, telling

EVENTS_SHOWN = 50
NOW_ONLY = ("logs", "terminal", "drain")  # tabs that reach into what runs, or say what would be


Show = Callable[[Client, dict], dict]  # what there is to show of an object


def drawer(client: Client, resource: str, namespace: str, name: str, tab: str) -> dict:
    """The context of the drawer. Raises ApiError 404 if the thing is gone, or is none that has a drawer."""
    if resource == ZONES:
        return zone_drawer(client, name)
    if resource == "loops":
        return loop_drawer(client, name)
    if resource == "revisions":
        return revision_drawer(client, name, _drawable())
    if resource == REQUESTS:
        return request_drawer(client, namespace, name)
    kind = BY_RESOURCE.get(resource)
    if kind is None or kind not in DRAWERS:
        raise ApiError(404, "NotFound", f"the board shows no {resource}")
    head, every = DRAWERS[kind]
    tabs = {tab: show for tab, show in every.items() if tab not in NOW_ONLY or not isinstance(client, PastClient)}
    obj = client.get(kind, namespace, name)
    cards = cards_of(client, kind, namespace, name)
    shown = head(client, obj)
    said = telling(cards, shown["state"])
    tab = tab if tab in tabs else "why" if said else next(iter(tabs))
    key = join_key(namespace, name)
    return {
        "kind": kind.singular,
        "resource": resource,
        "id": f"{resource}/{key}",
        "key": key,
        "namespace": namespace,
        "name": name,
        "tabs": list(tabs),
        "tab": tab,
        "age": age(obj, client.now()),
        "cards": cards,
        "telling": said,
        "cluster": client.cluster,
        "command": kubectl("describe", kind.singular, name, namespace=namespace),
        **shown,
        **tabs[tab](client, obj),
    }


def gone(client: Client, resource: str, namespace: str, name: str) -> dict:
    """What is left to show of a thing that is not there: why it went, as long as rows of it are kept."""
    kind = BY_RESOURCE.get(resource)
    if kind not in DRAWERS:
        return {}
    with contextlib.suppress(ApiError):
        return {"cards": cards_of(client, kind, namespace, name)}
    return {}


def zone_drawer(client: Client, name: str) -> dict:
    """What is in a zone, and its power switch. Raises ApiError 404 if nothing is."""
    nodes = nodes_in(client, name)
    row, id_ = zone_row(f"{ZONES}/{name}", nodes), f"{ZONES}/{name}"
    machines = []
    for node in nodes:
        pods = pods_on(client, node["metadata"]["name"])
        machines.append({**node_row(node, (0, 0, 0), len(pods)), "pods": len(pods)})
    return {
        "kind": "zone",
        "id": id_,
        "name": name,
        "row": row,
        "state": "failed" if row.get("off") else "unready" if row.get("down") else "ready",
        "machines": machines,
        "pods": sum(machine["pods"] for machine in machines),
        "elsewhere": any(is_member(node) and is_up(node) and zone_of(node) != id_ for node in client.list(NODES)),
        "members": any(map(is_member, nodes)),
        "command": f"kubectl get nodes -l {ZONE_LABEL}={name}",
    }


def _kind_of(obj: dict) -> Kind:
    return BY_GVK[obj["apiVersion"], obj["kind"]]


def _events(client: Client, obj: dict) -> dict:
    uid, now = obj["metadata"]["uid"], client.now()
    about = [e for e in client.list(EVENTS) if e.get("involvedObject", {}).get("uid") in (uid, obj["metadata"]["name"])]
    rows = sorted(map(event_row, about), key=lambda row: row.get("at", 0), reverse=True)[:EVENTS_SHOWN]
    about_it = f"{_kind_of(obj).singular}/{obj['metadata']['name']}"
    return {
        "events": [{**row, "ago": human_duration(now - row.get("at", now))} for row in rows],
        "command": kubectl("events", "--for", about_it, namespace=obj["metadata"].get("namespace", "")),
    }


def _yaml(client: Client, obj: dict) -> dict:
    kind = _kind_of(obj)
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    ordered = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta}
    ordered |= {key: value for key, value in obj.items() if key not in ordered}
    return {
        "text": yaml.safe_dump(ordered, sort_keys=False, default_flow_style=False, width=100),
        "command": kubectl("get", kind.singular, meta["name"], "-o", "yaml", namespace=meta.get("namespace", "")),
    }


def _pod_head(client: Client, pod: dict) -> dict:
    word, ready, total, restarts, _ = summary(pod)
    return {
        "state": pod_state(pod, word),
        "headline": f"{word}, {ready} of {total} ready" + (f", {restarts} restarts" if restarts else ""),
        "containers": [container["name"] for container in pod["spec"]["containers"]],
        "node": pod["spec"].get("nodeName"),
        "owners": workloads.owners_of(client, pod),
    }


def _pod_why(client: Client, pod: dict) -> dict:
    claims = storage.claims_told(client, pod["metadata"]["namespace"], claim_names(pod), [pod])
    return {"volumes": claims}


def _why(client: Client, obj: dict) -> dict:
    """The cards are every tab's."""
    return {}


def _thread(client: Client, obj: dict) -> dict:
    return thread_tab(client, obj, _drawable())


def _drawable() -> frozenset[str]:
    """Resources whose objects can be opened."""
    return frozenset(kind.resource for kind in DRAWERS)


def _pod_logs(client: Client, pod: dict) -> dict:
    meta = pod["metadata"]
    return {"command": kubectl("logs", "-f", meta["name"], namespace=meta["namespace"])}


def _pod_terminal(client: Client, pod: dict) -> dict:
    meta, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
    return {"command": kubectl("exec", "-it", meta["name"], "-c", container, "--", "sh", namespace=meta["namespace"])}


def _node_head(client: Client, node: dict) -> dict:
    pods = pods_on(client, node["metadata"]["name"])
    room = Room()
    for pod in pods:
        if not is_finished(pod):
            room.take(pod["metadata"]["uid"], "", requests_of(pod))
    row = node_row(node, *room.of(""))
    words = [words for words, look in row.get("flags", ()) if look in ("bad", "warn")]
    return {
        "state": "ready"
        if row.get("ready") and not row.get("cordoned")
        else "unready"
        if row.get("ready")
        else "failed",
        "headline": ", ".join([row["status"], *words]),
        "row": row,
        "pods": sorted((pod_row(pod) for pod in pods), key=lambda pod: pod["name"]),
    }


def _node_overview(client: Client, node: dict) -> dict:
    status, meta = node.get("status", {}), node["metadata"]
    return {
        "capacity": status.get("capacity", {}),
        "allocatable": status.get("allocatable", {}),
        "conditions": status.get("conditions", ()),
        "taints": node.get("spec", {}).get("taints", ()),
        "labels": sorted(meta.get("labels", {}).items()),
        "info": status.get("nodeInfo", {}),
        "cidr": node.get("spec", {}).get("podCIDR"),
    }


def _budget_head(client: Client, budget: dict) -> dict:
    status = budget.get("status", {})
    allowed = status.get("disruptionsAllowed", 0)
    counts = f"{allowed} may go, {status.get('currentHealthy', 0)} of {status.get('expectedPods', 0)} healthy"
    return {"template": "_frame", "state": "ready" if allowed else "unready", "headline": counts}


def _build_head(client: Client, build: dict) -> dict:
    phase = build.get("status", {}).get("phase", "Pending")
    state = {"Complete": "completed", "Failed": "failed", "Pending": "pending"}.get(phase, "starting")
    return {"template": "_frame", "state": state, "headline": phase}


def _node_drain(client: Client, node: dict) -> dict:
    name = node["metadata"]["name"]
    items = checklist(pods_on(client, name), parse_budgets(client.list(PODDISRUPTIONBUDGETS)))
    return {
        "items": items,
        "blocking": sum(item.fate == "blocks" for item in items),
        "command": f"kubectl drain {name} --ignore-daemonsets",
    }


# What every kind has; alone it is for what is nowhere on the board, but in a thread or a link.
ASKED: dict[str, Show] = {"why": _why, "thread": _thread, "events": _events, "yaml": _yaml}


def _with_overview(head: Show, overview: Show) -> tuple[Show, dict[str, Show]]:
    return head, {"overview": overview, **ASKED}


# Of each kind that has a drawer: its head, and its tabs in the order in which they stand.
DRAWERS: dict[Kind, tuple[Show, dict[str, Show]]] = {
    PODS: (
        _pod_head,
        {
            "why": _pod_why,
            "thread": _thread,
            "events": _events,
            "logs": _pod_logs,
            "terminal": _pod_terminal,
            "yaml": _yaml,
        },
    ),
    NODES: (
        _node_head,
        {
            "overview": _node_overview,
            "why": _why,
            "thread": _thread,
            "drain": _node_drain,
            "events": _events,
            "yaml": _yaml,
        },
    ),
    **dict.fromkeys(WORKLOADS, _with_overview(workloads.workload_head, workloads.workload_overview)),
    SERVICES: _with_overview(steering.service_head, steering.service_overview),
    VISITORS: _with_overview(steering.visitors_head, steering.visitors_overview),
    INGRESSES: _with_overview(steering.ingress_head, lambda client, obj: {}),
    RELEASES: _with_overview(steering.release_head, steering.release_overview),
    HORIZONTALPODAUTOSCALERS: _with_overview(steering.scaler_head, steering.scaler_overview),
    NODEPOOLS: _with_overview(steering.pool_head, steering.pool_overview),
    PERSISTENTVOLUMECLAIMS: _with_overview(storage.claim_head, storage.claim_overview),
    PERSISTENTVOLUMES: _with_overview(storage.volume_head, storage.volume_overview),
    PODDISRUPTIONBUDGETS: (_budget_head, ASKED),
    BUILDS: (_build_head, ASKED),
}
