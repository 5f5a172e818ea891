"""What the drawer shows of services and of what steers: endpoints, visitors, releases, autoscalers, pools."""

from lab import metrics
from lab.apimachinery.kinds import ENDPOINTSLICES as SLICES
from lab.apimachinery.kinds import (
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    NODES,
    RELEASES,
    SERVICES,
    VISITORS,
    Kind,
)
from lab.apimachinery.labels import NODEPOOL_LABEL
from lab.apimachinery.meta import is_true, key_of
from lab.apiserver.tables.cells import human_duration
from lab.client import Client
from lab.explain.grounds import because
from lab.explain.past import PastClient

from . import frontdoor
from .servicerows import SERVICE_NAME, endpoints_of, service_row, visitors_row
from .steeringrows import metric_words, pool_row, release_row, scaler_row, steps_of

DECISIONS = 12
HISTORY = 300
MOST_ENDPOINTS = 100
FAILURES = 5


def service_head(client: Client, service: dict) -> dict:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    slices = client.list(SLICES, namespace, {SERVICE_NAME: name})
    row = service_row(service, slices)
    outside = row["type"] == "ExternalName"
    return {
        "row": row,
        "state": row["state"],
        "headline": f"leads to {row['address']}"
        if outside
        else f"{row['ends'].replace('/', ' of ')} endpoints ready"
        if endpoints_of(slices)
        else "leads to no pod",
        "endpoints": endpoints_of(slices)[:MOST_ENDPOINTS],
        "front_door": frontdoor.port(),
    }


def service_overview(client: Client, service: dict) -> dict:
    meta = service["metadata"]
    visitors = [visitors_row(one) for one in client.list(VISITORS, meta["namespace"])]
    visitors = [row for row in visitors if row.get("service") == meta["name"]]
    return {
        "spec": service["spec"],
        "visitors": visitors,
        "failures": failures(client, [row["key"] for row in visitors]),
        "rules": [rule for one in client.list(INGRESSES, meta["namespace"]) for rule in _rules(one, meta["name"])],
    }


def failures(client: Client, visitors: list[str]) -> list[dict]:
    """The last requests that failed, newest first, of visitors by namespace/name: when, how, and who answered what.
    Of the past they are not kept."""
    if isinstance(client, PastClient):
        return []
    figures, now = metrics.read(client.cluster, metrics.VISITORS), client.now()
    found = [one for name in visitors for one in figures.get(name, {}).get("lastFailures", ())]
    newest = sorted(found, key=lambda one: one["time"], reverse=True)[:FAILURES]
    return [{**one, "ago": human_duration(now - one["time"])} for one in newest]


def visitors_overview(client: Client, visitors: dict) -> dict:
    return {"failures": failures(client, [key_of(visitors)])}


def _rules(ingress: dict, service: str) -> list[dict]:
    """The rules of an Ingress that lead to the service."""
    return [rule for rule in rules_of(ingress) if rule["service"] == service]


def rules_of(ingress: dict) -> list[dict]:
    """`{"ingress", "host", "path", "service", "port"}` of each rule; `*` for any host."""
    found, name = [], ingress["metadata"]["name"]
    for rule in ingress["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            found.append(
                {"host": rule.get("host") or "*", "path": path.get("path") or "/", **_backend(path["backend"])}
            )
    if default := ingress["spec"].get("defaultBackend"):
        found.append({"host": "*", "path": "/", **_backend(default)})
    return [{"ingress": name, **rule} for rule in found]


def _backend(backend: dict) -> dict:
    service = backend.get("service") or {}
    port = service.get("port") or {}
    return {"service": service.get("name", ""), "port": port.get("name") or port.get("number", "")}


