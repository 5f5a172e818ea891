"""What steers deployments and nodes → rows of the board: releases, autoscalers, pools of machines. Pure.

Each is drawn where it acts: a release and an autoscaler on their deployment's card, a pool beside the nodes.
"""

from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, NODEPOOLS, RELEASES
from lab.apimachinery.meta import condition, parse_time
from lab.apimachinery.quantity import milli_value
from lab.client.images import tag_of

from .rows import BY_NAME, Row, compact, head

SEEN = "orrery.io/seen"  # on a release that is over: somebody has read on the board how it ended
WORDS = {"requests_per_second": "req/s", "errors_per_second": "errors/s", "latency_ms": "latency"}


def target_of_release(release: dict) -> str:
    """The id of the deployment that it is a release of."""
    return f"{DEPLOYMENTS.resource}/{release['metadata']['namespace']}/{release['spec'].get('deployment', '')}"


def is_over(release: dict) -> bool:
    """Nothing is left to do for it. A phase that is an end may still be being carried out."""
    return bool(release.get("status", {}).get("finishedAt"))


def is_seen(release: dict) -> bool:
    return is_over(release) and release["metadata"].get("annotations", {}).get(SEEN) == "true"


def shown_first(releases: list[dict]) -> tuple[dict | None, list[dict]]:
    """Of a deployment's releases the one that its card shows, and those that wait behind it: the one that goes on, else
    the oldest that waits, else the newest that has ended and that nobody has put away."""
    ages = sorted(releases, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))
    going = sorted((one for one in ages if not is_over(one)), key=is_waiting)
    ended = [one for one in ages if is_over(one) and not is_seen(one)]
    return (going[0], going[1:]) if going else (ended[-1] if ended else None, [])


def behind_words(releases: list[dict]) -> str:
    names = [one["metadata"]["name"] for one in releases]
    return f"{', '.join(names)} wait{'s' if len(names) == 1 else ''} until this one is over." if names else ""


def is_waiting(release: dict) -> bool:
    return release.get("status", {}).get("phase", "Waiting") == "Waiting"


def steps_of(release: dict) -> list[dict]:
    strategy = release["spec"].get("strategy") or {}
    return (strategy.get("canary") or {}).get("steps") or []


def release_row(release: dict) -> Row:
    """The part of a deployment's card that shows a release while it goes on, and how it ended."""
    spec, status = release["spec"], release.get("status", {})
    kind, phase = (spec.get("strategy") or {}).get("type", ""), status.get("phase") or "Waiting"
    began, namespace = status.get("stepStartedAt"), release["metadata"]["namespace"]
    keys = [f"{namespace}/{status[key]}" if status.get(key) else "" for key in ("oldRevision", "newRevision")]
    return compact(
        {
            **head("release", RELEASES.resource, release),
            "owner": target_of_release(release),
            "type": kind,
            "phase": phase,
            "title": f"{TITLES.get(kind, kind)} · {phase}",
            **_told(phase, status),
            "over": is_over(release),
            "weight": status.get("weight", 0) if is_over(release) else spec.get("weight", status.get("weight", 0)),
            "pause": _pause(release),
            "since": parse_time(began) if began else 0,
            "names": _names(release),
            "paused": spec.get("paused", False),
            "keys": keys if any(keys) else (),
            "judged": judged(status.get("analysis") or {}, _rules(release)),
            **_buttons(kind, phase, spec.get("paused", False)),
        }
    )


def _names(release: dict) -> tuple[str, str]:
    """What heads the columns of its two versions: `old v1`, `new v2`."""
    spec, template = release["spec"], release.get("status", {}).get("oldTemplate", {})
    was = (template.get("spec", {}).get("containers") or [{}])[0].get("image", "")
    sides = ("blue", "green") if (spec.get("strategy") or {}).get("type") == "BlueGreen" else ("old", "new")
    return f"{sides[0]} {tag_of(was)}".strip(), f"{sides[1]} {tag_of(spec.get('image', ''))}".strip()


def _told(phase: str, status: dict) -> dict[str, str]:
    """How it stands in a shape and in words. Of an analysis that goes on, the figures stand in lines of their own."""
    words, analysis, state = status.get("message", ""), status.get("analysis") or {}, STATES.get(phase, "starting")
    found = analysis.get("message", "")
    if not found or f": {found}." not in words:
        return {"state": state, "message": words}
    told = words.replace(f": {found}.", ".")
    if analysis["verdict"] == "Passing":
        return {"state": "ready", "message": f"The new version does as well as the old one. {told}"}
    return {"state": state, "message": f"{told} {found[0].upper()}{found[1:]}."}


TITLES = {"BlueGreen": "Blue-green", "RollingUpdate": "Rolling update"}
# A release's phase → the board's word for the state that it is in: what shape and colour it has.
STATES = {"Paused": "unready", "Promoted": "ready", "Superseded": "done", "Aborted": "failed", "Failed": "failed"}
ENDS = STATES.keys() - {"Paused"}


