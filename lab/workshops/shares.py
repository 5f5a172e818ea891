"""What one who comes in by the room's door may take of the lab: so many requests, so much in one, so much at once.

By the address where nobody is known yet, by the seat from then on. A class behind one address comes in at once; who
tries passwords or codes does not.
"""

import asyncio

from lab.apiserver.access.allowance import too_fast
from lab.apiserver.access.shared import Shared
from lab.apiserver.access.strangers import cost_of
from lab.httpserver import Scope

DEARER = {
    "/join": 4.0,
    "/staff/sign-in": 60.0,
}  # a password takes a tenth of a second to check: ten tries, then one in 3 s
FILES, FILE = "/static/", 0.1

SEATS = Shared("seats", 20, 200)
ADDRESSES = Shared("addresses", 20, 600)


async def of_address(scope: Scope) -> None:
    """Raises ApiError 429."""
    path, posts = scope["path"], scope.get("method") == "POST"
    cost = FILE if path.startswith(FILES) else DEARER.get(path, 1.0) if posts else 1.0
    await _take(ADDRESSES, (scope.get("client") or ("",))[0], cost)


async def of_seat(scope: Scope, cluster: str) -> None:
    """Raises ApiError 429."""
    await _take(SEATS, cluster, cost_of(scope["headers"]))


async def _take(allowance: Shared, whose: str, cost: float) -> None:
    seconds = allowance.at_hand(whose, cost)
    if seconds is None:
        seconds = await asyncio.to_thread(allowance.wait, whose, cost)
    if seconds:
        raise too_fast(seconds)
