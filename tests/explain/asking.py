"""Asking why, and holding what is said against the log."""

from lab.apimachinery.kinds import Kind
from lab.client import Client
from lab.explain.why import of_object
from lab.store import rows_at


def asked(client: Client, kind: Kind, name: str, namespace: str = "default") -> list[dict]:
    """The cards of one object. Each of their grounds is a row of the log, as its author, time and decision have it."""
    cards = of_object(client, kind, namespace if kind.namespaced else "", name)["cards"]
    for ground in (one for card in cards for one in card["because"]):
        (row,) = rows_at(client.cluster, [ground["revision"]])
        assert (ground["author"], ground["time"]) == (row.author, row.time)
        assert ground["decision"] == (row.why or {}).get("decision", "")
        assert ground["text"]
    return cards


def first(client: Client, kind: Kind, name: str, namespace: str = "default") -> dict:
    return asked(client, kind, name, namespace)[0]
