"""Parts of cells that many kinds share: ages, lists of names, selectors."""

import math

from lab.apimachinery.meta import parse_time
from lab.apimachinery.selectors import format_label_selector

NONE = "<none>"
UNKNOWN = "<unknown>"

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400
UNITS = {"y": YEAR, "d": DAY, "h": HOUR, "m": MINUTE, "s": 1}
# Below how long a duration is told in which units: no more precision than one can use.
TOLD_IN = (
    (2 * MINUTE, "s"),
    (10 * MINUTE, "ms"),
    (3 * HOUR, "m"),
    (8 * HOUR, "hm"),
    (48 * HOUR, "h"),
    (8 * DAY, "dh"),
    (2 * YEAR, "d"),
    (8 * YEAR, "yd"),
    (math.inf, "y"),
)


def human_duration(seconds: float) -> str:
    """Source: `HumanDuration` in k8s.io/apimachinery/pkg/util/duration."""
    if seconds < -1:
        return "<invalid>"
    left, text = max(0, int(seconds)), ""
    for unit in next(units for limit, units in TOLD_IN if left < limit):
        count, left = divmod(left, UNITS[unit])
        text += f"{count}{unit}" if count or not text else ""
    return text


def since(timestamp: str | None, now: float) -> str:
    """How long ago an RFC 3339 time was; `<unknown>` if there is none."""
    return human_duration(now - parse_time(timestamp)) if timestamp else UNKNOWN


def age(obj: dict, now: float) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


def label_selector(selector: dict | None) -> str:
    """A selector as one writes it behind `-l`."""
    return format_label_selector(selector) or NONE


def names_and_images(template: dict) -> tuple[str, str]:
    """The containers of a pod template: their names, and their images, each joined with commas."""
    containers = template.get("spec", {}).get("containers") or ()
    return ",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)
