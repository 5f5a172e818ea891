"""Asking why, and holding what is said against the log."""

import re
from pathlib import Path

import lab
from lab.apimachinery.kinds import Kind
from lab.client import Client
from lab.explain.why import of_object
from lab.store import rows_at

WHY = Path(lab.__file__).with_name("README.md").read_text().partition("\n### Why\n")[2].partition("\n## ")[0]
REASONS = set(re.findall(r"`(\w+)`", WHY.partition("|---|")[2]))


def asked(client: Client, kind: Kind, name: str, namespace: str = "default") -> list[dict]:
    """The cards of one object. Each of their grounds is a row of the log, as its author, time and decision have it."""
    cards = of_object(client, kind, namespace if kind.namespaced else "", name)["cards"]
    assert {card["reason"] for card in cards} <= REASONS  # programs go by them: each is documented
    for ground in (one for card in cards for one in card["because"]):
        (row,) = rows_at(client.cluster, [ground["revision"]])
        assert (ground["author"], ground["time"]) == (row.author, row.time)
        assert ground["decision"] == (row.why or {}).get("decision", "")
        assert ground["text"]
    return cards


def first(client: Client, kind: Kind, name: str, namespace: str = "default") -> dict:
    return asked(client, kind, name, namespace)[0]
