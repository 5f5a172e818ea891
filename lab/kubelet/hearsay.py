"""What the engine's events say of a pod before its list does. Pure.

An event comes within a millisecond and says how a container ended, so nobody has to ask before healing it. It is also
the newer of the two: Docker tells of a death first and brings its list up to date afterwards, and whoever lists at
once sees the dead one running still. Without this such a death would stay unseen until the next slow look.
"""

import dataclasses
from collections.abc import Collection

from lab.runtime import Container, RuntimeEvent, Sandbox


class Hearsay:
    """Of one pod. Some threads note, others apply: each does so in one step."""

    def __init__(self) -> None:
        self._ended: dict[str, RuntimeEvent] = {}  # id of a container or sandbox → the event of its end
        self._out_of_memory: set[str] = set()

    def note(self, event: RuntimeEvent) -> bool:
        """Take an event in; whether it says enough, so that the engine need not be asked."""
        if event.kind == "oom":
            self._out_of_memory.add(event.container_id)
            return True
        if event.kind == "removed":
            return False
        self._ended[event.container_id] = event
        return event.kind == "sandbox-died" or event.exit_code is not None

    def applied_to(self, sandbox: Sandbox) -> Sandbox:
        """The sandbox as it is by now, from an older state of it."""
        containers = tuple(map(self._now, sandbox.containers))
        ready = sandbox.ready and sandbox.id not in self._ended
        if ready == sandbox.ready and containers == sandbox.containers:
            return sandbox
        return dataclasses.replace(sandbox, ready=ready, containers=containers)

    def keep_only(self, ids: Collection[str]) -> None:
        """Forget what was said of anything else: it is no more."""
        for known in set(self._ended) | self._out_of_memory:
            if known not in ids:
                self._ended.pop(known, None)
                self._out_of_memory.discard(known)

    def _now(self, container: Container) -> Container:
        event = self._ended.get(container.id)
        if event is None or event.exit_code is None or container.state != "running":
            return container
        return dataclasses.replace(
            container,
            state="exited",
            exit_code=event.exit_code,
            oom_killed=container.id in self._out_of_memory and event.exit_code != 0,
            finished_at=event.at,
        )
