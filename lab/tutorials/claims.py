"""What a check claims of a cluster, in words that a teacher can write: `deployment/web ready == 3`. Pure.

claim    = reading operator value
reading  = subject fact
subject  = kind/name  |  kind selector  |  kind          deployment/web · pods app=web · nodes
fact     = a word of `facts`  |  .a.path                 ready · .spec.replicas
operator = ==  !=  >=  <=  >  <  in  matches
"""

import re
from dataclasses import dataclass

OPERATORS = ("==", "!=", ">=", "<=", ">", "<", "in", "matches")


@dataclass(frozen=True)
class Reading:
    """`kind` as it was written (pods, deployment, http://ui/loans …), with a name or a selector, or neither."""

    kind: str
    fact: str
    name: str = ""
    labels: str = ""

    def __str__(self) -> str:
        subject = f"{self.kind}/{self.name}" if self.name else f"{self.kind} {self.labels}".rstrip()
        return f"{subject} {self.fact}"


@dataclass(frozen=True)
class Claim:
    reading: Reading
    operator: str
    value: object

    def __str__(self) -> str:
        return f"{self.reading} {self.operator} {self.value}"


def parse(text: str) -> Claim:
    """Raises ValueError, in words that say how it should be written."""
    found = re.fullmatch(rf"\s*(.+?)\s+({'|'.join(OPERATORS)})\s+(.+?)\s*", text)
    if not found:
        raise ValueError(f'"{text}" is no claim; write: <kind>/<name> <fact> <operator> <value>')
    return Claim(parse_reading(found[1]), found[2], found[3])


def parse_reading(text: str) -> Reading:
    """`deployment/web ready`, `pods app=web count`. Raises ValueError, in words that say how it should be written."""
    words = text.split()
    if not 2 <= len(words) <= 3:
        raise ValueError(f'"{text}" is no reading; write: <kind>/<name> <fact>, or <kind> <selector> <fact>')
    kind, _, name = words[0].partition("/") if "://" not in words[0] else (words[0], "", "")
    return Reading(kind, words[-1], name, words[1] if len(words) == 3 else "")
