"""The questions that a pod raises."""

from collections.abc import Iterator

from .card import Card, ground
from .subject import Subject


def cards(subject: Subject) -> Iterator[Card]:
    yield from _placement(subject)


def _placement(subject: Subject) -> Iterator[Card]:
    row = subject.decision("Schedule")
    if row is None:
        return
    why = row["why"]
    verdicts = [{**item, "chosen": item["node"] == why["chosen"]} for item in why["nodes"]]
    question = f"Why on {why['chosen']}?"
    yield Card(question, "It had the most points.", "Scheduled", [ground(row, "chosen", "Binding")], None, verdicts)
