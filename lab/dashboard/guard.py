"""One object that the board cannot make sense of costs its own row, and not everybody's board."""

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Guard:
    """Of each row it is logged once for each version of its object: the board comes by it again and again."""

    def __init__(self) -> None:
        self._told: dict[str, tuple] = {}  # row id → uid and version of the object that could not be drawn

    def made(self, id_: str, obj: dict | None, make: Callable[[], Result]) -> Result | None:
        """What `make` makes; None where it fails."""
        try:
            made = make()
        except Exception:
            meta = (obj or {}).get("metadata", {})
            version = meta.get("uid"), meta.get("resourceVersion")
            if self._told.get(id_) != version:
                self._told[id_] = version
                log.exception("%s cannot be drawn: the board leaves it out", id_)
            return None
        return made

    def forget(self, id_: str) -> None:
        """It is gone."""
        self._told.pop(id_, None)
