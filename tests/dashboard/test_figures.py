"""Figures: what flows, cut down to what a page draws."""

from lab.dashboard.feed import NO_FIGURES, figures_message
from lab.dashboard.figures import MOST_PODS, figures, rounded


def server(rate: float, error_rate: float = 0, mean: float = 10, **more) -> dict:
    return {"rate": rate, "errorRate": error_rate, "meanMs": mean, "requests": 100, "errors": 1, "inFlight": 2, **more}


def test_a_service_is_the_sum_of_its_pods_and_its_shares_are_weighed_by_the_requests():
    found = figures({"default/web:http": {"servers": {"a": server(30, 0, 10), "b": server(10, 0.4, 50)}}}, {})
    assert found["services"] == {"default/web": [40, 0.1, 20]}
    assert found["pods"]["b"] == [10, 0.4, 2, 100, 1, 50]


def test_a_pod_behind_two_ports_is_told_once():
    found = figures(
        {"default/web:http": {"servers": {"a": server(3)}}, "default/web:1": {"servers": {"a": server(1)}}}, {}
    )
    assert found["pods"] == {"a": [4, 0, 4, 200, 2, 10]}


def test_only_the_busiest_pods_are_told_of_a_crowd():
    servers = {str(number): server(number) for number in range(MOST_PODS + 50)}
    pods = figures({"default/web:http": {"servers": servers}}, {})["pods"]
    assert len(pods) == MOST_PODS
    assert "49" not in pods
    assert "50" in pods


def test_visitors_bring_their_last_minute_with_them():
    series = {"end": 1e9, "requests": [10, 0], "errors": [5, 0], "p50": [3.14159, None], "p95": [12, None]}
    held = {"rate": 5.0, "errorRate": 0.5, "p50": 3.14159, "p95": 12, "series": series}
    said = figures({}, {"default/v": held})["visitors"]["default/v"]
    assert said == [5, 0.5, 3.14, 12, [10, 0], [0.5, 0], [3.14, 0], [12, 0]]


def test_three_figures_are_enough():
    assert [rounded(x) for x in (0.0123456, 3.14159, 20.0, 1234.5)] == [0.0123, 3.14, 20, 1234]


def test_the_same_figures_give_the_same_message():
    before = {"default/web:http": {"servers": {"a": server(1.0001), "b": server(2)}}}
    after = {"default/web:http": {"servers": {"b": server(2), "a": server(1.0002)}}}
    assert figures_message(before, {}) == figures_message(after, {})
    assert figures_message({}, {}) == NO_FIGURES
