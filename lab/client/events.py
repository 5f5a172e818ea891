"""The event recorder: Events tell people what the cluster did. They are hints for eyes; no controller acts on one.

As in client-go an event that happens again is counted on the object it already has, so that a crash loop does not
bury everything else; and where ten of a kind differ in their words alone, such as the names of pods that cannot be
made, all others are counted on one more. Source: EventAggregator in k8s.io/client-go/tools/record/events_cache.go.
"""

import copy
import hashlib
import threading
import time
from collections import OrderedDict

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import EVENTS, NODES
from lab.apiserver import registry
from lab.apiserver.registry import Put
from lab.apiserver.request import Request

SIMILAR = 10  # events that differ in their words alone, before they are taken together
SIMILAR_SECONDS = 600.0  # after so long without one they are no longer like those before
REMEMBERED = 4096  # kinds of events of which this process knows how many there were
COMBINED = "(combined from similar events): "
Happening = tuple[dict, str, str, str]  # object, Normal | Warning, reason, message


class Similar:
    """The names of events that are alike, by what they have in common. Of this process alone: it only spares room."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, set[str]]] = OrderedDict()
        self._lock = threading.Lock()

    def are_many(self, alike: str, name: str) -> bool:
        """Note one of that name; whether it is one too many."""
        now = time.monotonic()
        with self._lock:
            last, names = self._known.pop(alike, (now, set()))
            names = names if now - last < SIMILAR_SECONDS else set()
            many = len(names) >= SIMILAR and name not in names
            if not many:
                names.add(name)
            self._known[alike] = now, names
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return many


_similar = Similar()


class EventRecorder:
    """Writes events in the name of one component."""

    def __init__(self, component: str):
        self.component = component

    def record(self, req: Request, happened: list[Happening]) -> None:
        """Store or count them, in one transaction. That a namespace on its way out takes no more is no error."""
        view = req.view()
        puts: dict[str, Put] = {}
        for obj, kind, reason, message in happened:
            name, alike = self._name(obj, kind, reason, message), self._name(obj, kind, reason)
            if _similar.are_many(alike, name):
                name, message = alike, COMBINED + message
            old = puts[name].object if name in puts else view.get(EVENTS.resource, _home(obj), name)
            event = self._again(old, message) if old else self._first(name, obj, kind, reason, message)
            # Where nothing else made us act, the newest that we knew of the object did.
            about = int(obj["metadata"].get("resourceVersion") or 0)
            puts[name] = Put(EVENTS, event, cause=req.cause or about)
        self._write(req, list(puts.values()))

    def _write(self, req: Request, puts: list[Put]) -> None:
        try:
            registry.write(req, puts)
        except ApiError as error:
            if error.code not in (403, 404, 409):
                raise
            if len(puts) > 1:  # all or nothing: the others are not to be lost with the one that is refused
                for put in puts:
                    self._write(req, [put])

    def _name(self, obj: dict, *happened: str) -> str:
        """The same happening to the same object has the same name."""
        text = "\0".join((obj["metadata"].get("uid", ""), self.component, *happened))
        return f"{obj['metadata']['name'][:200]}.{hashlib.sha1(text.encode()).hexdigest()[:16]}"

    def _again(self, old: dict, message: str) -> dict:
        event = copy.deepcopy(old)
        event["message"] = message
        event["count"] = event.get("count", 1) + 1
        event["lastTimestamp"] = meta.now()
        return event

    def _first(self, name: str, obj: dict, kind: str, reason: str, message: str) -> dict:
        of = obj["metadata"]
        involved = {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "name": of["name"],
            "namespace": of.get("namespace"),
            "uid": of.get("uid"),
            "resourceVersion": of.get("resourceVersion"),
        }
        now, host = meta.now(), _host(self.component, obj)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": _home(obj)},
            "involvedObject": {field: value for field, value in involved.items() if value},
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self.component} | ({"host": host} if host else {}),
            "reportingComponent": self.component,
            "reportingInstance": host,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "eventTime": None,
        }


def _host(component: str, obj: dict) -> str:
    """Of what a kubelet tells, its node; the other components are of none."""
    if component != "kubelet":
        return ""
    return obj["metadata"]["name"] if obj["kind"] == NODES.kind else (obj.get("spec") or {}).get("nodeName", "")


def _home(obj: dict) -> str:
    """Events of objects without a namespace live in `default`, as in Kubernetes."""
    return obj["metadata"].get("namespace") or "default"
