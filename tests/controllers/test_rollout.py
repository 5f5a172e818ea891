"""The arithmetic of a rollout, by the cases of Kubernetes itself (rolling_test.go, sync_test.go, documentation)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.controllers.deployment.rollout import fenceposts, needs_scaling, new_size, next_step, resize, saturated

from .build import a_deployment, a_replica_set, recreating


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (4, "25%", "25%", (1, 1)),
        (3, "25%", "25%", (1, 0)),
        (1, "25%", "25%", (1, 0)),
        (10, 3, 2, (3, 2)),
        (10, "0%", "0%", (0, 1)),
        (10, 0, "5%", (0, 1)),
        (1, 0, "100%", (0, 1)),
        (2, 0, 5, (0, 2)),
        (100, "29%", "29%", (29, 29)),
        (0, "25%", "25%", (0, 0)),
    ],
)
def test_surge_rounds_up_and_unavailable_rounds_down_and_not_both_are_zero(replicas, surge, unavailable, expected):
    assert fenceposts(a_deployment(replicas, surge, unavailable)) == expected


@pytest.mark.parametrize(
    ("surge", "old", "new", "expected"),
    [(0, 10, 0, 0), (2, 10, 0, 2), (2, 5, 0, 7), (2, 10, 2, 2), (2, 2, 11, 10)],
)
def test_the_new_one_grows_into_the_room_under_the_surge(surge, old, new, expected):
    sets = [a_replica_set("new", new), a_replica_set("old", old, available=old)]
    assert new_size(a_deployment(10, surge), sets, new) == expected


def test_pods_that_a_smaller_replica_set_still_has_take_room():
    old = a_replica_set("old", 8, available=8)
    old["status"]["replicas"] = 10
    assert new_size(a_deployment(10, 2), [a_replica_set("new", 0), old], 0) == 2


def test_recreate_gives_the_new_one_all_at_once():
    assert new_size(recreating(a_deployment(10)), [a_replica_set("new", 0)], 0) == 10


@pytest.mark.parametrize(
    ("unavailable", "old", "new", "old_ready", "new_ready", "expected"),
    [
        (0, 10, 0, 10, 0, 9),  # neither surge nor unavailable: one may be unavailable, or nothing would move
        (2, 10, 0, 10, 0, 8),
        (2, 10, 0, 8, 0, 8),  # the two that serve nobody
        (2, 10, 0, 9, 0, 8),  # one that serves nobody and one that does
        (2, 8, 2, 8, 0, 8),  # new ones that are not available yet give no room
        (2, 8, 2, 8, 2, 6),
        (2, 10, 0, 1, 0, 8),
        (2, 10, 0, 0, 0, 8),
    ],
)
def test_the_old_one_shrinks_by_what_is_dispensable(unavailable, old, new, old_ready, new_ready, expected):
    step = next_step(
        a_deployment(10, 0, unavailable),
        a_replica_set("new", new, available=new_ready),
        [a_replica_set("old", old, available=old_ready)],
    )
    assert step.get("old", old) == expected


def test_a_broken_rollout_is_replaced_by_undoing_it():
    """10 replicas, surge 3, unavailable 2: 8 old ones, 5 new ones that crash, and then one old one is lost too. The
    rollout stands still; after the undo, four of the crashing ones go, and only then is there room for the others."""
    deployment = a_deployment(10, 3, 2)
    good, broken = a_replica_set("good", 8, available=7, age=2), a_replica_set("broken", 5)
    assert next_step(deployment, broken, [good]) == {}
    assert next_step(deployment, good, [broken]) == {"broken": 1}
    left = a_replica_set("broken", 1)
    assert next_step(deployment, good, [left]) == {"good": 10}


def test_a_new_one_that_has_said_nothing_of_its_pods_yet_has_none_available():
    new = a_replica_set("new", 2)
    new["status"] = {}
    assert next_step(a_deployment(10, 2, 0), new, [a_replica_set("old", 10, available=10)]) == {}


def test_of_several_old_ones_the_oldest_shrinks_first():
    old = [a_replica_set("v2", 5, available=5, age=1), a_replica_set("v1", 5, available=5, age=2)]
    assert next_step(a_deployment(10, 0, 3), a_replica_set("v3", 0), old) == {"v1": 2}


def sized_for(replicas: int, surge: int, *sets: tuple[str, int, int]) -> list[dict]:
    return [a_replica_set(n, size, size, age, replicas, replicas + surge) for n, size, age in sets]


@pytest.mark.parametrize(
    ("before", "after", "sizes", "expected"),
    [
        (10, 12, {"v1": 10}, {"v1": 12}),
        (10, 5, {"v1": 10}, {"v1": 5}),
        (5, 10, {"v2": 2, "v1": 3}, {"v2": 4, "v1": 6}),
        (5, 3, {"v2": 2, "v1": 3}, {"v2": 1, "v1": 2}),
        (9, 4, {"v2": 8, "v1": 1}, {"v2": 4, "v1": 0}),
        (7, 10, {"v3": 2, "v2": 3, "v1": 2}, {"v3": 3, "v2": 4, "v1": 3}),
        (13, 8, {"v3": 2, "v2": 8, "v1": 3}, {"v3": 1, "v2": 5, "v1": 2}),
        (3, 4, {"v3": 1, "v2": 1, "v1": 1}, {"v3": 2, "v2": 1, "v1": 1}),
        (3, 2, {"v3": 1, "v2": 1, "v1": 1}, {"v3": 1, "v2": 1, "v1": 0}),
        (6, 0, {"v3": 3, "v2": 2, "v1": 1}, {"v3": 0, "v2": 0, "v1": 0}),
        (6, 6, {"v3": 0, "v2": 0, "v1": 0}, {"v3": 6, "v2": 0, "v1": 0}),
    ],
)
def test_resizing_in_the_middle_of_a_rollout_keeps_the_proportions(before, after, sizes, expected):
    sets = sized_for(before, 0, *((name, size, age) for age, (name, size) in enumerate(sizes.items())))
    assert sizes | resize(a_deployment(after), sets[0], sets[1:]) == expected


@pytest.mark.parametrize(
    ("before", "after", "sizes", "expected"),
    [
        ((10, 2), (20, 2), {"v2": 6, "v1": 6}, {"v2": 11, "v1": 11}),
        ((10, 3), (50, 6), {"v2": 5, "v1": 8}, {"v2": 22, "v1": 34}),
    ],
)
def test_resizing_counts_the_pods_of_the_surge_in(before, after, sizes, expected):
    sets = sized_for(*before, *((name, size, age) for age, (name, size) in enumerate(sizes.items())))
    assert resize(a_deployment(*after), sets[0], sets[1:]) == expected


def test_what_has_the_right_size_is_not_resized():
    (alone,) = sized_for(10, 0, ("v1", 10, 0))
    assert resize(a_deployment(10), alone, []) == {}


def test_resizing_to_nothing_leaves_no_surge():
    sets = sized_for(6, 3, ("v2", 5, 0), ("v1", 4, 1))
    assert resize(a_deployment(0, 3), sets[0], sets[1:]) == {"v2": 0, "v1": 0}


@pytest.mark.parametrize(
    ("before", "after", "sizes", "expected"),
    [
        (4, 5, {"v2": 2, "v1": 2}, {"v2": 3, "v1": 2}),
        (10, 14, {"v2": 7, "v1": 3}, {"v2": 10, "v1": 4}),
    ],
)
def test_resizing_works_before_there_is_a_new_one(before, after, sizes, expected):
    sets = sized_for(before, 0, *((name, size, age) for age, (name, size) in enumerate(sizes.items())))
    assert sizes | resize(a_deployment(after), None, sets) == expected


def test_a_new_one_that_has_arrived_takes_all_but_one_that_is_broken_does_not():
    deployment = a_deployment(2, 1, 1)
    new, old = a_replica_set("v2", 2, 2, 0, 2, 3), a_replica_set("v1", 1, 1, 1, 2, 3)
    assert saturated(deployment, new)
    assert resize(deployment, new, [old]) == {"v1": 0}
    new["status"]["availableReplicas"] = 0
    assert not saturated(deployment, new)
    assert resize(deployment, new, [old]) == {}


def test_a_changed_number_of_replicas_is_noticed_by_what_the_replica_sets_carry():
    assert needs_scaling(a_deployment(5), sized_for(3, 0, ("v1", 3, 0)))
    assert not needs_scaling(a_deployment(3), sized_for(3, 0, ("v1", 3, 0)))
    assert not needs_scaling(a_deployment(5), sized_for(3, 0, ("v1", 0, 0)))


@given(
    replicas=st.integers(1, 40),
    surge=st.one_of(st.integers(0, 10), st.integers(0, 100).map("{}%".format)),
    unavailable=st.one_of(st.integers(0, 10), st.integers(0, 100).map("{}%".format)),
    data=st.data(),
)
def test_however_pods_become_ready_neither_promise_is_broken_and_the_rollout_ends(replicas, surge, unavailable, data):
    """Pods here are only counts: each turn the ReplicaSets make what they are asked for, and some pods become ready."""
    deployment = a_deployment(replicas, surge, unavailable)
    max_surge, max_unavailable = fenceposts(deployment)
    new = a_replica_set("new", 0)
    old = a_replica_set("old", replicas, available=data.draw(st.integers(replicas - max_unavailable, replicas)), age=1)
    for _ in range(6 * replicas + 10):
        for name, size in next_step(deployment, new, [old]).items():
            {"new": new, "old": old}[name]["spec"]["replicas"] = size
        assert new["spec"]["replicas"] + old["spec"]["replicas"] <= replicas + max_surge
        for rs in data.draw(st.permutations([new, old])):
            status, size = rs["status"], rs["spec"]["replicas"]
            status["replicas"] = size
            status["availableReplicas"] = min(status["availableReplicas"], size)
            assert new["status"]["replicas"] + old["status"]["replicas"] <= replicas + max_surge
            available = new["status"]["availableReplicas"] + old["status"]["availableReplicas"]
            assert available >= replicas - max_unavailable
        waiting = new["status"]["replicas"] - new["status"]["availableReplicas"]
        new["status"]["availableReplicas"] += data.draw(st.integers(min(1, waiting), waiting))
        if new["status"]["availableReplicas"] == replicas and old["spec"]["replicas"] == 0:
            return
    raise AssertionError("the rollout never ended")