def _buttons(kind: str, phase: str, paused: bool) -> dict[str, str]:
    """What the buttons of a release say; "" for one that is not offered."""
    switched = phase == "Switched"
    if phase in ENDS:  # it is decided, and being carried out
        return {"promote": "", "hold": "", "abort": ""}
    if kind == "BlueGreen":
        back = "Back to blue" if switched else "Abort"
        hold = ("Let blue go" if paused else "Keep blue") if switched else ("Go on" if paused else "Pause")
        return {"promote": "" if switched else "Switch to green", "hold": hold, "abort": back}
    promote = "" if kind == "RollingUpdate" else "Promote"
    return {"promote": promote, "hold": "Go on" if paused else "Pause", "abort": "Abort"}


def _pause(release: dict) -> float:
    """How long the present step lasts, in seconds; 0 where it is not a pause, or one until somebody decides."""
    steps, at = steps_of(release), release.get("status", {}).get("step", 0)
    if release.get("status", {}).get("phase") == "Switched" and not release["spec"].get("paused"):
        return release["spec"]["strategy"]["blueGreen"]["scaleDownDelaySeconds"]
    return (steps[at].get("pause") or {}).get("seconds") or 0 if at < len(steps) else 0


def _rules(release: dict) -> dict:
    return ((release["spec"].get("strategy") or {}).get("canary") or {}).get("analysis") or {}


def judged(analysis: dict, rules: dict) -> list[dict]:
    """What a canary is judged by, a line each: `{"words": [what, old, new, what is allowed], "bad"}`, as counted since
    the weight was set. Empty before the new version has answered anybody."""
    new, old = analysis.get("new") or {}, analysis.get("old") or {}
    if not new.get("requests"):
        return []
    (asked, failed, ms), (asked_old, failed_old, ms_old) = _side(new), _side(old)
    most, ratio = rules.get("maxErrorPercent", 0), rules.get("maxLatencyRatio", 0)
    worse, by_errors = analysis.get("verdict") == "Failing", failed > failed_old + most
    return [
        {"words": ["in all", f"{asked_old}", f"{asked}", f"≥ {rules.get('minRequests', 0)}"], "bad": False},
        {"words": ["failed", f"{failed_old:g} %", f"{failed:g} %", f"+{most:g} %"], "bad": worse and by_errors},
        {"words": ["mean", f"{ms_old:.3g} ms", f"{ms:.3g} ms", f"×{ratio:g}"], "bad": worse and not by_errors},
    ]


def _side(counted: dict) -> tuple[int, float, float]:
    """One version's requests, the percentage of them that failed, and their mean milliseconds."""
    requests = counted.get("requests") or 0
    return requests, round(100 * counted["errors"] / requests, 1) if requests else 0, counted.get("meanMs") or 0


def target_of_scaler(scaler: dict) -> str:
    """The id of the workload that it scales; empty if it scales something else."""
    target = scaler["spec"].get("scaleTargetRef") or {}
    kind = BY_NAME.get(target.get("kind", ""))
    return f"{kind.resource}/{scaler['metadata']['namespace']}/{target.get('name', '')}" if kind else ""


def scaler_row(scaler: dict) -> Row:
    """The line of an autoscaler on its deployment's card, and what keeps it from doing its work."""
    spec, status = scaler["spec"], scaler.get("status", {})
    said = (
        f"{spec.get('minReplicas', 1)}–{spec.get('maxReplicas', 0)}",
        *(metric_words(scaler) or ["no metric"]),
        f"now {status.get('currentReplicas', 0)}",
    )
    active, limited = condition(scaler, "ScalingActive") or {}, condition(scaler, "ScalingLimited") or {}
    at_most = "would have more, but for its maximum" if limited.get("reason") == "TooManyReplicas" else ""
    return compact(
        {
            **head("autoscaler", HORIZONTALPODAUTOSCALERS.resource, scaler),
            "owner": target_of_scaler(scaler),
            "text": " · ".join(said),
            "trouble": active.get("message", "") if active.get("status") == "False" else at_most,
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
    spec, status = pool["spec"], pool.get("status", {})
    return compact(
        {
            **head("pool", NODEPOOLS.resource, pool),
            "least": spec.get("minNodes", 0),
            "most": spec.get("maxNodes", 0),
            "nodes": status.get("nodes", 0),
            "booting": status.get("booting", 0),
            "text": f"{status.get('nodes', 0)} of {spec.get('maxNodes', 0)}"
            + (f", +{status['booting']} booting" if status.get("booting") else ""),
        }
    )


def build_row(build: dict) -> Row:
    """Nowhere on the board, but a drawer that shows it follows its row."""
    told = {field: build.get("status", {}).get(field) for field in ("phase", "message")}
    return compact({**head("build", BUILDS.resource, build), **told})
