"""What steers deployments and nodes → rows of the board: releases, autoscalers, pools of machines. Pure.

Each is drawn where it acts: a release and an autoscaler on their deployment's card, a pool beside the nodes.
"""

from lab.apimachinery.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, NODEPOOLS, RELEASES
from lab.apimachinery.meta import parse_time
from lab.apimachinery.quantity import milli_value

from .rows import Row, compact, created_at, row_id

SEEN = "orrery.io/seen"  # on a release that is over: somebody has read on the board how it ended
WORDS = {"requests_per_second": "req/s", "errors_per_second": "errors/s", "latency_ms": "latency"}
# The two versions of a release in the words of its status: the new one's figures and the old one's, side by side.
SIDES = ("new", "old")


def target_of_release(release: dict) -> str:
    """The id of the deployment that it is a release of."""
    return f"{DEPLOYMENTS.resource}/{release['metadata']['namespace']}/{release['spec'].get('deployment', '')}"


def is_over(release: dict) -> bool:
    """Nothing is left to do for it. A phase that is an end may still be being carried out."""
    return bool(release.get("status", {}).get("finishedAt"))


def is_seen(release: dict) -> bool:
    return is_over(release) and release["metadata"].get("annotations", {}).get(SEEN) == "true"


def steps_of(release: dict) -> list[dict]:
    strategy = release["spec"].get("strategy") or {}
    return (strategy.get("canary") or {}).get("steps") or []


def release_row(release: dict) -> Row:
    """The part of a deployment's card that shows a release while it goes on, and how it ended."""
    meta, spec, status = release["metadata"], release["spec"], release.get("status", {})
    began = status.get("stepStartedAt")
    return compact(
        {
            "id": row_id(RELEASES.resource, release),
            "kind": "release",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "owner": target_of_release(release),
            "type": (spec.get("strategy") or {}).get("type", ""),
            "image": spec.get("image"),
            "phase": status.get("phase") or "Waiting",
            "message": status.get("message"),
            "over": is_over(release),
            "paused": spec.get("paused", False),
            "weight": spec.get("weight", status.get("weight", 0)) if not is_over(release) else status.get("weight", 0),
            "step": status.get("step", 0),
            "steps": len(steps_of(release)),
            "pause": _pause(release),
            "since": parse_time(began) if began else 0,
            "figures": {side: held for side in SIDES if (held := _side(status.get("analysis") or {}, side))},
        }
    )


def _pause(release: dict) -> float:
    """How long the present step lasts, in seconds; 0 where it is not a pause, or one until somebody decides."""
    steps, at = steps_of(release), release.get("status", {}).get("step", 0)
    return (steps[at].get("pause") or {}).get("seconds") or 0 if at < len(steps) else 0


def _side(analysis: dict, side: str) -> list[float]:
    """One version's `[requests, errors in percent, mean milliseconds]`, as the release's analysis found them."""
    held = analysis.get(side) or {}
    requests, errors = held.get("requests") or 0, held.get("errors") or 0
    return [requests, round(100 * errors / requests, 1), round(held.get("meanMs") or 0, 1)] if requests else []


def target_of_scaler(scaler: dict) -> str:
    """The id of the deployment that it scales; empty if it scales something else."""
    target = scaler["spec"].get("scaleTargetRef") or {}
    if target.get("kind") != DEPLOYMENTS.kind:
        return ""
    return f"{DEPLOYMENTS.resource}/{scaler['metadata']['namespace']}/{target.get('name', '')}"


def scaler_row(scaler: dict) -> Row:
    """The line of an autoscaler on its deployment's card: `2–10 · cpu 43 %/80 % · now 4`."""
    meta, spec, status = scaler["metadata"], scaler["spec"], scaler.get("status", {})
    return compact(
        {
            "id": row_id(HORIZONTALPODAUTOSCALERS.resource, scaler),
            "kind": "autoscaler",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "owner": target_of_scaler(scaler),
            "least": spec.get("minReplicas", 1),
            "most": spec.get("maxReplicas", 0),
            "metrics": " · ".join(metric_words(scaler)),
            "current": status.get("currentReplicas", 0),
            "desired": status.get("desiredReplicas", 0),
        }
    )


def metric_words(scaler: dict) -> list[str]:
    """`cpu 43 %/80 %` for each metric: what is measured, now, and what is asked for."""
    current = dict(map(_metric, scaler.get("status", {}).get("currentMetrics") or ()))
    said = []
    for metric in scaler["spec"].get("metrics") or ():
        name, source = _metric(metric)
        now = current.get(name, {}).get("current") or {}
        said.append(f"{WORDS.get(name, name)} {_amount(now, name)}/{_amount(source.get('target') or {}, name)}")
    return said


def _metric(metric: dict) -> tuple[str, dict]:
    """A metric's name and the part that describes it: Resource, Pods, Object and External each have their own."""
    source = metric.get(metric.get("type", "")[:1].lower() + metric.get("type", "")[1:]) or {}
    return source.get("name") or (source.get("metric") or {}).get("name", ""), source


def _amount(held: dict, name: str) -> str:
    if "averageUtilization" in held:
        return f"{held['averageUtilization']} %"
    written = held.get("averageValue") or held.get("value")
    if written in (None, ""):
        return "–"
    number = milli_value(written) / 1000
    if "latency" in name or name.endswith("_ms"):
        return f"{number:g} ms"
    return f"{number:.3g}"


def pool_row(pool: dict) -> Row:
    """The line of a pool of machines beside the nodes: how many it has of how many it may have."""
    meta, spec, status = pool["metadata"], pool["spec"], pool.get("status", {})
    return compact(
        {
            "id": row_id(NODEPOOLS.resource, pool),
            "kind": "pool",
            "name": meta["name"],
            "least": spec.get("minNodes", 0),
            "most": spec.get("maxNodes", 0),
            "nodes": status.get("nodes", 0),
            "booting": status.get("booting", 0),
            "text": status.get("message"),
            "created": created_at(pool),
        }
    )
