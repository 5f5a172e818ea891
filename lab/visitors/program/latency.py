"""Latencies in buckets that grow by an eighth of an octave, as HdrHistogram does: percentiles to within five percent,
for the price of one addition an answer, and buckets of several seconds or versions add up. Pure."""

import math
from collections.abc import Iterable, Mapping

LEAST_MS = 0.1  # all that is faster is in the first bucket
AN_OCTAVE = 8

Buckets = Mapping[int, int]  # number of the bucket → how many answers


def bucket(milliseconds: float) -> int:
    return int(math.log2(milliseconds / LEAST_MS) * AN_OCTAVE) if milliseconds > LEAST_MS else 0


def added(several: Iterable[Buckets]) -> dict[int, int]:
    total: dict[int, int] = {}
    for buckets in several:
        for number, count in buckets.items():
            total[number] = total.get(number, 0) + count
    return total


def percentiles(buckets: Buckets) -> dict[str, float | None]:
    """p50, p95 and p99 in milliseconds; None where nothing was answered."""
    return {f"p{percent}": _percentile(buckets, percent / 100) for percent in (50, 95, 99)}


def _percentile(buckets: Buckets, share: float) -> float | None:
    left = math.ceil(sum(buckets.values()) * share)
    for number in sorted(buckets):
        left -= buckets[number]
        if left <= 0:
            return round(LEAST_MS * 2 ** ((number + 0.5) / AN_OCTAVE), 2)
    return None
