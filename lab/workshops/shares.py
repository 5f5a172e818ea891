"""What one who comes in by the room's door may take of the lab: so many requests, so much in one, so much at once.

By the address where nobody is known yet, by the seat from then on. A class behind one address comes in at once; who
tries passwords or codes does not.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from lab.apimachinery.errors import ApiError, Cause, too_many_requests
from lab.apiserver.access.allowance import too_fast
from lab.apiserver.access.shared import Shared
from lab.httpserver import Scope

BODY_MOST = 256 * 1024
BYTES_A_UNIT = 8 * 1024  # YAML of 256 KiB keeps a thread busy for a second
OPEN_MOST = 32  # websockets, watches and requests under way
DEARER = {
    "/join": 4.0,
    "/staff/sign-in": 60.0,
}  # a password takes a tenth of a second to check: ten tries, then one in 3 s
FILES, FILE = "/static/", 0.1

SEATS = Shared("seats", 20, 200)
ADDRESSES = Shared("addresses", 20, 600)
_open: Counter[str] = Counter()


def check_body(scope: Scope) -> None:
    """Raises ApiError 411 or 413 for what nobody shall read."""
    said = dict(scope["headers"])
    if b"transfer-encoding" in said:
        raise ApiError(411, "LengthRequired", "say how long the body is: Content-Length")
    if _length(scope) > BODY_MOST:
        why = f"Request entity too large: in a workshop limit is {BODY_MOST}; apply your objects in several pieces"
        raise ApiError(413, "RequestEntityTooLarge", why)


def _length(scope: Scope) -> int:
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(said) if said.isdigit() else 0


async def of_address(scope: Scope) -> None:
    """Raises ApiError 429."""
    path, posts = scope["path"], scope.get("method") == "POST"
    cost = FILE if path.startswith(FILES) else DEARER.get(path, 1.0) if posts else 1.0
    await _take(ADDRESSES, (scope.get("client") or ("",))[0], cost)


async def of_seat(scope: Scope, cluster: str) -> None:
    """Raises ApiError 429."""
    await _take(SEATS, cluster, 1.0 + _length(scope) / BYTES_A_UNIT)


async def _take(allowance: Shared, whose: str, cost: float) -> None:
    seconds = allowance.at_hand(whose, cost)
    if seconds is None:
        seconds = await asyncio.to_thread(allowance.wait, whose, cost)
    if seconds:
        raise too_fast(seconds)


@contextmanager
def one_more(cluster: str) -> Iterator[None]:
    """While it is under way. Raises ApiError 429 where there are too many already."""
    if _open[cluster] >= OPEN_MOST:
        why = f"{OPEN_MOST} requests of yours are under way, watches and logs among them: end one"
        raise too_many_requests(f"too many requests: {why}", Cause("", why, "TooManyOpen"), 1)
    _open[cluster] += 1
    try:
        yield
    finally:
        _open[cluster] -= 1
        if not _open[cluster]:
            del _open[cluster]
