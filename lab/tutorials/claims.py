"""What a check claims of a cluster, in words that a teacher can write: `deployment/web ready == 3`. Pure.

    claim    = reading operator value
    reading  = subject fact
    subject  = kind/name  |  kind selector  |  kind          deployment/web · pods app=web · nodes
               and in another namespace than default         pods app=web in shop
    fact     = a word that `facts` knows  |  .a.path          ready · .spec.replicas
    operator = ==  !=  >=  <=  >  <  in  matches
    value    = a number, true, false, none, a quantity (100m, 64Mi), a list (a, b), or a word

A fact of several objects is a number where it counts (count, ready, nodes), and else must hold of each of them.
"""

import re
from dataclasses import dataclass
from typing import Any

from lab.apimachinery.errors import ApiError
from lab.apimachinery.quantity import parse_quantity

OPERATORS = ("==", "!=", ">=", "<=", ">", "<", "in", "matches")
CONSTANTS: dict[str, Any] = {"true": True, "false": False, "none": None}
CLAIM = re.compile(r"\s*(.+)\s+(==|!=|>=|<=|>|<|in|matches)\s+(.+?)\s*")
SUBJECT = re.compile(r"(?P<kind>\S+)(?P<labels>\s+[^\s=!]+!?=\S+)?(\s+in\s+(?P<namespace>[-a-z0-9]+))?")


@dataclass(frozen=True)
class Subject:
    """`kind` as it was written (pods, deployment, http …), with a name or a selector, or neither: all there are."""

    kind: str
    name: str = ""
    labels: str = ""
    namespace: str = "default"

    def __str__(self) -> str:
        named = f"{self.kind}/{self.name}" if self.name else f"{self.kind} {self.labels}".rstrip()
        return named if self.namespace == "default" else f"{named} in {self.namespace}"


@dataclass(frozen=True)
class Reading:
    subject: Subject
    fact: str

    def __str__(self) -> str:
        return f"{self.subject} {self.fact}"


@dataclass(frozen=True)
class Claim:
    reading: Reading
    operator: str
    value: Any

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.reading} {self.operator} {value}"


def parse(text: str) -> Claim:
    """Raises ValueError, in words that say how it should be written."""
    found = CLAIM.fullmatch(text)
    if not found:
        raise ValueError(f'"{text}" is no claim; write it like: deployment/web ready == 3')
    return Claim(parse_reading(found[1]), found[2], _value(found[2], found[3]))


def parse_reading(text: str) -> Reading:
    """`deployment/web ready`, `pods app=web count`. Raises ValueError, in words that say how it should be written."""
    subject, _, fact = text.strip().rpartition(" ")
    if not subject:
        raise ValueError(f'"{text}" is no reading; write it like: deployment/web ready, or: pods app=web count')
    return Reading(parse_subject(subject), fact)


def parse_subject(text: str) -> Subject:
    """`deployment/web`, `pods app=web in shop`. Raises ValueError, in words that say how it should be written."""
    found = SUBJECT.fullmatch(text.strip())
    if not found:
        raise ValueError(f'"{text}" names nothing; write it like: deployment/web, or: pods app=web')
    kind, slash, name = found["kind"].partition("/")
    if kind in ("http:", "https:"):
        kind, name = "http", name.lstrip("/")
    if slash and not name:
        raise ValueError(f'"{text}": the name after the / is missing')
    return Subject(kind, name, (found["labels"] or "").strip(), found["namespace"] or "default")


def _value(operator: str, text: str) -> Any:
    if operator == "matches":
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f'"{text}" is no pattern: {error}') from None
        return text
    if operator == "in":
        return tuple(_one(word.strip()) for word in text.strip("[]()").split(","))
    return _one(text)


def _one(text: str) -> Any:
    if text in CONSTANTS:
        return CONSTANTS[text]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    number = as_number(text)
    return text if number is None else number


def as_number(value: Any) -> float | None:
    """Of a number, or of a quantity as Kubernetes writes it; None of anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(parse_quantity(str(value)))
    except ApiError:
        return None


def holds(claim: Claim, read: Any) -> bool:
    """Whether what was read is as it is claimed. Nothing (None) is like none, and like nothing else."""
    if claim.operator == "==":
        return _same(read, claim.value)
    if claim.operator == "!=":
        return not _same(read, claim.value)
    if claim.operator == "in":
        return any(_same(read, one) for one in claim.value)
    if claim.operator == "matches":
        return read is not None and re.search(claim.value, str(read)) is not None
    left, right = as_number(read), as_number(claim.value)
    if left is None or right is None:
        return False
    return {">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right}[claim.operator]


def _same(read: Any, value: Any) -> bool:
    if isinstance(read, bool) or isinstance(value, bool) or read is None or value is None:
        return read is value or read == value
    left, right = as_number(read), as_number(value)
    return left == right if left is not None and right is not None else str(read) == str(value)
