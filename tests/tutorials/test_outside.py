"""What visitors saw counts since the step's acts do, and what no engine has is not there."""

import time
from typing import Any

import pytest

from lab import metrics
from lab.client import Client
from lab.client.clusters import ensure_cluster, furnish
from lab.tutorials.claims import parse_reading
from lab.tutorials.outside import Outside, counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def outside() -> Outside:
    ensure_cluster("seen")
    furnish("seen")
    return Outside(Client("seen", "a test"))


def seen(requests: int, errors: int, epoch: str = "1", **pods: int) -> None:
    figures = {
        "epoch": epoch,
        "requests": requests,
        "errors": errors,
        "late": 0,
        "pods": {name: {"requests": answered} for name, answered in pods.items()},
        "versions": {},
    }
    metrics.publish("seen", metrics.VISITORS, "visitors/test", {"default/web": figures})


def read(outside: Outside, fact: str) -> list[Any] | None:
    return outside(parse_reading(f"visitors/web {fact}"))


def test_what_was_counted_before_the_acts_does_not_count(outside):
    assert [read(outside, fact) for fact in ("requests", "failed", "successRate")] == [[0], [0], []]
    seen(1000, 7, a=500, b=493)
    outside.baseline = counted("seen")
    assert [read(outside, fact) for fact in ("requests", "failed", "pods")] == [[0], [0], [0]]
    seen(1200, 8, a=650, b=543)
    assert [read(outside, fact) for fact in ("requests", "failed", "pods")] == [[200], [1], [2]]
    assert [read(outside, fact) for fact in ("successRate", "leastShare", "mostShare")] == [[99.5], [25], [75]]


def test_visitors_that_began_anew_count_from_nothing(outside):
    seen(1000, 7)
    outside.baseline = counted("seen")
    seen(20, 1, epoch="2")
    assert [read(outside, fact) for fact in ("requests", "failed")] == [[20], [1]]


def test_an_image_that_no_engine_has_is_not_there(outside):
    assert outside(parse_reading("image/orrery/bank:v9 exists")) == [False]
    assert outside(parse_reading("image/orrery/bank:v9 id")) == []


def test_what_objects_say_is_left_to_them(outside):
    assert outside(parse_reading("visitors/web .spec.rate")) is None
    assert outside(parse_reading("pods app=web ready")) is None


def test_figures_tell_of_a_moment_when_the_slowest_producer_has_spoken_after_it(outside):
    assert metrics.oldest("seen", "of-nobody") == 0
    before = time.time()
    metrics.publish("seen", "of-two", "one", {})
    between = time.time()
    metrics.publish("seen", "of-two", "other", {})
    assert before <= metrics.oldest("seen", "of-two") <= between
    metrics.publish("seen", "of-two", "one", {})
    assert metrics.oldest("seen", "of-two") >= between
