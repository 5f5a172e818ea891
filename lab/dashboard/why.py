"""The why cards of a drawer: what `lab.explain.why` answers, laid out, and what the board itself can do about it.

Pure, but for `cards_of`, which asks.
"""

import json
import shlex

from lab.apimachinery.controlplane import PARTITIONED, POWER
from lab.apimachinery.kinds import BY_RESOURCE, CRONJOBS, NODES, RELEASES, WHEELS, Kind
from lab.apimachinery.meta import join_key
from lab.apiserver.tables.cells import human_duration
from lab.client import Client
from lab.explain import why

from .verdicts import SCORES

MOST_GROUNDS = 8  # of a card: a table of nodes and the thread tell the rest
# Reasons of what is as it should be, or on its way there. Any other may be told in the head of every tab (`telling`).
CALM = frozenset(
    {
        *("Scheduled", "Created", "Ready", "Serving", "ContainerCreating", "PodInitializing", "Completed"),
        *("Complete", "Progressing", "ReleaseInControl", "OnDelete", "Partition", "OnePerNode"),
        *("AsDeclared", "ScaledByHand", "ScaledByAutoscaler", "ScaledByDeployment", "Scaled"),
        *("CompletionsReached", "SuccessPolicy", "WaitingForItsTime", "ExternalName"),
        *("Waiting", "Switched", "Promoted", "Aborted", "Superseded"),
        *("DesiredWithinRange", "ScaleUpStabilized", "ScaleDownStabilized", "ScaleUpLimit", "ScaleDownLimit"),
        "TooFewReplicas",  # idle at its minimum, which is what a minimum is for
        *("Bound", "Available", "ExternalProvisioning", "SufficientPods", "Building", "RollingOut"),
        *("Tainted", "BuyNode", "KeepNode", "FindNodeIdle"),
    }
)

SWITCHES = {f"{POWER}-": "power-on", f"{PARTITIONED}-": "rejoin"}  # what is taken off a node → the act


def cards_of(client: Client, kind: Kind, namespace: str, name: str) -> list[dict]:
    """The cards, most telling first: those of `why.of_object`, each with `calm`, `act`, what the table of `verdicts`
    needs, and how long ago each ground was. Raises ApiError 404 for an object of which no row is kept."""
    now = client.now()
    told = why.of_object(client, kind, namespace, name, now)
    return [laid_out(card, now) for card in told["cards"]]


def laid_out(card: dict, now: float) -> dict:
    """`now`: in epoch seconds."""
    grounds = [{**one, "ago": human_duration(max(0.0, now - one["time"]))} for one in card["because"]]
    plugins = sorted({plugin for item in card["verdicts"] for plugin in item["scores"]})
    return {
        **card,
        "calm": card["reason"] in CALM,
        "because": grounds[:MOST_GROUNDS],
        "more": max(0, len(grounds) - MOST_GROUNDS),
        "act": act_of(card["help"]["command"]) if card["help"] else None,
        "plugins": [(plugin, SCORES.get(plugin, plugin)) for plugin in plugins],
        "verdicts": [
            {**item, "points": [item["scores"].get(plugin) for plugin in plugins]} for item in card["verdicts"]
        ],
    }


def telling(cards: list[dict], state: str) -> str:
    """What the head of every tab says of it; empty where all is as it should be. Of what is in the `state` ready only
    what something would change: a node that was silent once, and is back, opens as any other."""
    first = cards[0] if cards else None
    return first["answer"] if first and not first["calm"] and (first["help"] or state != "ready") else ""


def act_of(command: str) -> dict | None:
    """`{"do", "row", "words", "form"}`: the act of the board that does what the command does, if it has one; `form` is
    JSON, as a button's `data-with`."""
    words = shlex.split(command)
    namespace = words[-1] if words[-2:-1] == ["-n"] else "default"
    match words[1:]:
        case ["cordon" | "uncordon" as do, node]:
            return _act(do, f"{NODES.resource}/{node}", f"{do.capitalize()} {node}")
        case ["annotate", "node", node, key] if key in SWITCHES:
            return _act(SWITCHES[key], f"{NODES.resource}/{node}", f"Bring {node} back")
        case ["rollout", "undo", of, *_]:
            return _act("undo", _row(of, namespace), "Go back")
        case ["rollout", "resume", of, *_]:
            return _act("resume", _row(of, namespace), "Resume")
        case ["scale", of, replicas, *_] if replicas.removeprefix("--replicas=").isdecimal():
            wanted = int(replicas.removeprefix("--replicas="))
            return _act("scale", _row(of, namespace), f"Scale to {wanted}", replicas=wanted)
        case ["create", "job", _, origin, *_] if origin.startswith("--from=cronjob/"):
            return _act("run-now", f"{CRONJOBS.resource}/{namespace}/{origin.rpartition('/')[2]}", "Start one now")
        case ["patch", kind, name, "--type=merge", "-p", patch, *_]:
            return _patch(kind, namespace, name, json.loads(patch).get("spec"))
    return None


def _patch(kind: str, namespace: str, name: str, spec: dict | None) -> dict | None:
    if kind == WHEELS.singular and spec == {"mode": "Running"}:
        return _act("turn", f"{WHEELS.resource}/{name}", f"Resume {name}", mode="Running")
    if kind == RELEASES.singular:
        of = _row(f"{kind}/{name}", namespace)
        match spec:
            case {"verdict": "Promote" | "Abort" as verdict}:
                return _act(verdict.lower(), of, f"{verdict} {name}")
            case {"paused": False}:
                return _act("hold", of, "Let it go on", pause=False)
    if spec == {"suspend": False}:
        return _act("resume", _row(f"{kind}/{name}", namespace), "Resume")
    return None


def _act(do: str, row: str, words: str, **form: object) -> dict:
    return {"do": do, "row": row, "words": words, "form": json.dumps(form)}


def _row(of: str, namespace: str) -> str:
    """`deployments.apps/default/web` of `deployment/web`, as kubectl has it."""
    singular, _, name = of.partition("/")
    resource = next(kind.resource for kind in BY_RESOURCE.values() if kind.singular == singular)
    return f"{resource}/{join_key(namespace, name)}"
