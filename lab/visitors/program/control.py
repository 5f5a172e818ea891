"""What the program is told and asked, a line of JSON each over a unix socket, one answer a line:

    {"do": "apply", "visitors": {"<cluster>/<namespace>/<name>": SPEC, …}}     these and no others → {"ok": true, …}
    {"do": "counters"}                                       → {"ok": true, "epoch": …, "visitors": {"<key>": FIGURES}}

SPEC is the spec of a Visitors object with its defaults, `host`: what to ask the front door for, and `uid`: another
object of the same name is counted anew. FIGURES are told in `lab/visitors/__init__.py`. What cannot be done is answered
with {"error": "why"}. Every answer carries the `epoch` of this program: another one has no orders yet.
"""

import asyncio
import json
import time

from .crowd import Crowd

MOST_LINE = 4 * 1024 * 1024


class Control:
    def __init__(self, door: tuple[str, int]):
        self.epoch = time.time()
        self._door = door
        self._crowds: dict[str, Crowd] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its peer has had enough."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:  # it went away, or sent a line without end
            print(f"a controller is hung up on: {error}", flush=True)
        finally:
            writer.close()

    def _answer(self, line: bytes) -> dict:
        try:
            order = json.loads(line)
            verbs = {"apply": self._apply, "counters": self._counters}
            return {"ok": True, "epoch": self.epoch} | verbs[order["do"]](order)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _apply(self, order: dict) -> dict:
        wanted = order["visitors"]
        uids = {key: spec.get("uid", "") for key, spec in wanted.items()}
        for key in [key for key, crowd in self._crowds.items() if uids.get(key) != crowd.uid]:
            self._crowds.pop(key).stop()
        for key, spec in wanted.items():
            if key not in self._crowds:
                self._crowds[key] = Crowd(key, uids[key], self._door)
            self._crowds[key].follow(spec)
        return {}

    def _counters(self, order: dict) -> dict:
        return {"visitors": {key: crowd.shown() for key, crowd in self._crowds.items()}}
