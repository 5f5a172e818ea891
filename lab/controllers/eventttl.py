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
        old, why = expired(events, time.time() - ttl), {"decision": "Expire", "of": "event-ttl", "seconds": ttl}
        if not old and client.view().guard:
            old, why = crowd(events, MOST_OF_CLASS), {"decision": "TrimHistory", "of": "events", "limit": MOST_OF_CLASS}
        client.delete_these(EVENTS, old[:BATCH], why=lambda event: why)
        return 1.0 if len(old) > BATCH else SWEEP_SECONDS


def expired(events: Iterable[dict], before: float) -> list[dict]:
    """The events that last happened before `before` (seconds since the epoch)."""
    return [event for event in events if parse_time(last_seen(event)) < before]


def crowd(events: list[dict], most: int) -> list[dict]:
    """The events that are more than so many: those that last happened the longest ago, the oldest first."""
    return sorted(events, key=lambda event: parse_time(last_seen(event)))[: max(0, len(events) - most)]


def last_seen(event: dict) -> str:
    """When it last happened; an event's several generations of fields each have their own name for that."""
    series = event.get("series") or {}
    known = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next(filter(None, known), event["metadata"]["creationTimestamp"])
