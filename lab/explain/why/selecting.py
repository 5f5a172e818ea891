"""Labels as a person writes them, and which may be meant where a selector selects nobody. Pure."""

import difflib
from itertools import islice

from lab.apimachinery.jobs import CONTROLLER_UID, OLD_CONTROLLER_UID
from lab.apimachinery.labels import HASH_LABEL, POD_NAME_LABEL, REVISION_LABEL

ALIKE = 0.6  # of a label that may be meant: app=web and app=web-2 are, app=web and app=db are not
MADE = (HASH_LABEL, REVISION_LABEL, POD_NAME_LABEL, CONTROLLER_UID, OLD_CONTROLLER_UID)
MOST_COMPARED, MOST_LABELS = 100, 10  # sets, and of each so many: to find out how alike two are takes its time


def written(held: dict | str) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(held.items())) if isinstance(held, dict) else held


def labels_of(pod: dict) -> dict[str, str]:
    """But for those that controllers make, which nobody selects by."""
    held = pod["metadata"].get("labels") or {}
    return {key: value for key, value in held.items() if key not in MADE}


def nearest(selector: dict[str, str], pods: list[dict]) -> tuple[str, dict[str, str]] | None:
    """The pod that comes closest, and what it has of what is selected, or instead of it: most often the mistake is
    there. None if none is close."""
    names = {tuple(sorted(labels_of(pod).items())): pod["metadata"]["name"] for pod in reversed(pods)}
    best, closest = 0.0, None
    wanted = list(selector.items())[:MOST_LABELS]
    for held, name in islice(names.items(), MOST_COMPARED):
        some = held[:MOST_LABELS]
        pairs = [max(((_alike(pair, other), other, pair) for other in some), default=None) for pair in wanted]
        meant = [one for one in pairs if one and (one[0] >= ALIKE or one[1][0] == one[2][0])]
        close = sum(alike for alike, _, _ in meant)
        if close > best and any(alike >= ALIKE for alike, _, _ in meant):
            best, closest = close, (name, dict(other for _, other, _ in meant))
    return closest


def _alike(one: tuple[str, str], other: tuple[str, str]) -> float:
    """From 0 to 1, which is the same: of key and value the one that is less alike."""
    return min(difflib.SequenceMatcher(None, *pair).ratio() for pair in zip(one, other, strict=True))
