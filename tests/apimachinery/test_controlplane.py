"""Leader election: who steers a cluster, and after how long somebody else does."""

import time

from lab.apimachinery.controlplane import CONTROL_PLANE, MEMBERS, POWER, elect, members_of
from lab.apimachinery.meta import parse_time

SECONDS = 4.0
NOW = time.time()


def a_member(name: str, **annotations: str) -> dict:
    return {"metadata": {"name": name, "labels": {CONTROL_PLANE: ""}, "annotations": annotations}}


A, B, C = (a_member(f"control-plane-{letter}") for letter in "abc")


def test_the_first_member_takes_a_lease_that_nobody_has():
    election = elect("kube-scheduler", None, [C, B, {"metadata": {"name": "worker"}}], NOW, SECONDS)
    assert election.lease["spec"]["holderIdentity"] == "control-plane-b"
    assert election.lease["spec"]["leaseTransitions"] == 0
    assert members_of(election.lease) == ["control-plane-b", "control-plane-c"]
    assert election.taken_over == "control-plane-b became leader"


def test_a_leader_renews_before_its_lease_has_run_out_and_not_each_second():
    lease = elect("kube-scheduler", None, [A, B, C], NOW, SECONDS).lease
    renewed = parse_time(lease["spec"]["renewTime"])
    assert elect("kube-scheduler", lease, [A, B, C], renewed + 1, SECONDS) is None
    again = elect("kube-scheduler", lease, [A, B, C], renewed + 3.1, SECONDS)
    assert again.lease["spec"]["holderIdentity"] == "control-plane-a" and not again.taken_over
    assert again.lease["spec"]["acquireTime"] == lease["spec"]["acquireTime"]


def test_a_lease_of_a_dead_leader_is_taken_over_only_once_it_has_run_out():
    lease = elect("kube-scheduler", None, [A, B, C], NOW, SECONDS).lease
    renewed = parse_time(lease["spec"]["renewTime"])
    dead = a_member("control-plane-a", **{POWER: "off"})
    assert elect("kube-scheduler", lease, [dead, B, C], renewed + SECONDS - 0.1, SECONDS) is None
    election = elect("kube-scheduler", lease, [dead, B, C], renewed + SECONDS + 0.5, SECONDS)
    assert election.lease["spec"]["holderIdentity"] == "control-plane-b"
    assert election.lease["spec"]["leaseTransitions"] == 1
    assert election.taken_over == "control-plane-b became leader, 4.5 s after control-plane-a was last heard of"


def test_with_all_members_down_nobody_can_be_elected():
    down = [a_member(f"control-plane-{letter}", **{POWER: "off"}) for letter in "abc"]
    assert elect("kube-scheduler", None, down, NOW, SECONDS) is None
    assert elect("kube-scheduler", None, [], NOW, SECONDS) is None


def test_a_new_member_is_listed_at_once():
    lease = elect("kube-scheduler", None, [A], NOW, SECONDS).lease
    assert elect("kube-scheduler", lease, [A, B], NOW, SECONDS).lease["metadata"]["annotations"][MEMBERS] == (
        "control-plane-a,control-plane-b"
    )


def test_a_clock_that_was_set_back_does_not_keep_a_dead_leader_in_office():
    lease = elect("kube-scheduler", None, [A, B], NOW, SECONDS).lease
    renewed = parse_time(lease["spec"]["renewTime"])
    dead = a_member("control-plane-a", **{POWER: "off"})
    assert elect("kube-scheduler", lease, [dead, B], renewed - 3600, SECONDS).taken_over
