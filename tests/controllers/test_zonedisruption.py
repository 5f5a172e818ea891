"""How many nodes are given up at once: not all because we hear nothing, and one after the other."""

import pytest

from lab.apimachinery.meta import parse_time
from lab.controllers.zonedisruption import to_evict, waiting

from .build import a_node

NOW = parse_time("2026-05-20T20:00:00Z")
PACE = 10.0


def zone(name: str, ready: int, silent: int, tainted: int = 0, since: str = "2026-05-20T19:00:00Z") -> list[dict]:
    """Nodes `<zone>-0`, `<zone>-1` …: the silent ones first, of them first those that are tainted already."""
    nodes = [a_node(f"{name}-{at:03}", "Unknown" if at < silent else "True") for at in range(ready + silent)]
    for at, node in enumerate(nodes):
        node["metadata"]["labels"] = {"topology.kubernetes.io/zone": name}
        if at < tainted:
            taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": since}
            node["spec"]["taints"] = [taint]
    return nodes


def names(zone: str, count: int) -> set[str]:
    return {f"{zone}-{at:03}" for at in range(count)}


def test_one_node_that_is_silent_is_given_up_at_once():
    nodes = zone("a", ready=3, silent=1)
    assert to_evict(nodes, PACE, NOW) == names("a", 1)
    assert not waiting(nodes, names("a", 1))


def test_of_several_one_goes_after_the_other_and_the_next_when_it_is_its_turn():
    nodes = zone("a", ready=9, silent=3, tainted=1, since="2026-05-20T19:59:55Z")
    assert to_evict(nodes, PACE, NOW) == names("a", 1)
    assert waiting(nodes, names("a", 1))
    assert to_evict(nodes, PACE, NOW + 5) == names("a", 2)


def test_each_zone_has_a_pace_of_its_own():
    nodes = zone("a", ready=3, silent=2) + zone("b", ready=3, silent=2)
    assert to_evict(nodes, PACE, NOW) == names("a", 1) | names("b", 1)


def test_when_all_are_silent_nobody_is_driven_away_and_who_was_may_stay():
    nodes = zone("a", ready=0, silent=2, tainted=1) + zone("b", ready=0, silent=1)
    assert to_evict(nodes, PACE, NOW) == set()
    assert not waiting(nodes, set())


def test_a_zone_that_is_silent_as_a_whole_is_given_up_while_another_lives():
    nodes = zone("a", ready=0, silent=4) + zone("b", ready=1, silent=0)
    assert to_evict(nodes, PACE, NOW) == names("a", 1)


@pytest.mark.parametrize(
    ("ready", "silent", "given_up"),
    [
        (2, 3, 0),  # three of five: more than half
        (9, 11, 0),  # 55 % are enough
        (3, 3, 1),
        (1, 2, 1),  # two alone are no disruption
    ],
)
def test_in_a_small_zone_of_which_most_is_silent_nobody_more_is_given_up(ready, silent, given_up):
    assert to_evict(zone("a", ready, silent), PACE, NOW) == names("a", given_up)


def test_who_was_given_up_before_the_zone_was_disrupted_stays_given_up():
    assert to_evict(zone("a", ready=2, silent=4, tainted=2), PACE, NOW) == names("a", 2)


def test_in_a_large_zone_of_which_most_is_silent_it_only_goes_more_slowly():
    nodes = zone("a", ready=20, silent=40, tainted=1, since="2026-05-20T19:58:21Z")
    assert to_evict(nodes, PACE, NOW) == names("a", 1)
    assert to_evict(nodes, PACE, NOW + 1) == names("a", 2)


def test_a_clock_that_stepped_back_holds_nobody_up():
    nodes = zone("a", ready=9, silent=3, tainted=1, since="2026-05-20T21:00:00Z")
    assert to_evict(nodes, PACE, NOW) == names("a", 2)
