"""The questions that a pod raises, in the order in which one asks them."""

from collections.abc import Iterator

from lab.apimachinery.pods import is_finished

from . import containers, crashes, placement, traffic
from .card import Card
from .subject import Subject


def cards(subject: Subject) -> Iterator[Card]:
    pod = subject.obj
    if not pod["spec"].get("nodeName"):
        yield from placement.cards(subject)
        return
    if is_finished(pod):
        yield from crashes.ended(subject)
    elif not subject.gone:
        yield from containers.cards(subject)
        yield from traffic.cards(subject)
    yield from crashes.restarted(subject)
    yield from placement.cards(subject)
