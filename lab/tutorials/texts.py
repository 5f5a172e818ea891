"""What was read, in words; and texts with readings in braces: `{deployment/web ready} of 3 are ready`. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .claims import Reading, parse_reading

PLACE = re.compile(r"\{([^{}\n]+)\}")


def shown(read: list[Any]) -> str:
    """`3`, `node-a, node-b`, `nothing`"""
    return ", ".join(map(_one, read)) if read else "nothing"


def _one(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if 99 < value < 100:
            return f"{value:.2f}"  # 99.97 % is not all
        return f"{value:.3g}" if abs(value) < 100 and value % 1 else f"{value:.0f}"
    return str(value)


def filled(text: str, read: Callable[[Reading], list[Any]], known: Mapping[str, str]) -> str:
    """The text with what was read in the place of each reading: from `known` where it is there, else from `read`. What
    cannot be read stays as it was written."""

    def fill(found: re.Match) -> str:
        if found[1] in known:
            return known[found[1]]
        try:
            return shown(read(parse_reading(found[1])))
        except ValueError:
            return found[0]

    return PLACE.sub(fill, text)


def places(text: str) -> list[str]:
    """The readings that a text has in braces, as they are written."""
    return PLACE.findall(text)
