"""How long to wait before what has failed is made anew. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Seconds before the first replacement, doubling with every failure in a row up to the most."""

    first: float
    most: float

    def seconds(self, failures: int) -> float:
        return min(self.first * 2 ** min(failures - 1, 30), self.most) if failures else 0.0

    def left(self, failures: int, last: float, time: float) -> float:
        """What is left at `time` of the pause after so many failures, the last at `last`. A failure from a time to come
        only says that the clock has stepped back."""
        pause = self.seconds(failures)
        return min(max(last + pause - time, 0.0), pause)
