"""The same for every learner of a class, at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, close_old_connections

from lab.apimachinery.errors import ApiError
from lab.client import UnknownCluster
from lab.models import Seat

T = TypeVar("T")
AT_ONCE = 16
# What is told of one learner, while the others have their turn.
FAILURES = (ApiError, UnknownCluster, DatabaseError)


def with_each(seats: Sequence[Seat], act: Callable[[Seat], T]) -> dict[str, T]:
    """cluster → what `act` returned. It must not raise: the others' turn would be lost with it."""

    def alone(seat: Seat) -> T:
        close_old_connections()  # as each thread of Django's does
        try:
            return act(seat)
        finally:
            close_old_connections()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(zip([seat.cluster for seat in seats], threads.map(alone, seats), strict=True))
