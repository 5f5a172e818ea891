"""Parts of cells that many kinds share: ages, lists of names, selectors."""

from lab.apimachinery.meta import parse_time
from lab.apimachinery.selectors import format_label_selector

NONE = "<none>"
UNKNOWN = "<unknown>"

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def human_duration(seconds: float) -> str:
    """A duration in at most two units and no more precision than one can use.

    Source: `HumanDuration` in k8s.io/apimachinery/pkg/util/duration.
    """
    if seconds < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 10 * MINUTE:
        return _two(whole, MINUTE, "m", 1, "s")
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR:
        return _two(whole, HOUR, "h", MINUTE, "m")
    if whole < 48 * HOUR:
        return f"{whole // HOUR}h"
    if whole < 8 * DAY:
        return _two(whole, DAY, "d", HOUR, "h")
    if whole < 2 * YEAR:
        return f"{whole // DAY}d"
    if whole < 8 * YEAR:
        return _two(whole, YEAR, "y", DAY, "d")
    return f"{whole // YEAR}y"


def _two(seconds: int, big: int, big_name: str, small: int, small_name: str) -> str:
    rest = seconds % big // small
    return f"{seconds // big}{big_name}" + (f"{rest}{small_name}" if rest else "")


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
