"""Figures of this moment: what loops say of their turns reaches the boards, those of a moment all at once."""

import pytest

from lab import metrics

from .labs import wait_until

TURNS = (
    ("one", "deployment", 0.010, 3, 1),
    ("one", "deployment", 0.002, 1, 0),
    ("two", "deployment", 0.001, 2, 0),
    ("one", "job", 0.004, 1, 0),
)


@pytest.fixture
def turns(broker):
    """How the loops of a cluster have turned, as a board is told."""
    return lambda cluster: metrics.of_board(cluster)[2]


def test_of_each_loop_the_last_turn_is_told_and_how_many_there_were(turns):
    for turn in TURNS:
        metrics.turned(*turn)
    all_of_them = {"deployment": [2.0, 1, 0, 2], "job": [4.0, 1, 0, 1]}
    wait_until("them to be told", lambda: turns("one") == all_of_them, 5)
    assert turns("two") == {"deployment": [1.0, 2, 0, 1]}
    metrics.turned(*TURNS[0])
    wait_until("the next one", lambda: turns("one")["deployment"] == [10.0, 3, 1, 3], 5)
