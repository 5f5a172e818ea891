"""A number of pods, or a share of them in percent: `1`, `"25%"`."""

import re
from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .causes import invalid, not_negative

NOT_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)


def validate_share(share: int | str, path: str) -> Iterator[Cause]:
    if isinstance(share, int):
        yield from not_negative(path, share)
    elif not re.fullmatch("[0-9]{1,9}%", share, re.ASCII):
        yield invalid(path, share, NOT_PERCENT)


def at_most_all(share: int | str, path: str) -> Iterator[Cause]:
    if (_percent(share) or 0) > 100:
        yield invalid(path, share, "must not be greater than 100%")


def is_nothing(share: int | str) -> bool:
    return share == 0 or _percent(share) == 0


def _percent(share: int | str) -> int | None:
    """None: it is no percentage."""
    digits = share.rstrip("%") if isinstance(share, str) else ""
    return int(digits) if digits.isdecimal() else None
