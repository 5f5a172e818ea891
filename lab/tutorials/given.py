"""What counts as an answer to a question. Anybody may write anything into a Lesson, so all go by this. Pure."""

import math
from typing import Any

from .lesson import Question

MOST = 2**63  # nothing that great can be stored, or drawn


def given(question: Question, said: Any) -> str | int | float | None:
    """One of the answers' ids, or a number as it was written, in JSON or in a form; anything else is not given."""
    if question.number:
        return _number(said)
    return said if isinstance(said, str) and any(answer.id == said for answer in question.answers) else None


def _number(said: Any) -> int | float | None:
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    try:
        number = float(said)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or abs(number) >= MOST:
        return None
    return int(number) if number.is_integer() else number
