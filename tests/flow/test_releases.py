"""Releases with visitors, on real processes: shares, switches and ways back; and no request fails on the way."""

import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from tests.labs import manage, wait_until

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


@pytest.fixture(scope="module")
def open_bank(process_lab) -> Iterator[Shop]:
    bank = Shop(process_lab, "orrery/bank:v1")
    yield bank
    bank.close()


@pytest.fixture
def bank(open_bank) -> Iterator[Shop]:
    yield open_bank
    open_bank.lab.api("DELETE", open_bank.releases)


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


JUDGED = {"steps": [{"setWeight": 25}, {"pause": {"seconds": 1}}], "analysis": {"minRequests": 20}}


def with_fault(fault: str) -> dict:
    """A new version of the bank: the same program with a fault switched on."""
    return {"spec": {"containers": [{"name": "web", "env": [{"name": "FAULTS", "value": fault}]}]}}


def test_a_canary_whose_requests_fail_is_aborted_by_the_counters(bank):
    (old,) = bank.versions()
    with bank.visitors("/accounts") as visitors:
        bank.release({"type": "Canary", "canary": JUDGED}, template=with_fault("accounts:error"))
        status = bank.until_over("Aborted")
        assert "requests to the new version failed" in status["message"]
        assert status["analysis"]["new"]["errors"] >= 20 and status["analysis"]["old"]["errors"] == 0
        assert share(some(visitors, 100), old) == 100
    assert {visit.version for visit in visitors.failures} == {status["newRevision"]}
    assert bank.versions() == {old: bank.replicas}


def test_a_canary_that_is_slow_is_aborted_by_the_counters_though_the_old_one_was_slow_once(bank):
    """What the old version took before the canary came is no measure for it."""
    (old,) = bank.versions()
    with bank.visitors("/accounts") as visitors:
        for pod in bank.ready():
            switch(pod, "slow=400")
        some(visitors, 200)
        for pod in bank.ready():
            switch(pod, "slow=off")
        some(visitors, 100)
        bank.release({"type": "Canary", "canary": JUDGED}, template=with_fault("accounts:slow=400"))
        status = bank.until_over("Aborted")
        assert "the new version takes" in status["message"] and status["analysis"]["new"]["meanMs"] >= 400
        assert share(some(visitors, 100), old) == 100
    assert not visitors.failures
    assert bank.versions() == {old: bank.replicas}


def switch(pod: dict, fault: str) -> None:
    address = f"http://{pod['status']['podIP']}:8080/faults?part=accounts&{fault}"
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=20) as answer:
        assert answer.status == 200


def test_a_canary_that_is_as_good_as_the_old_version_is_promoted_by_the_counters(bank):
    with bank.visitors("/accounts") as visitors:
        bank.release({"type": "Canary", "canary": JUDGED}, image="orrery/bank:v2")
        new = bank.until_over("Promoted")["newRevision"]
        assert share(some(visitors, 100), new) == 100
    assert not visitors.failures
    assert bank.versions() == {new: bank.replicas}


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


@pytest.mark.parametrize("kubectl", ["KUBECTL_NEW"], indirect=True)
def test_a_rollout_of_an_image_that_does_not_exist_stops_by_itself_and_kubectl_undoes_it(shop, kubectl, tmp_path):
    (old,) = shop.versions()
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=shop.lab.data).stdout)

    def run(*words: str) -> tuple[int, str]:
        command = [kubectl, "--kubeconfig", str(config), "--namespace", shop.namespace, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        return done.returncode, done.stdout + done.stderr

    shop.change(progressDeadlineSeconds=2)
    with shop.visitors() as visitors:
        assert run("set", "image", "deployment/web", "web=orrery/nothing:v1")[0] == 0
        code, said = run("rollout", "status", "deployment/web", "--timeout=60s")
        assert code and "exceeded its progress deadline" in said
        late = next(c for c in shop.lab.get(f"{shop.deployment}/web")["status"]["conditions"] if c["status"] == "False")
        assert late["reason"] == "ProgressDeadlineExceeded"
        assert "ErrImagePull" in late["message"] or "ImagePullBackOff" in late["message"]
        assert run("rollout", "undo", "deployment/web")[0] == 0
        code, said = run("rollout", "status", "deployment/web", "--timeout=60s")
        assert code == 0 and "successfully rolled out" in said
    assert not visitors.failures
    assert shop.versions() == {old: shop.replicas}
    shop.change(progressDeadlineSeconds=60)
