"""What the bank does: accounts, loans, payments, and the storage where it is a service. A function for each part.

Each gets a request and the bank, through which alone it reaches the other parts: it cannot know whether they are in
this process or on another machine. That is what lets one code base be a monolith and a suite of services.
"""

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import page
from .messages import Answer, Request, refused
from .storage import Away, Table, change

if TYPE_CHECKING:
    from .bank import Bank

MOST_CENTS = 100_000_000


def ui(request: Request, bank: "Bank") -> Answer:
    """The page. A part that is away leaves a gap in it and a word; the rest is there."""
    if request.path != "/":
        return refused(404, "try / /accounts /accounts/anna /loans /payments /faults /breaker")
    found = {part: bank.call(part, Request("GET", f"/{part}")) for part in ("accounts", "loans", "payments")}
    return Answer(200, page.drawn(found, bank.about(), request.query.get("said", "")))


def accounts(request: Request, bank: "Bank") -> Answer:
    words = request.words
    if request.method == "POST":
        return transfer(request.body, bank) if words == ["accounts", "transfers"] else refused(404, "POST /payments")
    records, _ = bank.storage.read("accounts")
    if len(words) == 1:
        return Answer(200, [{"id": key, **record} for key, record in sorted(records.items())])
    if words[1] not in records:
        return refused(404, f"there is no account {words[1]}")
    # An account shows its loans, so accounts needs loans; without them it shows the rest and says what is missing.
    asked = bank.call("loans", Request("GET", "/loans", {"account": words[1]}))
    loans = {"loans": asked.data} if asked.ok else {"loans": None, "missing": "loans is away"}
    return Answer(200, {"id": words[1], **records[words[1]], **loans})


def transfer(wanted: dict, bank: "Bank") -> Answer:
    """Move money between two accounts, once: who asks again with the same id, not knowing, changes nothing."""
    payer, payee, key = (str(wanted.get(field, "")) for field in ("from", "to", "id"))
    cents = wanted.get("cents")
    if not key or not isinstance(cents, int) or cents <= 0:
        return refused(400, "a transfer has an id of its own, and says how many cents")
    problem: list[Answer] = []

    def edit(records: Table) -> dict[str, Table]:
        problem.clear()
        done, _ = bank.storage.read("transfers")
        if key in done:
            return {}
        missing = [name for name in (payer, payee) if name not in records]
        if missing:
            problem.append(refused(404, f"there is no account {missing[0]}"))
        elif records[payer]["cents"] < cents:
            problem.append(refused(409, f"{payer} has not so much"))
        if problem:
            return {}
        moved = {payer: records[payer]["cents"] - cents, payee: records[payee]["cents"] + cents}
        put = {name: {**records[name], "cents": left} for name, left in moved.items()}
        return {"accounts": put, "transfers": {key: {"from": payer, "to": payee, "cents": cents}}}

    change(bank.storage, "accounts", edit)
    return problem[0] if problem else Answer(200, {"id": key})


def loans(request: Request, bank: "Bank") -> Answer:
    records, _ = bank.storage.read("loans")
    of = request.query.get("account")
    return Answer(
        200, [{"id": key, **record} for key, record in sorted(records.items()) if of in (None, record["account"])]
    )


def payments(request: Request, bank: "Bank") -> Answer:
    if request.method == "GET":
        records, _ = bank.storage.read("payments")
        newest = sorted(records.items(), key=lambda each: each[1]["time"], reverse=True)
        return Answer(200, [{"id": key, **record} for key, record in newest[:20]])
    asked = {**request.query, **request.body}  # in the address too: for whoever has but an address to type
    payer, payee, amount = (str(asked.get(field, "")).strip() for field in ("from", "to", "amount"))
    try:
        cents = round(float(amount) * 100)
    except (ValueError, OverflowError):
        return refused(400, f"an amount is a number, as 12.50, not {amount or 'nothing'}")
    if not 0 < cents <= MOST_CENTS or payer == payee:
        return refused(400, "pay more than nothing, less than a million, and to somebody else")
    payment = {"from": payer, "to": payee, "cents": cents}
    key = str(asked.get("id") or uuid.uuid4().hex[:12])
    moved = bank.call("accounts", Request("POST", "/accounts/transfers", body={"id": key, **payment}))
    if not moved.ok:
        return moved
    payment["time"] = round(time.time(), 3)
    change(bank.storage, "payments", lambda records: {} if key in records else {"payments": {key: payment}})
    return Answer(201, {"id": key, **payment})


def storage(request: Request, bank: "Bank") -> Answer:
    """The contract of storage.py over HTTP."""
    words = request.words
    if request.method == "GET" and len(words) == 2 and words[0] == "tables":
        records, revision = bank.storage.read(words[1])
        return Answer(200, {"records": records, "revision": revision})
    if request.method == "POST" and words == ["changes"]:
        done = bank.storage.write(request.body["changes"], request.body["revision"])
        return Answer(200, {}) if done else refused(409, "somebody else has written since")
    return refused(404, "GET /tables/<table>, POST /changes")


PARTS: dict[str, Callable[[Request, "Bank"], Answer]] = {
    "ui": ui,
    "accounts": accounts,
    "loans": loans,
    "payments": payments,
    "storage": storage,
}


def do(part: str, request: Request, bank: "Bank") -> Answer:
    try:
        return PARTS[part](request, bank)
    except Away as error:
        return refused(503, f"{part} cannot work: {error}")
