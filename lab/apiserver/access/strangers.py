"""What one request of a stranger may be, and how many are under way: of a learner at the room's door, of their pods at
the TLS port.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lab.apimachinery.errors import ApiError, Cause, too_many_requests

BODY_MOST = 256 * 1024
BYTES_A_UNIT = 8 * 1024  # YAML of 256 KiB keeps a thread busy for a second
OPEN_MOST = 32  # websockets, watches and requests under way
_open: Counter[str] = Counter()  # of this process, and for its event loop alone: threads would miscount


Headers = Iterable[tuple[bytes, bytes]]


def check_body(headers: Headers) -> None:
    """Raises ApiError 411 or 413 for what nobody shall read."""
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise ApiError(411, "LengthRequired", "say how long the body is: Content-Length")
    if _length(headers) > BODY_MOST:
        why = f"Request entity too large: in a workshop limit is {BODY_MOST}; apply your objects in several pieces"
        raise ApiError(413, "RequestEntityTooLarge", why)


def cost_of(headers: Headers) -> float:
    """What a request takes of an allowance."""
    return 1.0 + _length(headers) / BYTES_A_UNIT


def _length(headers: Headers) -> int:
    said = next((value for name, value in headers if name == b"content-length"), b"0")
    return int(said) if said.isdigit() else 0


@contextmanager
def one_more(whose: str) -> Iterator[None]:
    """While it is under way. Raises ApiError 429 where there are too many already."""
    if _open[whose] >= OPEN_MOST:
        why = f"{OPEN_MOST} requests of yours are under way, watches and logs among them: end one"
        raise too_many_requests(f"too many requests: {why}", Cause("", why, "TooManyOpen"), 1)
    _open[whose] += 1
    try:
        yield
    finally:
        _open[whose] -= 1
        if not _open[whose]:
            del _open[whose]
