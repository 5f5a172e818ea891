"""Why are pods missing? The API server's refusal, as whoever wanted to make them was told."""

import re

from lab.apimachinery.kinds import RESOURCEQUOTAS
from lab.apimachinery.kubectl import kubectl

from ..authors import called
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_spec
from .subject import Subject

# As the API server words it: `lab/apiserver/admission/resourcequota.py`.
BEYOND_QUOTA = re.compile(r"exceeded quota: (.+?), requested: (.+?), used: (.+?), limited: (.+)")


def refused(subject: Subject, said: list[Ground]) -> Card | None:
    """`said`: what tells of it, if anything does; of an Event, only one that tells of a refusal."""
    if not said or said[0].name.startswith("event ") and said[0].name != "event FailedCreate":
        return None
    message, question = said[0].text, "Why are pods missing?"
    beyond = BEYOND_QUOTA.search(message)
    if beyond is None:
        answer = f"The API server does not take its pods: {message.partition('is forbidden: ')[2] or message}."
        return Card(question, answer, "FailedCreate", said, Help("Ask for what the message allows."))
    quota, requested, used, limited = beyond.groups()
    answer = (
        f"The API server does not take its pods: quota {quota} of namespace {subject.namespace} allows {limited}, of"
        f" which {used} are used, and one more asks for {requested}."
    )
    edit = kubectl("edit", "resourcequota", quota, namespace=subject.namespace)
    help_ = Help("Raise the quota, or make room within it.", edit)
    if since := _changed(subject, quota, said[0].revision):
        answer = f"The API server did not take its pods: quota {quota} of namespace {subject.namespace} was {limited}."
        answer += f" {since.text} since: the next try follows, later after each failure."
        return Card(question, answer, "FailedCreate", [*said, since], Help("Wait for the next try."))
    return Card(question, answer, "FailedCreate", said, help_)


def _changed(subject: Subject, quota: str, asked: int) -> Ground | None:
    """By whom, if the quota is another than when it was asked."""
    it = subject.other(RESOURCEQUOTAS, subject.namespace, quota)
    row = (it.newest if it.gone else of_spec(it, "hard")) if it else None
    if row is None or row["revision"] <= asked:
        return None
    did = "removed" if row["deleted"] else "changed"
    return ground(row, f"{capital(called(row['author']))} has {did} it", f"ResourceQuota {quota}")
