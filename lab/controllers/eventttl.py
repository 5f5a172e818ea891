"""Forgetting events: in Kubernetes they are written with a lease that lets etcd drop them after an hour (--event-ttl).

The log has no leases, so this small loop deletes what is too old, some at a time. In a class, whose clusters take only
so many (`admission/guard.py`), it also makes room for what is new.
"""

import time
from collections.abc import Iterable

from django.conf import settings

from lab.apimachinery.kinds import EVENTS
from lab.apimachinery.meta import parse_time
from lab.client import Change, Client
from lab.client.reconcile import Controller

OLD_EVENTS = "events"
BATCH = 200
MOST_OF_CLASS = 3000  # of 4,000 that are taken: the others are room until it comes round
SWEEP_SECONDS = 60.0


class EventTTLController(Controller):
    """Has one key, and comes round by the clock only."""

    name = "eventttl"
    watches = ()

    def keys(self, change: Change) -> Iterable[str]:
        return ()

    def all_keys(self, client: Client) -> Iterable[str]:
        return (OLD_EVENTS,)

    def sync(self, client: Client, key: str) -> float | None:
        ttl, events = settings.CLOCK["event_ttl"], client.list(EVENTS)
        before = time.time() - ttl
        gone = expired(events, before)
        if client.view().guard:
            gone += crowd([event for event in events if happened(event) >= before], MOST_OF_CLASS)

        def why(event: dict) -> dict:
            if happened(event) < before:
                return {"decision": "Expire", "of": "event-ttl", "seconds": ttl}
            return {"decision": "TrimHistory", "of": "events", "limit": MOST_OF_CLASS}

        client.delete_these(EVENTS, gone[:BATCH], why=why)
        return 1.0 if len(gone) > BATCH else SWEEP_SECONDS


def expired(events: Iterable[dict], before: float) -> list[dict]:
    """The events that last happened before `before` (seconds since the epoch)."""
    return [event for event in events if happened(event) < before]


def crowd(events: list[dict], most: int) -> list[dict]:
    """The events that are more than so many: those that last happened the longest ago, the oldest first."""
    return sorted(events, key=happened)[: max(0, len(events) - most)]


def happened(event: dict) -> float:
    """When it last did, in seconds since the epoch; an event's several generations of fields each have their own name
    for that."""
    series = event.get("series") or {}
    known = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return parse_time(next(filter(None, known), event["metadata"]["creationTimestamp"]))
