"""The clock of the lab goes on whatever happens to the machine's."""

import datetime

import pytest

from lab import beat


class Clocks:
    """A steady clock and the machine's, both going as they are told."""

    steady, wall = 1000.0, datetime.datetime(2026, 5, 20, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def clocks(monkeypatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(beat.time, "monotonic", lambda: clocks.steady)
    monkeypatch.setattr(beat.app, "now", lambda: clocks.wall)
    return clocks


@pytest.fixture
def sent(clocks, monkeypatch) -> list[str]:
    sent = []
    monkeypatch.setattr(beat.SteadyScheduler, "apply_entry", lambda self, entry, producer=None: sent.append(entry.name))
    return sent


def run_for(scheduler: beat.SteadyScheduler, clocks: Clocks, seconds: float) -> None:
    """As Celery does: ask for what is due, then sleep for as long as it says."""
    end = clocks.steady + seconds
    while clocks.steady < end:
        pause = min(scheduler.tick(), end - clocks.steady)
        clocks.steady += pause
        clocks.wall += datetime.timedelta(seconds=pause)


def test_it_ticks_each_second_and_compacts_now_and_then(clocks, sent):
    scheduler = beat.SteadyScheduler(app=beat.app)
    run_for(scheduler, clocks, 1201)
    assert 1200 <= sent.count("tick") <= 1220
    assert sent.count("compact") == 2


@pytest.mark.parametrize("hours", [-1, 1])
def test_it_ticks_on_when_the_machine_clock_is_set(clocks, sent, hours):
    scheduler = beat.SteadyScheduler(app=beat.app)
    run_for(scheduler, clocks, 10.5)
    clocks.wall += datetime.timedelta(hours=hours)
    run_for(scheduler, clocks, 10)
    assert sent.count("tick") == 20
