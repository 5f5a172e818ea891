"""The whole data plane: what is wanted, the sockets, and the engine that serves them."""

import asyncio
import logging
from typing import Protocol

from .listeners import Listeners
from .plan import Plan, merge
from .scopes import Scopes

log = logging.getLogger(__name__)


class Engine(Protocol):
    """What serves: HAProxy, or our own."""

    name: str

    async def apply(self, plan: Plan, sockets: dict) -> None:
        """From now on serve this; connections that are open go on. Raises OSError or ValueError if it cannot."""

    async def counters(self) -> dict:
        """scope → backend → server → counters, which only grow."""

    async def stop(self) -> None: ...


class Plane:
    def __init__(self, scopes: Scopes, listeners: Listeners, engine: Engine):
        self._scopes = scopes
        self.listeners = listeners
        self.engine = engine
        self.plan = Plan()
        self._lock = asyncio.Lock()
        self._wanted = self._done = 0

    async def start(self) -> None:
        """Serve what was wanted last. Raises OSError or ValueError where the engine cannot be used."""
        try:
            merge(self._scopes.desired)
        except ValueError as error:  # kept by another version of this program
            log.warning("what was kept cannot be served: %s", error)
            self._scopes.desired = {}
        await self._sync()

    async def apply(self, scope: str, desired: dict) -> dict[str, str]:
        """Returns when it is so; which addresses could not be listened on, and why. Raises ValueError."""
        merge({scope: desired})  # a wrong word of one cluster must not stand in the way of the others
        self._scopes.put(scope, desired)
        await self._sync()
        mine = {f"{each['address']}:{each['port']}" for each in desired.get("listeners", ())}
        return {place: why for place, why in self.listeners.refused.items() if place in mine}

    async def _sync(self) -> None:
        """One after the other; who asks while another is at work shares the next turn with all who wait."""
        self._wanted += 1
        mine = self._wanted
        async with self._lock:
            if self._done >= mine:
                return
            current = self._wanted
            plan = merge(self._scopes.desired)
            sockets = self.listeners.wanted(plan)
            await self.engine.apply(plan, sockets)
            self.listeners.drop(plan)
            self.plan = plan
            self._done = current
