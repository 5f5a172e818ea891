"""What the counters say of a new version, and what a canary makes of it."""

import pytest

from lab.apimachinery.kinds import SERVICES
from lab.controllers.release import controller
from lab.controllers.release.analysis import FAILING, PASSING, WAITING, counted, fresh, judge
from lab.controllers.release.strategies import new_pods, weight_at

from .releasing import Releasing

RULES = {"maxErrorPercent": 5, "maxLatencyRatio": 2, "minRequests": 50, "intervalSeconds": 1}
PODS = {"n1": "new", "n2": "new", "o1": "old"}


def sums(requests: int, errors: int = 0, mean: float = 10) -> dict:
    return {"requests": requests, "errors": errors, "meanMs": mean}


def count(known: dict, **traffic: dict) -> dict:
    counters = {uid: [c["requests"], c["errors"], round(c["requests"] * c["meanMs"])] for uid, c in traffic.items()}
    return counted(known, counters, PODS, "new", "old")


@pytest.mark.parametrize(
    ("new", "old", "verdict", "words"),
    [
        (sums(12), sums(500), WAITING, "waiting for requests: 12 of 50"),
        (sums(50), sums(20), WAITING, "to the old version: 20 of 50"),
        (sums(50), sums(50), PASSING, "50 requests"),
        (sums(50, 50), sums(0), FAILING, "100 % of 50 requests"),  # nobody need wait for that
        (sums(100, 6), sums(500), FAILING, "6 % of 100 requests to the new version failed, 0 % to the old one"),
        (sums(100, 5), sums(500), PASSING, "5 % failed"),
        (sums(100, 30), sums(500, 150), PASSING, "30 % failed"),  # what fails everywhere is not the new version's fault
        (sums(100, mean=201), sums(500, mean=100), FAILING, "takes 201 ms, the old one 100 ms"),
        (sums(100, mean=199), sums(500, mean=100), PASSING, "199 ms"),
        (sums(100, mean=99), sums(500, mean=1), PASSING, "99 ms"),  # nobody notices
    ],
)
def test_a_new_version_is_judged_beside_the_old_one(new, old, verdict, words):
    said = judge(new, old, RULES, weight=50)
    assert said[0] == verdict and words in said[1]


@pytest.mark.parametrize(
    ("weight", "asked", "verdict"),
    [(0, 50, FAILING), (5, 49, WAITING), (5, 50, FAILING), (90, 5, WAITING), (90, 6, FAILING), (100, 0, PASSING)],
)
def test_what_is_usual_is_told_by_as_many_requests_as_the_old_version_gets(weight, asked, verdict):
    assert judge(sums(50, mean=900), sums(asked, mean=10), RULES, weight)[0] == verdict


def test_it_counts_from_when_the_weight_was_set():
    known = count({}, n1=sums(0), o1=sums(1000, 7))
    known = count(known, n1=sums(10, 1), o1=sums(1090, 8))
    assert (known["new"], known["old"]["requests"], known["old"]["errors"]) == (sums(10, 1), 90, 1)
    known = count(fresh(known), n1=sums(30, 1), o1=sums(1100, 8))
    assert (known["new"]["requests"], known["old"]["requests"]) == (20, 10)


def test_a_counter_that_began_again_is_neither_negative_nor_counted_twice():
    known = count({}, n1=sums(0), o1=sums(1000))
    known = count(known, n1=sums(40, 2), o1=sums(1100))
    known = count(known, n1=sums(5, 1), o1=sums(20))
    known = count(known, n1=sums(7, 1), o1=sums(30))
    assert (known["new"]["requests"], known["new"]["errors"], known["old"]["requests"]) == (42, 2, 110)


def test_a_pod_that_goes_leaves_its_requests_behind_and_one_that_comes_brings_its_own():
    known = count({}, n1=sums(0), o1=sums(0))
    known = count(known, n1=sums(10, 4), o1=sums(100))
    known = count(known, n2=sums(3), o1=sums(100))
    assert (known["new"]["requests"], known["new"]["errors"]) == (13, 4)


def test_a_pod_that_nobody_tells_of_for_a_moment_is_not_counted_twice():
    known = count({}, n1=sums(10, 4), o1=sums(100))
    known = count(known)
    known = count(known, n1=sums(12, 4), o1=sums(150))
    assert (known["new"]["requests"], known["new"]["errors"], known["old"]["requests"]) == (12, 4, 50)


