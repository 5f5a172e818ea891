"""What is read from a pod: requests as Kubernetes sums them up, terms, and which pods are all the same to it."""

import pytest

from lab.scheduler.podinfo import PodInfos, parse
from lab.scheduler.resources import resource_requests

from .build import pod, term

MI = 1024 * 1024


def container(cpu: str, memory: str = "0", **more) -> dict:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def test_containers_add_up():
    assert resource_requests({"containers": [container("100m", "1Mi"), container("0.25", "2Mi")]}) == {
        "cpu": 350,
        "memory": 3 * MI,
    }


def test_of_init_containers_the_greediest_counts_if_it_exceeds_the_containers():
    spec = {"containers": [container("100m")], "initContainers": [container("300m"), container("200m")]}
    assert resource_requests(spec)["cpu"] == 300


def test_a_sidecar_runs_beside_the_containers_and_beside_later_init_containers():
    sidecar = container("100m", restartPolicy="Always")
    spec = {"containers": [container("200m")], "initContainers": [sidecar, container("250m")]}
    assert resource_requests(spec)["cpu"] == 350
    spec["initContainers"] = [container("250m"), sidecar]
    assert resource_requests(spec)["cpu"] == 300


def test_overhead_comes_on_top_and_a_request_of_the_whole_pod_replaces_the_sum():
    spec = {"containers": [container("100m")], "overhead": {"cpu": "50m"}}
    assert resource_requests(spec)["cpu"] == 150
    spec["resources"] = {"requests": {"cpu": "1"}}
    assert resource_requests(spec)["cpu"] == 1050


def test_a_pod_that_asks_for_nothing_is_shown_as_a_small_one():
    info = parse(pod())
    assert (info.cpu, info.memory) == (0, 0)
    assert (info.shown_cpu, info.shown_memory) == (100, 200 * MI)


def test_pods_of_one_template_share_what_is_known_of_them():
    infos = PodInfos()
    assert infos.of(pod("a", cpu="1"), {}) is infos.of(pod("b", cpu="1"), {})


@pytest.mark.parametrize(
    "other",
    [
        pod(cpu="2"),
        pod(cpu="1", labels={"app": "x"}),
        pod(cpu="1", priority=7),
        pod(cpu="1", nodeSelector={"a": "b"}),
        pod(cpu="1", owner="rs"),
        pod(cpu="1", namespace="other"),
        pod(cpu="1", image="other"),
        pod(cpu="1", ports=[{"hostPort": 80}]),
        pod(cpu="1", tolerations=[{"operator": "Exists"}]),
        pod(cpu="1", initContainers=[{"name": "i", "image": "big"}]),
        pod(cpu="1", annotations={"orrery.io/scoring-strategy": "MostAllocated"}),
    ],
)
def test_pods_that_differ_in_what_matters_do_not(other):
    infos = PodInfos()
    assert infos.of(pod(cpu="1"), {}) is not infos.of(other, {})


def test_a_term_without_namespaces_means_the_pods_own():
    asked = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term("zone", app="db")]}}
    (wanted,) = parse(pod(affinity=asked)).affinity
    assert wanted.matches(parse(pod("db", labels={"app": "db"})))
    assert not wanted.matches(parse(pod("db", labels={"app": "db"}, namespace="other")))


def test_a_term_reaches_the_namespaces_it_names_and_those_it_selects():
    one = {**term("zone", app="db"), "namespaces": ["data"], "namespaceSelector": {"matchLabels": {"team": "x"}}}
    asked = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [one]}}
    (wanted,) = parse(pod(affinity=asked)).affinity
    assert wanted.matches(parse(pod(labels={"app": "db"}, namespace="data")))
    assert wanted.matches(parse(pod(labels={"app": "db"}, namespace="other"), {"team": "x"}))
    assert not wanted.matches(parse(pod(labels={"app": "db"}), {"team": "y"}))


def test_an_empty_namespace_selector_means_all_namespaces():
    one = {**term("zone", app="db"), "namespaceSelector": {}}
    asked = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [one]}}
    (wanted,) = parse(pod(affinity=asked)).affinity
    assert wanted.matches(parse(pod(labels={"app": "db"}, namespace="anywhere")))


def test_match_label_keys_narrow_a_term_to_the_pods_own_rollout():
    one = {**term("zone", app="web"), "matchLabelKeys": ["pod-template-hash"]}
    asked = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [one]}}
    (unwanted,) = parse(pod(labels={"app": "web", "pod-template-hash": "2"}, affinity=asked)).anti_affinity
    assert unwanted.matches(parse(pod(labels={"app": "web", "pod-template-hash": "2"})))
    assert not unwanted.matches(parse(pod(labels={"app": "web", "pod-template-hash": "1"})))


def test_mismatch_label_keys_narrow_it_to_the_others():
    one = {**term("zone", app="web"), "mismatchLabelKeys": ["tenant"]}
    asked = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [one]}}
    (unwanted,) = parse(pod(labels={"app": "web", "tenant": "a"}, affinity=asked)).anti_affinity
    assert not unwanted.matches(parse(pod(labels={"app": "web", "tenant": "a"})))
    assert unwanted.matches(parse(pod(labels={"app": "web", "tenant": "b"})))
