"""What an instructor says to one learner, in words, at a step: it stands in their Lesson. Pure.

The annotation is a list in JSON, oldest first: `[{"step", "text", "by", "time", "hint"}]`;
`hint`: whether it helps, and does not only say what was done to them.
"""

import json

from lab.dashboard.lessonrows import TOLD

MOST_KEPT = 20
AGAIN_SECONDS = 10.0  # within which the same words are one press of a button more


def told_in(obj: dict, step: str) -> list[dict]:
    """What was said at a step. What a learner has written there themselves and is no list of it, is nothing."""
    return [one for one in _all(obj) if one.get("step") == step]


def _all(obj: dict) -> list[dict]:
    try:
        found = json.loads(obj["metadata"].get("annotations", {}).get(TOLD, "[]"))
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_new(one: dict, now: float) -> bool:
    at = one.get("time")
    return isinstance(at, int | float) and at > now - AGAIN_SECONDS  # not subtracted: anybody may write 10⁴⁰⁰ there


def telling(obj: dict, step: str, text: str, by: str, now: float, hint: bool = True) -> dict:
    """The Lesson, with one thing more that is said; what the same one has just said at that step is said."""
    before, same = _all(obj), {"step": step, "text": text, "by": by}
    if any(same.items() <= one.items() and _is_new(one, now) for one in before):
        return obj
    said = [*before, {"step": step, "text": text, "by": by, "time": now, "hint": hint}][-MOST_KEPT:]
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "annotations": {**meta.get("annotations", {}), TOLD: json.dumps(said)}}}