def test_how_long_it_took_is_counted_from_when_the_weight_was_set_too():
    known = count({}, n1=sums(30, mean=10), o1=sums(1000, mean=400))  # the old pods had a hard time when they began
    known = count(fresh(known), n1=sums(30, mean=10), o1=sums(1000, mean=400))
    known = count(known, n1=sums(90, mean=80), o1=sums(1100, mean=364.545))
    assert known["new"]["meanMs"] == pytest.approx(115, abs=0.1) and known["old"]["meanMs"] == pytest.approx(
        10, abs=0.1
    )


def test_strangers_are_not_counted():
    assert count({}, x=sums(100))["new"]["requests"] == 0


def test_the_pods_follow_the_weight_rounded_up_and_at_least_one():
    assert [new_pods(weight, 10) for weight in (0, 1, 5, 10, 11, 50, 100)] == [1, 1, 1, 1, 2, 5, 10]
    assert new_pods(50, 0) == 0


def test_after_its_last_step_the_new_version_gets_everything():
    steps = [{"pause": {}}, {"setWeight": 5}, {"pause": {"seconds": 1}}, {"setWeight": 25}]
    assert [weight_at(steps, step) for step in range(5)] == [0, 5, 5, 25, 100]


JUDGED = {
    "type": "Canary",
    "canary": {
        "steps": [{"setWeight": 50}, {"pause": {"seconds": 0}}, {"setWeight": 80}, {"pause": {}}],
        "analysis": {},
    },
}


@pytest.fixture
def web(db, monkeypatch) -> Releasing:
    monkeypatch.setattr(controller, "STATUS_SECONDS", 0.0)  # no second passes here between two looks
    web = Releasing(4)
    web.begin(JUDGED)
    web.run_all()
    return web


@pytest.mark.django_db
def test_without_visitors_a_canary_waits_and_says_for_how_many(web):
    web.traffic({"web:v1": 100, "web:v2": 0})
    web.look()
    web.traffic({"web:v1": 106, "web:v2": 6})
    web.look()
    assert web.phase() == "Progressing"
    assert "waiting for requests: 12 of 50" in web.status()["message"]


@pytest.mark.django_db
def test_a_good_canary_goes_on_by_itself_and_counts_anew(web):
    web.traffic({"web:v1": 100, "web:v2": 0})
    web.look()
    web.traffic({"web:v1": 200, "web:v2": 30})
    web.look()
    assert web.counts()["web:v2"] == 4
    web.carry_on(2)
    assert web.phase() == "Paused" and web.weights() == {"web:v2": 80, "web:v1": 20}
    assert web.status()["analysis"]["new"]["requests"] == 0


@pytest.mark.django_db
def test_a_bad_canary_aborts_by_itself_and_says_what_was_compared(web):
    web.traffic({"web:v1": 100, "web:v2": 0})
    web.look()
    web.traffic({"web:v1": 150, "web:v2": 30}, errors={"web:v2": 15})
    web.look()
    assert web.phase() == "Aborted" and "50 % of 60 requests to the new version failed" in web.status()["message"]
    assert web.status()["analysis"]["verdict"] == "Failing"
    reasons = [row["why"] for row in web.client.history(SERVICES, "default", "web") if row["why"]]
    assert any((why.get("analysis") or {}).get("new", {}).get("errors") == 30 for why in reasons)
    web.carry_on()
    assert web.is_as_before(replicas=4)


@pytest.mark.django_db
def test_with_the_metrics_away_a_canary_waits_and_says_so(web):
    web.no_traffic()
    web.look()
    assert web.phase() == "Progressing" and "the proxy does not say" in web.status()["message"]
    assert web.weights() == {"web:v2": 50, "web:v1": 50}


@pytest.mark.django_db
def test_counters_alone_are_not_written_more_than_once_a_second(web, monkeypatch):
    web.traffic({"web:v1": 0, "web:v2": 0})
    web.look()
    monkeypatch.setattr(controller, "STATUS_SECONDS", 60.0)
    web.traffic({"web:v1": 5, "web:v2": 5})
    before = web.revisions()
    web.look()
    assert web.revisions() == before
    web.traffic({"web:v1": 50, "web:v2": 50})
    web.look()
    assert web.status()["step"] == 2  # but a decision is
