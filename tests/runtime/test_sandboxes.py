"""A pod on a real engine: an address that its containers share, told of in one list, gone without a trace."""

import ipaddress
import urllib.error
import urllib.request

import pytest

from lab.runtime import RuntimeFailure, Sandbox, newest_first
from tests.labs import wait_until

from .conftest import CLUSTER


def answers(address: str, path: str = "/healthz") -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:8080{path}", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_a_clusters_network_is_the_same_each_time_it_is_asked_for(bench):
    assert bench.runtime.ensure_network(CLUSTER) == bench.range
    assert ipaddress.IPv4Network(bench.range).prefixlen == 16


def test_two_clusters_have_ranges_of_their_own(bench):
    other = bench.runtime.ensure_network("another")
    try:
        assert not ipaddress.IPv4Network(other).overlaps(ipaddress.IPv4Network(bench.range))
    finally:
        bench.runtime.remove_network("another")


def test_a_new_sandbox_is_listed_with_everything_it_was_made_for(bench):
    spec, made = bench.pod("web-1")
    found = bench.sandbox(spec.uid)
    assert (found.id, found.ready, found.address) == (made, True, spec.address)
    assert (found.cluster, found.node, found.namespace, found.name) == (CLUSTER, "node-a", "default", "web-1")
    assert found.containers == ()


def test_to_run_a_sandbox_that_runs_already_gives_the_same_one(bench):
    spec, made = bench.pod()
    assert bench.runtime.run_pod_sandbox(spec) == made
    assert len([sandbox for sandbox in bench.runtime.list_pods() if sandbox.uid == spec.uid]) == 1


def test_one_pod_is_told_of_as_in_the_list_of_all(bench):
    pod, other = bench.pod("one"), bench.pod("other")
    bench.container(pod)
    listed = [sandbox for sandbox in bench.runtime.list_pods() if sandbox.uid == pod[0].uid]
    assert len(listed[0].containers) == 1
    assert bench.runtime.list_pod(pod[0].uid) == listed
    assert [sandbox.id for sandbox in bench.runtime.list_pod(other[0].uid)] == [other[1]]
    assert bench.runtime.list_pod("nobody") == []


def test_of_several_sandboxes_of_a_pod_the_ready_and_newest_comes_first():
    several = [
        Sandbox(f"{made}", "c", "n", "default", "a", "a", ready, created_at=made)
        for ready, made in ((False, 3.0), (True, 1.0), (True, 2.0))
    ]
    assert [each.created_at for each in newest_first(several)] == [2.0, 1.0, 3.0]


def test_a_pods_program_answers_at_the_pods_address(bench):
    pod = bench.pod()
    bench.container(pod)
    wait_until("an answer", lambda: answers(pod[0].address), 10, 0.02)


def test_containers_of_one_pod_reach_each_other_at_localhost_or_its_address(bench):
    pod = bench.pod()
    bench.container(pod, name="server")
    fetch = f"""import urllib.request; print(urllib.request.urlopen("http://{pod[0].address}:8080/healthz").read())"""
    wait_until("an answer", lambda: answers(pod[0].address), 10, 0.02)
    client = bench.container(pod, f"python3 -c '{fetch}'", name="client")
    assert bench.ended(client).exit_code == 0
    assert b"ok" in bench.output(client)


def test_an_address_that_is_taken_is_refused_and_leaves_nothing_behind(bench):
    first, _ = bench.pod()
    second = bench.spec(address=first.address)
    with pytest.raises(RuntimeFailure) as refused:
        bench.runtime.run_pod_sandbox(second)
    assert refused.value.reason == "FailedCreatePodSandBox"
    assert "already in use" in refused.value.message
    assert bench.sandbox(second.uid) is None


def test_an_address_is_free_again_once_its_sandbox_is_removed(bench):
    first, made = bench.pod()
    bench.runtime.remove_pod_sandbox(made)
    again, _ = bench.pod(address=first.address)
    assert bench.sandbox(again.uid).address == first.address


def test_a_stopped_sandbox_has_lost_its_network_and_its_containers_their_lives(bench):
    pod = bench.pod()
    running = bench.container(pod)
    bench.runtime.stop_pod_sandbox(pod[1])
    bench.runtime.stop_pod_sandbox(pod[1])
    bench.ended(running)
    assert bench.sandbox(pod[0].uid).ready is False


def test_removing_a_sandbox_takes_its_containers_along_and_may_be_repeated(bench):
    pod = bench.pod()
    bench.container(pod)
    bench.container(pod, "exit 0", name="done")
    for _ in range(2):
        bench.runtime.remove_pod_sandbox(pod[1])
    assert bench.sandbox(pod[0].uid) is None


def test_a_partitioned_pod_is_silent_and_comes_back_at_the_same_address(bench):
    pod = bench.pod()
    bench.container(pod)
    wait_until("an answer", lambda: answers(pod[0].address), 10, 0.02)
    for _ in range(2):
        bench.runtime.set_partitioned(pod[1], True)
    assert not answers(pod[0].address)
    assert bench.sandbox(pod[0].uid).containers[0].state == "running"
    for _ in range(2):
        bench.runtime.set_partitioned(pod[1], False)
    wait_until("an answer", lambda: answers(pod[0].address), 10, 0.02)
    assert bench.sandbox(pod[0].uid).address == pod[0].address
