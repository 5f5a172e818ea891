"""What goes back and forth, between the bank and its visitors and between its parts."""

import json
from typing import Any, NamedTuple


class Request(NamedTuple):
    """One request, wherever it came from."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: dict = {}

    @property
    def words(self) -> list[str]:
        """`/accounts/anna` → ["accounts", "anna"]."""
        return [word for word in self.path.split("/") if word]


class Answer(NamedTuple):
    status: int
    data: Any  # a text is HTML; all else goes out as JSON

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def kind(self) -> str:
        return "text/html" if isinstance(self.data, str) else "application/json"

    def encoded(self) -> bytes:
        return self.data.encode() if isinstance(self.data, str) else json.dumps(self.data).encode() + b"\n"


def refused(status: int, error: str) -> Answer:
    return Answer(status, {"error": error})
