"""Faults to switch on, for each part: what goes wrong in real programs, on demand.

crash          the process ends when that part is asked
error          it answers 500
slow=800       it takes so many milliseconds more
leak           each request to it keeps 4 MiB for ever
never-ready    /readyz says no: no Service sends anybody here
ignore-sigterm it does not go when it is asked to

`FAULTS=loans:slow=800,loans:error` from the start, or `POST /faults?part=loans&slow=800`, `&slow=off`, `&clear`;
without a part it is one of all parts in the process. What was switched on while it ran is forgotten with the process.
"""

import os
import threading

from .messages import Answer, Request, refused

NAMES = ("crash", "error", "slow", "leak", "never-ready", "ignore-sigterm")
LEAK_BYTES = 4 << 20
OFF = ("off", "false", "no", "0")


class Faults:
    """Which are on: part → fault → value."""

    def __init__(self, text: str = ""):
        """Raises ValueError for what is no fault."""
        self.on: dict[str, dict[str, str]] = {}
        self._leaked: list[bytes] = []
        self._over = threading.Event()
        for word in filter(None, text.replace(" ", "").split(",")):
            part, _, fault = word.rpartition(":")
            name, _, value = fault.partition("=")
            self.switch(part, name, value or "on")

    def switch(self, part: str, name: str, value: str) -> None:
        if name not in NAMES:
            raise ValueError(f"{name} is no fault; there are {', '.join(NAMES)}")
        if name == "slow" and value not in OFF and not value.isdigit():
            raise ValueError(f"slow is a number of milliseconds, not {value}")
        of_part = self.on.setdefault(part, {})
        of_part[name] = value
        if value in OFF:
            del of_part[name]

    def has(self, name: str, *parts: str) -> str:
        """The fault's value if it is on for one of these parts, or for every part; else ""."""
        return next((self.on[part][name] for part in (*parts, "") if name in self.on.get(part, {})), "")

    def strike(self, part: str) -> Answer | None:
        """What the faults do to a request to `part`: an answer in its place, or nothing but damage."""
        if milliseconds := self.has("slow", part):
            self._over.wait(int(milliseconds) / 1000)
        if self.has("leak", part):
            self._leaked.append(b"x" * LEAK_BYTES)
        if self.has("crash", part):
            print(f'{{"level": "fatal", "message": "{part} crashes, and this process with it"}}', flush=True)
            os._exit(1)
        if self.has("error", part):
            return refused(500, f"{part} has failed: its fault `error` is switched on")
        return None

    def end(self) -> None:
        """Let go of whoever is being slowed down."""
        self._over.set()

    def told(self) -> dict:
        return {part or "every part": dict(faults) for part, faults in self.on.items() if faults}

    def asked(self, request: Request, part: str) -> Answer:
        """GET shows them, POST switches them: `?slow=800&error`."""
        if request.method == "POST":
            wanted = {name: value or "on" for name, value in request.query.items() if name != "part"}
            if wanted.pop("clear", None):
                self.on.clear()
                self._leaked.clear()
            try:
                for name, value in wanted.items():
                    self.switch(part, name, value)
            except ValueError as error:
                return refused(400, str(error))
        return Answer(200, {"faults": self.told(), "leakedBytes": len(self._leaked) * LEAK_BYTES})
