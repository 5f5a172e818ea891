"""Counting: totals, the last ten seconds, and a point for each second."""

import random

import pytest

from lab.visitors.program.figures import Figures, Outcome
from lab.visitors.program.latency import added, bucket, percentiles


def seen(figures: Figures, now: float) -> dict:
    return figures.shown(now, in_flight=0)


def answered(milliseconds: float = 10.0, **fields) -> Outcome:
    return Outcome("id", status=200, pod="web-1", version="v1", milliseconds=milliseconds, **fields)


@pytest.mark.parametrize("spread", [lambda: random.expovariate(0.1), lambda: random.uniform(0.2, 3000)])
def test_a_percentile_is_within_five_percent(spread):
    samples = sorted(max(spread(), 0.2) for _ in range(1000))
    told = percentiles(added({bucket(one): 1} for one in samples))
    for percent in (50, 95, 99):
        assert told[f"p{percent}"] == pytest.approx(samples[percent * 10 - 1], rel=0.05)


def test_a_second_is_a_point_once_it_is_over():
    figures = Figures(100.2)
    figures.count(answered(), 100.5)
    assert seen(figures, 100.9)["series"]["requests"] == []
    assert seen(figures, 101.1)["series"]["requests"] == [1]
    figures.count_late(3, 103.5)
    series = seen(figures, 104.0)["series"]
    assert (series["requests"], series["late"]) == ([1, 0, 0, 0], [0, 0, 0, 3])
    assert series["p95"][0] == pytest.approx(10, rel=0.05)
    assert series["p95"][1] is None


def test_sixty_points_are_kept_however_long_nothing_was_seen():
    figures = Figures(0.0)
    figures.count(answered(), 0.5)
    figures.count(answered(), 7000.5)
    series = seen(figures, 7001.0)["series"]
    assert (len(series["requests"]), sum(series["requests"])) == (60, 1)
    assert seen(figures, 7001.0)["requests"] == 2


def test_the_last_ten_seconds_forget_and_the_totals_do_not():
    figures = Figures(0.0)
    for _ in range(20):
        figures.count(answered(), 0.5)
    now = seen(figures, 1.0)
    assert (now["rate"], now["versions"]["v1"]["rate"], now["p50"]) == (2.0, 2.0, pytest.approx(10, rel=0.05))
    later = seen(figures, 11.5)
    assert (later["rate"], later["p50"], later["versions"]["v1"]["rate"]) == (0.0, None, 0.0)
    assert later["requests"] == later["versions"]["v1"]["requests"] == 20


def test_errors_and_latencies_are_told_for_each_version():
    figures = Figures(0.0)
    for nth in range(10):
        figures.count(answered(), 0.5)
        failed = {"kind": "http", "status": 500} if nth < 3 else {"status": 200}
        figures.count(Outcome(f"id-{nth}", pod="web-2", version="v2", milliseconds=100.0, **failed), 0.5)
    now = seen(figures, 1.0)
    assert (now["versions"]["v1"]["errorRate"], now["versions"]["v2"]["errorRate"]) == (0.0, 0.3)
    assert now["versions"]["v2"]["p50"] == pytest.approx(100, rel=0.05)
    assert (now["errors"], now["errorRate"], now["failures"]) == (3, 0.15, {"http": 3})


def test_the_last_ten_failures_are_kept_with_their_pod_and_request():
    figures = Figures(0.0)
    for nth in range(25):
        figures.count(Outcome(f"id-{nth}", kind="reset", pod="web-1"), 0.5)
    kept = seen(figures, 1.0)["lastFailures"]
    assert [one["requestId"] for one in kept] == [f"id-{nth}" for nth in range(15, 25)]
    assert (kept[0]["kind"], kept[0]["pod"]) == ("reset", "web-1")


def test_pods_that_come_and_go_for_days_do_not_fill_the_memory():
    figures = Figures(0.0)
    for nth in range(1000):
        figures.count(Outcome("id", status=200, pod=f"web-{nth}", version=f"v{nth}", milliseconds=1), 0.5)
    now = seen(figures, 1.0)
    assert "web-999" in now["pods"] and len(now["pods"]) == 200
    assert len(now["versions"]) == 20 and now["requests"] == 1000
