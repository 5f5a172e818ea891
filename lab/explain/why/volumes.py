"""Which claim has a volume, or why none has it."""

import json
from collections.abc import Iterator
from typing import Any

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.volumes import is_bound, mismatch

from ..authors import called
from ..grounds import because
from . import departures, storage
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_spec, of_value
from .subject import Subject

OTHER_CLASS = "storageClassName does not match"
UNCLAIMED = "Why has no claim got it?"
# What Kubernetes says is wrong with a volume → the field of its spec.
FIELDS = {
    "requested PV is too small": "capacity",
    OTHER_CLASS: "storageClassName",
    "incompatible volumeMode": "volumeMode",
    "incompatible accessMode": "accessModes",
}


def cards(subject: Subject) -> Iterator[Card]:
    """By its phase, which is the reason."""
    spec, phase = subject.obj["spec"], subject.obj.get("status", {}).get("phase")
    ref = spec.get("claimRef") or {}
    if phase == "Bound":
        yield _claimed(subject, ref)
    elif phase == "Released":
        yield _released(subject, ref)
    elif phase == "Available":
        yield _free(subject, ref)


def _claimed(subject: Subject, ref: dict) -> Card:
    row = subject.decision("BindVolume", "ProvisionVolume") or of_spec(subject, "claimRef")
    keeps = subject.obj["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    answer = f"Claim {ref['name']} of namespace {ref['namespace']} has it, for good: when the claim goes, "
    answer += "it stays, with what is on it." if keeps else "it goes too, with what is on it."
    said = [ground(row, because(row["why"]) or f"{called(row['author'])} bound it", "spec.claimRef")] if row else []
    return Card("Which claim has it?", answer, "Bound", said)


def _released(subject: Subject, ref: dict) -> Card:
    """Kubernetes gives it to nobody else by itself: what is on it is the former claim's."""
    grounds = _in_phase(subject, "its claim is gone")
    claim = subject.other(PERSISTENTVOLUMECLAIMS, ref["namespace"], ref["name"])
    answer = f"Its claim {ref['name']} is gone"
    if claim and claim.gone and claim.uid == ref["uid"]:
        row = departures.marked(claim)
        answer = f"{capital(called(row['author']))} removed its claim {ref['name']}"
        grounds.append(ground(row, f"{called(row['author'])} removed it", f"PersistentVolumeClaim {ref['name']}"))
    answer += ". Its reclaim policy Retain keeps it, with what is on it."
    advice = "When what is on it is of no more use, take the reference to its claim away: then another may have it."
    help_ = Help(advice, _patch(subject, {"claimRef": None}))
    return Card("Why does no other claim get it?", answer, "Released", grounds, help_)


def _free(subject: Subject, ref: dict) -> Card:
    """What the claim asks for that could have it: one that names it first, then one of its class."""
    claims = [one for one in subject.client.list(PERSISTENTVOLUMECLAIMS) if _may_mean(one, subject.name, ref)]
    claims.sort(
        key=lambda one: (one["spec"].get("volumeName") != subject.name, mismatch(subject.obj, one) == OTHER_CLASS)
    )
    said = _in_phase(subject, "no claim is bound to it")
    if ref and not claims:
        answer = f"It is kept for claim {ref['name']} of namespace {ref['namespace']}, which does not wait for one."
        said += _declared(subject, "claimRef", f"keeps it for {ref['name']}")
        help_ = Help("Create that claim, or let it be anybody's.", _patch(subject, {"claimRef": None}))
        return Card(UNCLAIMED, answer, "Available", said, help_)
    if not claims:
        return Card(UNCLAIMED, "No claim waits for a volume.", "Available", said, Help("Create a claim that it fits."))
    namespace, name = claims[0]["metadata"]["namespace"], claims[0]["metadata"]["name"]
    it, wrong = subject.other(PERSISTENTVOLUMECLAIMS, namespace, name), mismatch(subject.obj, claims[0])
    answer = f"Claim {name} of namespace {namespace} waits for one, and "
    if it is None:
        return Card(UNCLAIMED, f"{answer}may have it.", "Available", said)
    if not wrong:
        card = next(storage.cards(it))
        return Card(UNCLAIMED, f"{answer}may have it. {card.answer}", "Available", said + card.because, card.help)
    field, spec = FIELDS[wrong], claims[0]["spec"]
    has, asked = subject.obj["spec"].get(field, ""), spec.get(field, "")
    if field == "capacity":
        asked = {"storage": spec["resources"]["requests"]["storage"]}
    answer += f"asks for another: {wrong}. It asks for {_told(asked)}, and this is {_told(has)}."
    said += _declared(it, "resources" if field == "capacity" else field, f"asks for {_told(asked)}")
    said += _declared(subject, field, f"made it {_told(has)}")
    help_ = Help("Make it what is asked for, if it is that.", _patch(subject, {field: asked}))
    return Card(UNCLAIMED, answer, "Available", said, help_)


def _may_mean(claim: dict, volume: str, ref: dict) -> bool:
    """Whether a claim that waits may get this volume, as far as names go."""
    meta, named = claim["metadata"], claim["spec"].get("volumeName")
    kept_for = not ref or (meta["namespace"], meta["name"]) == (ref["namespace"], ref["name"])
    return not is_bound(claim) and kept_for and named in (None, "", volume)


def _in_phase(subject: Subject, words: str) -> list[Ground]:
    row = of_value(subject, lambda obj: obj.get("status", {}).get("phase"))
    return [ground(row, words, "status.phase")] if row else []


def _declared(subject: Subject, field: str, words: str) -> list[Ground]:
    row = of_spec(subject, field)
    return [ground(row, f"{called(row['author'])} {words}", f"spec.{field}")] if row else []


def _told(held: Any) -> str:
    if isinstance(held, dict):
        return str(held["storage"])
    return ", ".join(held) if isinstance(held, list) else str(held or "no class")


def _patch(subject: Subject, spec: dict) -> str:
    return kubectl("patch", PERSISTENTVOLUMES.singular, subject.name, "--type=merge", "-p", json.dumps({"spec": spec}))
