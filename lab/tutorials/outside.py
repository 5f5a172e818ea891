"""What no object says: figures of visitors, answers of services, what `why` says. Reads; changes nothing.

visitors/web failed        requests since the step's acts count: requests, failed, late, pods, versions; the percent
                           that the pods answered who had the least and the most of them: leastShare, mostShare;
                           the percent that did not fail: successRate;
                           over the last ten seconds: rate, errorRate, p50, p95, p99 (milliseconds), and newShare, the
                           percent that went to the new version of the last release
http://loans/loans status  one request now, through the front door: status, body, ms, or .a.path of its JSON;
                           services: whom it passed, by the logs that have its id
why/deployment/web reason  the first card of why: reason, answer
image/orrery/bank:v2 id    of an image that an engine has: exists, id
machine cores              what this machine is, and what a container costs on it (`measuring.FACTS`)
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from lab import metrics
from lab.apimachinery.kinds import RELEASES
from lab.client import Client
from lab.client.images import images
from lab.dashboard.requests import ask, lines_of, make_request, services_of
from lab.explain import why

from . import facts
from .claims import Reading, Subject
from .measuring import FACTS, read_machine

COUNTED = {"requests": "requests", "failed": "errors", "late": "late"}
FLOWING = ("rate", "errorRate", "p50", "p95", "p99", "inFlight")
ANSWERED = ("pods", "versions")
SHARES = ("leastShare", "mostShare", "newShare")
WORDS = {
    "visitors": (*COUNTED, *FLOWING, *ANSWERED, *SHARES, "successRate"),
    "http": ("status", "body", "ms", "services"),
    "why": ("reason", "answer"),
    "image": ("exists", "id"),
    "machine": tuple(FACTS),
}


def is_outside(reading: Reading) -> bool:
    """Whether no object of the cluster says it; what does, can be told of the past too."""
    kind = reading.subject.kind
    return reading.fact in WORDS["visitors"] if kind == "visitors" else kind in WORDS


@dataclass
class Outside:
    """The readings of one step. `baseline`: what had been counted of visitors when acts began to count."""

    client: Client
    baseline: dict[str, dict] = field(default_factory=dict)

    def __call__(self, reading: Reading) -> list[Any] | None:
        """One value, or none at all; None: that is a reading of objects. Raises ValueError for what cannot be meant."""
        if not is_outside(reading):
            return None
        if reading.subject.kind == "visitors":
            return self._visitors(reading)
        if reading.subject.kind == "http":
            return [self._answer(reading)]
        if reading.subject.kind == "image":
            return self._image(reading)
        if reading.subject.kind == "machine":
            figure = read_machine(self.client, reading.fact)
            return [] if figure is None else [figure]
        return self._why(reading)

    def _visitors(self, reading: Reading) -> list[Any]:
        key = f"{reading.subject.namespace}/{reading.subject.name}"
        now = metrics.read(self.client.cluster, metrics.VISITORS).get(key)
        if now is None:
            return [0] if reading.fact in (*COUNTED, *ANSWERED) else []
        before = self.baseline.get(key, {})
        if before.get("epoch") != now["epoch"]:
            before = {}
        if reading.fact in FLOWING:
            return [now[reading.fact]]
        if reading.fact in ANSWERED:
            then = before.get(reading.fact, {})
            return [sum(one["requests"] > then.get(name, 0) for name, one in now[reading.fact].items())]
        if reading.fact == "newShare":
            return self._new_share(reading.subject.namespace, now)
        if reading.fact in SHARES:
            return _share(reading.fact, now, before)
        since = {word: now[field_] - before.get(field_, 0) for word, field_ in COUNTED.items()}
        if reading.fact == "successRate":
            return [100 * (1 - since["failed"] / since["requests"])] if since["requests"] else []
        return [since[reading.fact]]

    def _new_share(self, namespace: str, now: dict) -> list[Any]:
        """Percent. Which version is new, the release says that was made last."""
        releases = self.client.list(RELEASES, namespace)
        newest = max(releases, key=lambda one: one["metadata"]["creationTimestamp"], default={})
        rates = {version: one["rate"] for version, one in now["versions"].items()}
        new, total = rates.get(newest.get("status", {}).get("newRevision", ""), 0), sum(rates.values())
        return [round(100 * new / total, 1)] if total else []

    def _answer(self, reading: Reading) -> Any:
        service, _, path = reading.subject.name.partition("/")
        cluster, namespace, began = self.client.cluster, reading.subject.namespace, time.monotonic()
        if reading.fact == "services":
            id_ = make_request(self.client, namespace, service, f"/{path}")
            return ", ".join(services_of(lines_of(self.client, namespace, id_)))
        try:
            status, body = ask(cluster, "GET", service, namespace, f"/{path}")
        except OSError as error:
            status, body = 0, str(error)
        if reading.fact.startswith("."):
            try:
                return facts.at_path(json.loads(body), reading.fact)
            except ValueError:
                return None
        return {"status": status, "body": body, "ms": round((time.monotonic() - began) * 1000)}.get(reading.fact)

    def _image(self, reading: Reading) -> list[Any]:
        ids = {image["id"] for image in images(self.client) if reading.subject.name in image["names"]}
        return [bool(ids)] if reading.fact == "exists" else sorted(ids)

    def _why(self, reading: Reading) -> list[Any]:
        kind, _, name = reading.subject.name.partition("/")
        meant = Subject(kind, name, reading.subject.labels, reading.subject.namespace)
        of, found = facts.kind_of(kind), facts.find(self.client.view(), meant)
        if of is None or not found:
            return []
        said = why.of_object(self.client, of, found[0]["metadata"].get("namespace", ""), found[0]["metadata"]["name"])
        return [card.get(reading.fact) for card in said["cards"][:1]]


def _share(fact: str, now: dict, before: dict) -> list[Any]:
    """Percent. Nothing as long as nobody has answered."""
    then = before.get("pods", {})
    since = [one["requests"] - then.get(name, 0) for name, one in now["pods"].items()]
    answered = [count for count in since if count > 0]
    chosen = min if fact == "leastShare" else max
    return [round(100 * chosen(answered) / sum(answered), 1)] if answered else []


def counted(cluster: str) -> dict[str, dict]:
    """What has been counted of all visitors so far: the baseline of who begins now."""
    return {
        key: {
            "epoch": one["epoch"],
            **{field_: one[field_] for field_ in COUNTED.values()},
            **{name: {who: each["requests"] for who, each in one[name].items()} for name in ANSWERED},
        }
        for key, one in metrics.read(cluster, metrics.VISITORS).items()
    }
