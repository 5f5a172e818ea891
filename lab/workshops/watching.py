"""What all websockets of a workshop show that are open in this process: read once, as long as one of them watches.

`shown` is taken whole and never changed, so a socket keeps what it has sent, and sends the difference.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from channels.db import database_sync_to_async
from django.db import DatabaseError

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0  # after a look that failed


class Gone(Exception):
    """There is no such workshop any more."""


# One thread reads for all of them: SQLite wants few connections, and boards have their own.
_reader = ThreadPoolExecutor(1, "room")
_open: dict[tuple[type, str], "Watched"] = {}


class Watched:
    """Of one workshop. `look` reads what there is, and `more` waits until there may be more."""

    def __init__(self, code: str):
        self.code = code
        self.shown: Any = None  # None: the workshop is gone
        self._wakes: set[asyncio.Event] = set()
        self._task: asyncio.Task | None = None

    def look(self) -> Any:
        """What is to be shown now. Blocks. Raises Gone."""
        raise NotImplementedError

    async def more(self) -> None:
        raise NotImplementedError

    async def _follow(self) -> None:
        while True:
            await self.more()
            before = self.shown
            try:
                await self._read()
            except Gone:
                self.shown = None
            except DatabaseError as error:
                log.warning("the room of %s waits: %s", self.code, error)
                await asyncio.sleep(AGAIN_SECONDS)
            except Exception:  # those who watch must not be left with what was
                log.exception("the room of %s waits", self.code)
                await asyncio.sleep(AGAIN_SECONDS)
            if self.shown != before:
                for wake in self._wakes:
                    wake.set()

    async def _read(self) -> None:
        self.shown = await database_sync_to_async(self.look, thread_sensitive=False, executor=_reader)()

    @classmethod
    @contextlib.asynccontextmanager
    async def watching(cls, code: str, wake: asyncio.Event) -> AsyncIterator[Self]:
        """The one of this process; `wake` is set whenever something is another. Raises Gone."""
        one: Any = _open.setdefault((cls, code), cls(code))
        one._wakes.add(wake)
        try:
            if one._task is None or one.shown is None:
                await one._read()
            if one._task is None:
                one._task = asyncio.create_task(one._follow())
            yield one
        finally:
            one._wakes.discard(wake)
            if not one._wakes:
                _open.pop((cls, code), None)
                if one._task:
                    one._task.cancel()
