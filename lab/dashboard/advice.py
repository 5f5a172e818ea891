"""Which act of the board does what a card advises as a command of kubectl's, if one does. Pure.

A command that is to be typed with another value than it has, or only read, is no act: it gets no button.
"""

import json
import shlex

from lab.apimachinery.controlplane import PARTITIONED, POWER
from lab.apimachinery.kinds import (
    BY_RESOURCE,
    CRONJOBS,
    INGRESSES,
    JOBS,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    RELEASES,
    RESOURCEQUOTAS,
    SERVICES,
    WHEELS,
)
from lab.apimachinery.meta import join_key

SWITCHES = {f"{POWER}-": "power-on", f"{PARTITIONED}-": "rejoin"}  # what is taken off a node → the act


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
        case ["taint", "node", node, taint] if taint.endswith("-"):
            taint = taint.removesuffix("-")
            return _act("untaint", f"{NODES.resource}/{node}", f"Take {taint} off {node}", taint=taint)
        case ["label", "node", node, *pairs]:
            labels = {"metadata": {"labels": _pairs(pairs)}}
            return _act("amend", f"{NODES.resource}/{node}", f"Label {node} {' '.join(pairs)}", patch=labels)
        case ["rollout", "undo", of, to, *_] if to.startswith("--to-revision="):
            number = int(to.removeprefix("--to-revision="))
            return _act("undo", _row(of, namespace), f"Go back to {number}", revision=number)
        case ["rollout", "undo", of, *_]:
            return _act("undo", _row(of, namespace), "Go back")
        case ["rollout", "resume", of, *_]:
            return _act("resume", _row(of, namespace), "Resume")
        case ["scale", of, replicas, *_] if replicas.removeprefix("--replicas=").isdecimal():
            wanted = int(replicas.removeprefix("--replicas="))
            return _act("scale", _row(of, namespace), f"Scale to {wanted}", replicas=wanted)
        case ["set", "image", of, pair, *_]:
            container, _, image = pair.partition("=")
            return _act("image", _row(of, namespace), f"Roll out {image}", container=container, image=image)
        case ["set", "selector", of, labels, *_]:
            selector = {"op": "add", "path": "/spec/selector", "value": _pairs(labels.split(","))}
            return _act("amend", _row(of, namespace), f"Select {labels}", patch=[selector])
        case ["create", "job", _, origin, *_] if origin.startswith("--from=cronjob/"):
            return _act("run-now", f"{CRONJOBS.resource}/{namespace}/{origin.rpartition('/')[2]}", "Start one now")
        case ["patch", kind, name, "--type=merge", "-p", patch, *_]:
            return _merge(kind, namespace, name, json.loads(patch))
        case ["patch", SERVICES.singular, name, "--type=json", "-p", patch, *_]:
            (change,) = changes = json.loads(patch)
            port = f"Ask at port {change['value']}"
            return _act("amend", _row(f"{SERVICES.singular}/{name}", namespace), port, patch=changes)
        case ["patch", INGRESSES.singular, name, "--type=json", "-p", patch, *_]:
            (change,) = changes = json.loads(patch)
            lead = f"Lead it to {change['value']['name']}, port {change['value']['port']['number']}"
            return _act("amend", _row(f"{INGRESSES.singular}/{name}", namespace), lead, patch=changes)
    return None


def _merge(kind: str, namespace: str, name: str, patch: dict) -> dict | None:
    of = _row(f"{kind}/{name}", namespace)
    match kind, patch["spec"]:
        case WHEELS.singular, {"mode": "Running"}:
            return _act("turn", of, f"Resume {name}", mode="Running")
        case RELEASES.singular, {"verdict": "Promote" | "Abort" as verdict}:
            return _act(verdict.lower(), of, f"{verdict} {name}")
        case RELEASES.singular, {"paused": False}:
            return _act("hold", of, "Let it go on", pause=False)
        case ((JOBS.singular | CRONJOBS.singular), {"suspend": False}):
            return _act("resume", of, "Resume")
    words = _amended(kind, patch["spec"])
    return _act("amend", of, words, patch=patch) if words else None


def _amended(kind: str, spec: dict) -> str:
    """What such a change does, in a few words. Empty for one in which somebody has to choose: how many of a disruption
    budget's pods must stay where nobody can count them (it says both of its numbers), how far an autoscaler may go."""
    match kind, spec:
        case PERSISTENTVOLUMES.singular, {"claimRef": None}:
            return "Let another claim have it"
        case PERSISTENTVOLUMES.singular, {"capacity": {"storage": size}}:
            return f"Make it {size}"
        case PERSISTENTVOLUMES.singular, _ if len(spec) == 1:
            ((field, held),) = spec.items()
            return f"Make its {field} {', '.join(held) if isinstance(held, list) else held or 'none'}"
        case PODDISRUPTIONBUDGETS.singular, {"selector": {"matchLabels": labels}}:
            return f"Select {','.join(f'{key}={held}' for key, held in labels.items() if held is not None)}"
        case PODDISRUPTIONBUDGETS.singular, {"minAvailable": int(), **others} if not others:
            return "Let one more go"
        case PODDISRUPTIONBUDGETS.singular, {"minAvailable": None, "maxUnavailable": int()}:
            return "Let one more go"
        case NODEPOOLS.singular, {"maxNodes": most}:
            return f"Allow it {most} nodes"
        case RESOURCEQUOTAS.singular, {"hard": amounts}:
            return f"Allow {', '.join(f'{name}={amount}' for name, amount in amounts.items())}"
    return ""


def _pairs(labels: list[str]) -> dict[str, str]:
    return dict(label.split("=", 1) for label in labels)


def _act(do: str, row: str, words: str, **form: object) -> dict:
    return {"do": do, "row": row, "words": words, "form": json.dumps(form)}


def _row(of: str, namespace: str) -> str:
    """`deployments.apps/default/web` of `deployment/web`, as kubectl has it."""
    singular, _, name = of.partition("/")
    kind = next(kind for kind in BY_RESOURCE.values() if kind.singular == singular)
    return f"{kind.resource}/{join_key(namespace, name) if kind.namespaced else name}"