def ingress_head(client: Client, ingress: dict) -> dict:
    """Each rule with how the service stands that it leads to."""
    namespace, rules = ingress["metadata"]["namespace"], rules_of(ingress)
    for rule in rules:
        service = client.find(SERVICES, namespace, rule["service"])
        slices = client.list(SLICES, namespace, {SERVICE_NAME: rule["service"]})
        row = service_row(service, slices) if service else {"state": "failed", "trouble": "there is no such service"}
        rule |= {"state": row["state"], "told": row.get("trouble") or f"{row['ends']} ready"}
    astray = sum(rule["state"] != "ready" for rule in rules)
    many = f"{len(rules)} rule{'s' if len(rules) != 1 else ''}"
    return {
        "state": "unready" if astray else "ready",
        "headline": f"{astray} of {many} get{'s' if astray == 1 else ''} no answer"
        if astray
        else f"{many}, all answered",
        "rules": rules,
        "front_door": frontdoor.port(),
    }


def visitors_head(client: Client, visitors: dict) -> dict:
    row = visitors_row(visitors)
    asks = f"{row['rate']:g} requests a second to {row['service']}" if row.get("rate") else "pausing"
    return {"row": row, "state": "unready" if row.get("trouble") else "ready", "headline": row.get("trouble") or asks}


def release_head(client: Client, release: dict) -> dict:
    row = release_row(release)
    share = f", {row['weight']} % of the visitors to the new version" if row.get("weight") else ""
    return {"row": row, "state": row["state"], "headline": row["phase"] + share}


def release_overview(client: Client, release: dict) -> dict:
    spec, status = release["spec"], release.get("status", {})
    return {
        "spec": spec,
        "status": status,
        "steps": [{"words": _step(step), "at": at == row_step(release)} for at, step in enumerate(steps_of(release))],
        "decisions": _decisions(client, RELEASES, release, "release-controller"),
    }


def row_step(release: dict) -> int:
    return release.get("status", {}).get("step", 0)


def _step(step: dict) -> str:
    if "setWeight" in step:
        return f"{step['setWeight']} % of the visitors"
    seconds = (step.get("pause") or {}).get("seconds")
    return f"look at it for {seconds:g} s" if seconds else "wait for somebody to decide"


def scaler_head(client: Client, scaler: dict) -> dict:
    row, status = scaler_row(scaler), scaler.get("status", {})
    current, wanted = status.get("currentReplicas", 0), status.get("desiredReplicas", 0)
    spec = scaler["spec"]
    return {
        "row": row,
        "state": "ready" if is_true(scaler, "ScalingActive") else "unready",
        "headline": f"{spec.get('minReplicas', 1)}–{spec.get('maxReplicas', 0)} replicas, now {current}"
        + (f", going to {wanted}" if wanted != current else ""),
        "metrics": metric_words(scaler),
        "target": row.get("owner", "").rpartition("/")[2],
    }


def scaler_overview(client: Client, scaler: dict) -> dict:
    return {
        "conditions": scaler.get("status", {}).get("conditions") or (),
        "decisions": _decisions(client, HORIZONTALPODAUTOSCALERS, scaler, "horizontal-pod-autoscaler"),
    }


def pool_head(client: Client, pool: dict) -> dict:
    row = pool_row(pool)
    return {"row": row, "state": "starting" if row.get("booting") else "ready", "headline": f"{row['text']} machines"}


def pool_overview(client: Client, pool: dict) -> dict:
    name = pool["metadata"]["name"]
    nodes = sorted(client.list(NODES, labels={NODEPOOL_LABEL: name}), key=lambda node: node["metadata"]["name"])
    return {
        "spec": pool["spec"],
        "message": pool.get("status", {}).get("message", ""),
        "nodes": [node["metadata"]["name"] for node in nodes],
        "decisions": [one for node in nodes for one in _decisions(client, NODES, node, "cluster-autoscaler")],
    }


def _decisions(client: Client, kind: Kind, obj: dict, author: str) -> list[dict]:
    """What `author`, its controller, decided last, newest first, and on what grounds. Of those that came to the same
    one after another, the first: since when it is so."""
    meta, now = obj["metadata"], client.now()
    found: list[dict] = []
    for row in client.history(kind, meta.get("namespace", ""), meta["name"], HISTORY):
        if row["author"] == author and (said := because(row["why"])):
            one = {"text": said, "ago": human_duration(now - row["time"]), "came_to": said.rpartition(": ")[2]}
            if found and found[-1]["came_to"] == one["came_to"]:
                found.pop()
            found.append(one)
    return found[:DECISIONS]
