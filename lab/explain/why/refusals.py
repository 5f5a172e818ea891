"""Why are pods missing? The API server's refusal, as whoever wanted to make them was told."""

import json
import re

from lab.apimachinery.kinds import RESOURCEQUOTAS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.quantity import parse_amount

from ..authors import called
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_spec
from .subject import Subject

# As the API server words it: `lab/apiserver/admission/resourcequota.py`. An Event says whatever somebody wrote into it:
# only its beginning is searched, and for the end of a part, which has no spaces, not one place after another is tried.
MOST_SEARCHED = 2000
SMALL = {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
UNSPECIFIED = re.compile(r"failed quota: ([^ :]+): must specify (.+)")
BEYOND_QUOTA = re.compile(r"exceeded quota: ([^ ]+), requested: ([^ ]+), used: ([^ ]+), limited: ([^ ]+)")


def refused(subject: Subject, said: list[Ground]) -> Card | None:
    """`said`: what tells of it, if anything does; of an Event, only one that tells of a refusal."""
    if not said or said[0].name.startswith("event ") and said[0].name != "event FailedCreate":
        return None
    message, question = said[0].text, "Why are pods missing?"
    beyond = BEYOND_QUOTA.search(message[:MOST_SEARCHED])
    if lacking := UNSPECIFIED.search(message[:MOST_SEARCHED]):
        return _unspecified(subject, said, *lacking.groups())
    if beyond is None:
        answer = f"The API server does not take its pods: {message.partition('is forbidden: ')[2] or message}."
        return Card(question, answer, "FailedCreate", said, Help("Ask for what the message allows."))
    quota, requested, used, limited = beyond.groups()
    answer = (
        f"The API server does not take its pods: quota {quota} of namespace {subject.namespace} allows {limited}, of"
        f" which {used} are used, and one more asks for {requested}."
    )
    help_ = _raise(subject, quota, requested, used)
    if since := _changed(subject, quota, said[0].revision):
        answer = f"The API server did not take its pods: quota {quota} of namespace {subject.namespace} was {limited}."
        answer += f" {since.text} since: the next try follows, later after each failure."
        return Card(question, answer, "FailedCreate", [*said, since], Help("Wait for the next try."))
    return Card(question, answer, "FailedCreate", said, help_)


def _raise(subject: Subject, quota: str, requested: str, used: str) -> Help:
    """By as much as the pods that are missing ask for: `requested` and `used` are told as `cpu=500m,pods=1`."""
    wanted, there = subject.obj["spec"].get("replicas", 1), subject.obj.get("status", {}).get("replicas", 0)
    asked, taken = ({name: parse_amount(amount) for name, amount in _pairs(told)} for told in (requested, used))
    more = max(1, wanted - there)
    hard = {name: amount + asked[name] * more for name, amount in taken.items() if name in asked}
    patch = json.dumps({"spec": {"hard": {name: str(amount) for name, amount in hard.items()}}})
    words = ("patch", RESOURCEQUOTAS.singular, quota, "--type=merge", "-p", patch)
    return Help("Raise the quota, or make room within it.", kubectl(*words, namespace=subject.namespace))


def _pairs(told: str) -> list[tuple[str, str]]:
    return [(name, amount) for name, _, amount in (one.partition("=") for one in told.split(","))]


def _unspecified(subject: Subject, said: list[Ground], quota: str, lacking: str) -> Card:
    """What a quota counts, every container has to say: `requests.cpu for: web,log; limits.memory for: web`."""
    told = [item.partition(" for: ") for item in lacking.split("; ")]
    words = "; ".join(f"{resource}, of which {names.replace(',', ' and ')} says nothing" for resource, _, names in told)
    answer = (
        f"The API server does not take its pods: quota {quota} of namespace {subject.namespace} counts {words}."
        " What is counted, every container has to say."
    )
    return Card("Why are pods missing?", answer, "FailedCreate", said, _say(subject, [item[0] for item in told]))


def _say(subject: Subject, resources: list[str]) -> Help:
    """Amounts that are small: somebody has to choose them."""
    held: dict[str, list[str]] = {}
    for resource in resources:
        which, _, name = resource.rpartition(".")
        held.setdefault(which or "requests", []).append(f"{name}={SMALL.get(name, '1')}")
    words = "Say how much each container asks for, or may take at most."
    if "template" not in subject.obj["spec"]:
        return Help(words)
    flags = [f"--{which}={','.join(amounts)}" for which, amounts in held.items()]
    target = f"{subject.kind.singular}/{subject.name}"
    return Help(words, kubectl("set", "resources", target, *flags, namespace=subject.namespace))


def _changed(subject: Subject, quota: str, asked: int) -> Ground | None:
    """By whom, if the quota is another than when it was asked."""
    it = subject.other(RESOURCEQUOTAS, subject.namespace, quota)
    row = (it.newest if it.gone else of_spec(it, "hard")) if it else None
    if row is None or row["revision"] <= asked:
        return None
    did = "removed" if row["deleted"] else "changed"
    return ground(row, f"{capital(called(row['author']))} has {did} it", f"ResourceQuota {quota}")
