"""The bank's page: `page.html` with its gaps filled in. The file that a learner edits and ships has only those gaps."""

import os
import time
from collections.abc import Callable
from html import escape

from .messages import Answer

ACCENTS = {"v1": "#0f766e", "v2": "#b45309"}
FILE = os.environ.get("PAGE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.html")


def drawn(found: dict[str, Answer], about: dict, said: str) -> str:
    accounts = found["accounts"].data if found["accounts"].ok else []
    choices = [f'<option value="{escape(a["id"])}">{escape(a["owner"])}</option>' for a in accounts]
    gaps = {
        **{key: escape(value) for key, value in about.items()},
        "accent": ACCENTS.get(about["version"], "#6d28d9"),
        "said": f'<p class="said" role="status">{escape(said)}</p>' if said else "",
        "accounts": _table("accounts", found["accounts"], lambda a: (a["owner"], money(a["cents"]))),
        "loans": _table("loans", found["loans"], lambda a: (f"{a['account']}: {a['purpose']}", money(a["cents"]))),
        "payments": _table("payments", found["payments"], _payment),
        "choices": "".join(choices),
        "others": "".join(reversed(choices)),
    }
    with open(FILE, encoding="utf-8") as file:
        text = file.read()
    for name, value in gaps.items():
        text = text.replace("{" + name + "}", value)
    return text


def money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _payment(payment: dict) -> tuple[str, str]:
    at = time.strftime("%H:%M:%S", time.gmtime(payment["time"]))
    return f"{at} {payment['from']} → {payment['to']}", money(payment["cents"])


def _table(part: str, answer: Answer, row: Callable[[dict], tuple[str, str]]) -> str:
    """The part's rows, or the word that it is away: never an empty place that nobody can explain."""
    if not answer.ok:
        return f'<p class="away"><b>{part} is away just now.</b> {escape(str(answer.data["error"]))}</p>'
    rows = "".join("<tr><td>{}<td>{}".format(*map(escape, row(each))) for each in answer.data)
    return f"<table>{rows}</table>" if rows else '<p class="none">none yet</p>'
