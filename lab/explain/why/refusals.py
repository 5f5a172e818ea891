"""Why are pods missing? The API server's refusal, as whoever wanted to make them was told."""

import re

from lab.apimachinery.kubectl import kubectl

from .card import Card, Ground, Help
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
    return Card(question, answer, "FailedCreate", said, Help("Raise the quota, or make room within it.", edit))
