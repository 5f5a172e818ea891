"""The tasks by which controllers are poked: those that a write concerns, in one."""

import pytest

from lab import tasks
from lab.store import hints


@pytest.fixture
def caught_up(monkeypatch) -> list[str]:
    """Which controllers caught up, in their order; `broken` cannot."""
    seen = []

    def catch_up(cluster: str, controller: str) -> None:
        seen.append(controller)
        if controller == "broken":
            raise RuntimeError(controller)

    monkeypatch.setattr(tasks, "catch_up", catch_up)
    monkeypatch.setattr(tasks, "LOOPS", {name: name for name in ("first", "broken", "last")})
    return seen


def test_one_controller_that_cannot_catch_up_does_not_stop_the_others(broker, caught_up, caplog):
    tasks.reconcile({"any": ["first", "broken", "last"]})
    assert caught_up == ["first", "broken", "last"]
    assert [record.message for record in caplog.records] == ["broken of any cannot catch up"]


def test_who_has_waited_too_long_for_those_before_is_poked_anew(broker, caught_up, monkeypatch):
    poked = []
    monkeypatch.setattr(tasks, "TASK_SECONDS", -1)
    monkeypatch.setattr(hints, "poke_by_name", poked.append)
    tasks.reconcile({"any": ["first", "last"], "other": ["last"]})
    assert (caught_up, poked) == ([], [{"any": ["first", "last"], "other": ["last"]}])
