"""The arithmetic of the HorizontalPodAutoscaler, by Kubernetes' own examples (replica_calculator_test.go)."""

import datetime

import pytest

from lab.controllers.horizontalpodautoscaler.proposals import Target
from lab.controllers.horizontalpodautoscaler.replicas import (
    Patience,
    Tolerance,
    Unknown,
    by_average,
    by_share,
    by_utilization,
    by_value,
    requests_of,
)

NOW = 1_000_000.0
PATIENCE = Patience(initialization=120, readiness=10, window=60, now=NOW)
TENTH = Tolerance()


def stamp(seconds_ago: float) -> str:
    return datetime.datetime.fromtimestamp(NOW - seconds_ago, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(number: int, phase: str = "Running", ready: str = "True", started: float = 600, changed: float = 500) -> dict:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": stamp(changed)}
    requests = {"cpu": "1", "memory": "1Gi"}
    return {
        "metadata": {"name": f"pod-{number}", "uid": str(number)},
        "spec": {"containers": [{"name": "app", "resources": {"requests": requests}}]},
        "status": {"phase": phase, "startTime": stamp(started), "conditions": [condition]},
    }


def cpu(pods: list[dict], levels: list[int | None], target: int, current: int | None = None, patience=PATIENCE) -> int:
    figures = {str(number): level for number, level in enumerate(levels) if level is not None}
    current = len(pods) if current is None else current
    return by_utilization(pods, figures, requests_of(pods, "cpu"), target, current, TENTH, patience).replicas


def pods(count: int, **more) -> list[dict]:
    return [pod(number, **more) for number in range(count)]


def test_it_scales_up_in_proportion():
    assert cpu(pods(3), [300, 500, 700], target=30) == 5


def test_it_scales_down_in_proportion():
    assert cpu(pods(5), [100, 300, 500, 250, 250], target=50) == 3


@pytest.mark.parametrize(("levels", "target"), [([1010, 1030, 1020], 100), ([980, 1010, 1020], 104)])
def test_it_tolerates_a_tenth(levels, target):
    assert cpu(pods(3), levels, target) == 3


def test_it_counts_pods_that_begin_as_idle_when_it_scales_up():
    group = [pod(0, ready="False", started=30, changed=30), pod(1), pod(2)]
    assert cpu(group, [100, 500, 700], target=30) == 4


def test_it_counts_a_pending_pod_as_idle_when_it_scales_up():
    group = [pod(0), pod(1), pod(2, phase="Pending")]
    assert cpu(group, [500, 700, None], target=30) == 4


def test_it_does_not_scale_up_twice_for_one_load():
    """Two ready pods at the double, and two on their way already: nothing more."""
    group = [pod(0), pod(1), pod(2, phase="Pending"), pod(3, phase="Pending")]
    assert cpu(group, [600, 600, None, None], target=30) == 4


def test_a_hot_start_does_not_count_before_a_whole_window():
    group = [pod(0), pod(1), pod(2, started=40, changed=20)]
    assert cpu(group, [300, 300, 4000], target=30) == 3


def test_a_pod_that_fell_ill_counts_and_one_that_was_never_well_does_not():
    ill = pod(2, ready="False", started=1000, changed=300)
    never = pod(2, ready="False", started=1000, changed=995)
    assert cpu([pod(0), pod(1), ill], [300, 300, 900], target=30) == 5
    assert cpu([pod(0), pod(1), never], [300, 300, 900], target=30) == 3


def test_missing_pods_count_as_busy_on_the_way_down_and_as_idle_on_the_way_up():
    assert cpu(pods(3), [100, 100, None], target=50) == 3  # 10 % of two, and 100 % of the third: 40 %
    assert cpu(pods(3), [900, 900, None], target=50) == 4  # 90 % of two, 0 % of the third: 60 %, not 90
    assert cpu(pods(4), [100, 100, 100, None], target=50) == 3
    assert cpu(pods(2), [1219, None], target=30) == 4  # 121 % of one, and 60 of both, in whole percent


def test_what_is_missing_never_turns_the_direction():
    assert cpu(pods(2), [520, None], target=40) == 2


def test_failed_and_leaving_pods_are_passed_over():
    leaving = pod(3)
    leaving["metadata"]["deletionTimestamp"] = stamp(1)
    assert cpu([*pods(2), pod(2, phase="Failed"), leaving], [600, 600, 0, 0], target=30, current=2) == 4


def test_it_knows_nothing_of_pods_without_figures_or_requests():
    with pytest.raises(Unknown, match="no pods returned by selector"):
        cpu([], [], target=50)
    with pytest.raises(Unknown, match="did not receive metrics"):
        cpu(pods(1, phase="Pending"), [500], target=50)
    bare = pod(0)
    bare["spec"]["containers"][0]["resources"] = {}
    with pytest.raises(Unknown, match="missing request for cpu in container app of Pod pod-0"):
        cpu([bare], [100], target=50)


def test_memory_of_a_pod_that_begins_counts():
    group = [pod(0), pod(1, ready="False", started=5, changed=5)]
    assert by_average(group, {"0": 2000, "1": 4000}, 1000, 2, TENTH).replicas == 6


def test_an_average_counts_what_is_missing_as_on_target_on_the_way_down():
    # 100 of 1000 on each of three, the fourth for 1000: (300 + 1000) / 4 = 325, and 0.325 × 4 → 2
    figures = {"0": 100, "1": 100, "2": 100}
    assert by_average(pods(4), figures, 1000, 4, TENTH).replicas == 2


def test_an_average_right_on_target_takes_what_is_missing_for_idle():
    assert by_average(pods(4), {"0": 1000, "1": 1000, "2": 1000}, 1000, 4, TENTH).replicas == 3
    assert by_average(pods(2), {"0": 2001}, 500, 2, TENTH).replicas == 4


def test_slower_than_two_seconds_is_one_more():
    assert by_value(usage=2_500_000, target=2_000_000, ready=2, current=2, tolerance=TENTH).replicas == 3
    assert by_value(usage=2_100_000, target=2_000_000, ready=2, current=2, tolerance=TENTH).replicas == 2


def test_a_figure_of_all_together_is_that_of_those_who_run_and_are_ready():
    there = [pod(0), pod(1, ready="False"), pod(2, phase="Pending"), pod(3)]
    assert Target("default", there, spec_replicas=4, status_replicas=4).ready == 2
    assert Target("default", there, spec_replicas=1, status_replicas=4).ready == 1


def test_a_value_from_nothing_begins_with_what_it_asks_for():
    assert by_value(usage=5000, target=2000, ready=0, current=0, tolerance=TENTH).replicas == 3


def test_a_share_is_divided_among_pods():
    count = by_share(usage=95_000, target=10_000, current=2, tolerance=TENTH)
    assert (count.replicas, count.usage) == (10, 47_500)
    assert by_share(usage=21_000, target=10_000, current=2, tolerance=TENTH).replicas == 2


def test_what_a_sidecar_asks_for_counts_and_what_only_prepares_does_not():
    one = pod(0)
    asked = {"resources": {"requests": {"cpu": "500m"}}}
    one["spec"]["initContainers"] = [{"name": "mesh", "restartPolicy": "Always", **asked}, {"name": "prepare"}]
    assert requests_of([one], "cpu") == {"0": 1500}
    assert requests_of([one], "cpu", "mesh") == {"0": 500}
