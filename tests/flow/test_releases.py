"""Releases with visitors, on real processes: shares, switches and ways back; and no request fails on the way."""

from collections.abc import Iterator

import pytest

from tests.labs import wait_until

from .shop import Shop, share, some


@pytest.fixture(scope="module")
def open_shop(process_lab) -> Iterator[Shop]:
    shop = Shop(process_lab)
    yield shop
    shop.close()


@pytest.fixture
def shop(open_shop) -> Iterator[Shop]:
    yield open_shop
    open_shop.lab.api("DELETE", open_shop.releases)


@pytest.fixture
def bank(process_lab) -> Iterator[Shop]:
    shop = Shop(process_lab, "orrery/bank:v1")
    yield shop
    shop.close()


def test_a_canary_gets_its_share_then_everything_and_no_request_fails(shop):
    (old,) = shop.versions()
    with shop.visitors() as visitors:
        steps = [{"setWeight": 20}, {"pause": {}}]
        shop.release({"type": "Canary", "canary": {"steps": steps}}, image="orrery/hello:v2")
        new = shop.until("Paused", weight=20)["newRevision"]
        some(visitors, 30)  # until the data plane has heard of it
        assert abs(share(some(visitors), new) - 20) <= 2
        shop.say(weight=60)
        shop.until("Paused", weight=60)
        some(visitors, 30)
        assert abs(share(some(visitors), new) - 60) <= 2
        shop.say(verdict="Promote")
        shop.until_over("Promoted")
        assert share(some(visitors, 100), new) == 100
    assert not visitors.failures
    assert shop.versions() == {new: shop.replicas} and new != old


def test_blue_green_switches_and_goes_back_and_no_request_fails(shop):
    (old,) = shop.versions()
    with shop.visitors() as visitors:
        shop.release({"type": "BlueGreen"}, image="orrery/hello:v3")
        new = shop.until("Paused")["newRevision"]
        assert share(some(visitors, 100), old) == 100
        shop.say(verdict="Promote")
        shop.until("Switched")
        some(visitors, 30)
        assert share(some(visitors, 100), new) == 100
        shop.say(verdict="Abort")
        shop.until_over("Aborted")
        assert share(some(visitors, 100), old) == 100
    assert not visitors.failures
    assert shop.versions() == {old: shop.replicas}


def test_a_canary_whose_requests_fail_is_aborted_by_the_counters(bank):
    (old,) = bank.versions()
    template = {"spec": {"containers": [{"name": "web", "env": [{"name": "FAULTS", "value": "accounts:error"}]}]}}
    rules = {"steps": [{"setWeight": 25}, {"pause": {"seconds": 1}}], "analysis": {"minRequests": 20}}
    with bank.visitors("/accounts") as visitors:
        bank.release({"type": "Canary", "canary": rules}, template=template)
        status = bank.until_over("Aborted")
        assert "requests to the new version failed" in status["message"]
        assert status["analysis"]["new"]["errors"] >= 20 and status["analysis"]["old"]["errors"] == 0
        assert share(some(visitors, 100), old) == 100
    assert {visit.version for visit in visitors.failures} == {status["newRevision"]}
    assert bank.versions() == {old: bank.replicas}


def test_a_version_that_never_gets_ready_costs_nobody_anything_and_stops_by_itself(shop):
    (old,) = shop.versions()
    shop.change(progressDeadlineSeconds=2)
    with shop.visitors() as visitors:
        shop.release({"type": "RollingUpdate"}, image="orrery/hello:broken")
        status = shop.until("Paused")
        assert "timed out progressing" in status["message"] and "ContainersNotReady" in status["message"]
        shop.say(verdict="Abort")
        shop.until_over("Aborted")
        wait_until("the old version at full strength", lambda: shop.versions() == {old: shop.replicas}, 60)
    assert {visit.version for visit in visitors.visits} == {old}
    assert not visitors.failures
    shop.change(progressDeadlineSeconds=60)
