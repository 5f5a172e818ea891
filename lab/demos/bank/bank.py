"""One process of the bank: the parts that it is, and the way to those that it is not."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from . import storage
from .breaker import Breaker
from .faults import Faults
from .log import current_id, log
from .messages import Answer, Request, refused
from .parts import PARTS, do

FACES = ("bank", "ui")  # what visitors see: these pass on what belongs to others


class Bank:
    def __init__(self, environment: Mapping[str, str]):
        self.part = environment.get("PART", "bank")
        self.parts = tuple(PARTS) if self.part == "bank" else (self.part,)
        self.version = environment.get("VERSION", "v1")
        self.pod = environment.get("POD_NAME") or environment.get("HOSTNAME", "")
        self._environment = environment
        self.faults = Faults(environment.get("FAULTS", ""))
        self.breakers = {part: Breaker(environment.get("BREAKER") == "on") for part in PARTS if part != "ui"}
        self._urls = {part: environment.get(f"{part.upper()}_URL", f"http://{part}").rstrip("/") for part in PARTS}
        self._timeout = float(environment.get("TIMEOUT_SECONDS", "10"))
        where = environment.get("STORE", "memory")
        if where.startswith("http"):
            self._urls["storage"] = where
            kept = f"by {where}"
            self.storage: storage.Storage = storage.Remote(self._ask_storage)
        else:
            self.storage, kept = storage.opened(where)
        log("info", **self.about(), message=f"records are kept {kept}")

    def about(self) -> dict:
        """Who speaks, on every line of the log."""
        return {"service": self.part, "pod": self.pod, "version": self.version}

    def forget(self) -> None:
        """Be as at the start, whatever it was told since."""
        before, self.faults = self.faults, Faults(self._environment.get("FAULTS", ""))
        before.end()
        for breaker in self.breakers.values():
            breaker.turn(self._environment.get("BREAKER") == "on")
        self.storage.forget()
        log("info", **self.about(), message="told to begin anew: faults, breakers and records are as at the start")

    def owner(self, request: Request) -> str:
        """The part that a path belongs to."""
        first = request.words[0] if request.words else "ui"
        if self.part == "storage":
            return "storage"
        return first if first in ("accounts", "loans", "payments") else "ui"

    def answer(self, request: Request) -> Answer:
        """What a visitor, or another part, is told."""
        switches = {"faults": self._faults, "breaker": self._breaker}
        first = request.words[0] if request.words else ""
        if first in switches:
            return self._switch(first, request, switches[first])
        part = self.owner(request)
        if part not in self.parts and self.part not in FACES:
            return refused(404, f"this is {self.part}, which has no {request.path}")
        return self.call(part, request)

    def call(self, part: str, request: Request) -> Answer:
        """Ask a part: a function call where it is in this process, and a request over the network where it is not."""
        if part in self.parts:
            return self.faults.strike(part) or do(part, request, self)
        breaker = self.breakers.get(part) or Breaker()
        if not breaker.allows():
            return refused(503, f"{part} is not asked for a while: the circuit breaker is open")
        begun, before = time.monotonic(), breaker.state
        answer = self._ask(part, request)
        breaker.done(answer.status < 500, time.monotonic() - begun)
        if breaker.state != before:
            words = f"the circuit breaker towards {part} is {breaker.state}"
            log("warning", **self.about(), message=words)
        return answer

    def _ask(self, part: str, request: Request) -> Answer:
        query = f"?{urlencode(request.query)}" if request.query else ""
        body = json.dumps(request.body).encode() if request.method == "POST" else None
        asked = urllib.request.Request(f"{self._urls[part]}{request.path}{query}", body, method=request.method)
        asked.add_header("X-Request-Id", current_id())
        asked.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(asked, timeout=self._timeout) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            return refused(error.code, _words(error, part))
        except (OSError, ValueError, http.client.HTTPException) as error:  # no such name, too slow; no JSON; cut off
            return refused(503, f"{part} is away: {getattr(error, 'reason', None) or error}")

    def _ask_storage(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        answer = self.call("storage", Request(method, path, body=body))
        return answer.status, answer.data

    def _switch(self, name: str, request: Request, local: Callable[[Request, str], Answer]) -> Answer:
        """A switch of `?part=`: thrown here, or passed on to whoever is that part."""
        part = request.query.get("part", "" if self.part == "bank" else self.part)
        if part and part not in PARTS:
            return refused(404, f"there is no part {part}; there are {', '.join(PARTS)}")
        if part and part not in self.parts:
            return self._ask(part, request)
        return local(request, part)

    def _faults(self, request: Request, part: str) -> Answer:
        answer = self.faults.asked(request, part)
        return Answer(answer.status, {**self.about(), **answer.data})

    def _breaker(self, request: Request, part: str) -> Answer:
        if request.method == "POST":
            on = request.query.get("on", "on") != "off" and "off" not in request.query
            for breaker in self.breakers.values():
                breaker.turn(on)
        towards = {name: breaker.told() for name, breaker in self.breakers.items() if name not in self.parts}
        return Answer(200, {**self.about(), "on": any(b.on for b in self.breakers.values()), "towards": towards})


def _words(error: urllib.error.HTTPError, part: str) -> str:
    try:
        return json.load(error)["error"]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return f"{part} failed"
