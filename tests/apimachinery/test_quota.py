"""What objects take of a quota, and which quotas are about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.apimachinery import quota
from lab.apimachinery.quantity import parse_amount

NOW = 1_800_000_000.0
REQUESTS = {"cpu": "500m", "memory": "64Mi"}
LIMITS = {"cpu": "1", "memory": "128Mi"}


def pod(*containers: dict, phase: str = "Pending", qos: str = "Burstable", **spec) -> dict:
    listed = [{"name": f"c{at}", "resources": resources} for at, resources in enumerate(containers)]
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": listed, **spec},
        "status": {"phase": phase, "qosClass": qos},
    }


def a_quota(*scopes: str, terms: list[dict] = (), **hard: str) -> dict:
    spec = {"hard": {name.replace("_", "."): text for name, text in hard.items()}}
    if scopes:
        spec["scopes"] = list(scopes)
    if terms:
        spec["scopeSelector"] = {"matchExpressions": list(terms)}
    return {"metadata": {"name": "q", "namespace": "default"}, "spec": spec}


def told(usage: quota.Usage) -> dict[str, str]:
    return {name: str(amount) for name, amount in usage.items()}


def test_a_pod_takes_what_its_containers_ask_for_together():
    both = {"requests": REQUESTS, "limits": LIMITS}
    assert told(quota.usage("pods", pod(both, both), NOW)) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "1",
        "memory": "128Mi",
        "requests.cpu": "1",
        "requests.memory": "128Mi",
        "limits.cpu": "2",
        "limits.memory": "256Mi",
    }


def test_init_containers_count_only_beyond_the_others_and_devices_by_their_requests():
    init = [{"name": "i", "resources": {"requests": {"cpu": "2", "example.com/gpu": "1"}}}]
    taken = told(quota.usage("pods", pod({"requests": REQUESTS}, initContainers=init), NOW))
    assert (taken["requests.cpu"], taken["requests.memory"]) == ("2", "64Mi")
    assert taken["requests.example.com/gpu"] == "1" and "example.com/gpu" not in taken


def test_a_pod_that_has_ended_is_only_counted_as_an_object():
    assert told(quota.usage("pods", pod({"requests": REQUESTS}, phase="Succeeded"), NOW)) == {"count/pods": "1"}


def test_a_pod_whose_grace_is_over_takes_nothing_though_nobody_has_heard_its_end():
    going = pod({"requests": REQUESTS})
    going["metadata"] |= {"deletionTimestamp": "2027-01-15T08:00:00Z", "deletionGracePeriodSeconds": 30}
    assert quota.ends_at(going) == NOW + 30
    assert "pods" in quota.usage("pods", going, NOW + 29)
    assert "pods" not in quota.usage("pods", going, NOW + 31)


@pytest.mark.parametrize(
    ("spec", "taken"),
    [
        ({"type": "ClusterIP", "ports": [{}]}, {}),
        ({"type": "NodePort", "ports": [{}, {}]}, {"services.nodeports": "2"}),
        ({"type": "LoadBalancer", "ports": [{}]}, {"services.nodeports": "1", "services.loadbalancers": "1"}),
        (
            {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{}, {"nodePort": 30000}]},
            {"services.nodeports": "1", "services.loadbalancers": "1"},
        ),
    ],
)
def test_services_take_ports_of_nodes(spec, taken):
    assert told(quota.usage("services", {"spec": spec}, NOW)) == {"count/services": "1", "services": "1", **taken}


def test_a_claim_takes_storage_and_that_of_its_class():
    claim = {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "2Gi"}}}}
    assert told(quota.usage("persistentvolumeclaims", claim, NOW)) == {
        "count/persistentvolumeclaims": "1",
        "persistentvolumeclaims": "1",
        "requests.storage": "2Gi",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "fast.storageclass.storage.k8s.io/requests.storage": "2Gi",
    }


@pytest.mark.parametrize(
    ("of", "about", "not_about"),
    [
        (a_quota("BestEffort"), pod(qos="BestEffort"), pod()),
        (a_quota("NotBestEffort"), pod(), pod(qos="BestEffort")),
        (a_quota("Terminating"), pod(activeDeadlineSeconds=5), pod()),
        (a_quota("NotTerminating", "NotBestEffort"), pod(), pod(activeDeadlineSeconds=5)),
        (a_quota("PriorityClass"), pod(priorityClassName="high"), pod()),
        (
            a_quota(terms=[{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]),
            pod(priorityClassName="high"),
            pod(priorityClassName="low"),
        ),
        (
            a_quota(terms=[{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["high"]}]),
            pod(),
            pod(priorityClassName="high"),
        ),
        (
            a_quota("CrossNamespacePodAffinity"),
            pod(affinity={"podAffinity": {"preferred": [{"podAffinityTerm": {"namespaces": ["other"]}}]}}),
            pod(affinity={"podAntiAffinity": {"required": [{"topologyKey": "zone"}]}}),
        ),
    ],
)
def test_scopes_choose_pods(of, about, not_about):
    assert quota.covers(of, "pods", about)
    assert not quota.covers(of, "pods", not_about)
    assert not quota.covers(of, "services", {"spec": {}})


def test_what_each_container_has_to_say_is_asked_of_those_that_do_not():
    silent = pod({"requests": REQUESTS}, {}, initContainers=[{"name": "i"}])
    of = a_quota(requests_cpu="1", limits_memory="1Gi", pods="3")
    assert quota.unspecified(of, silent) == {"limits.memory": ["c0", "c1", "i"], "requests.cpu": ["c1", "i"]}
    assert quota.unspecified(a_quota(pods="3"), silent) == {}


@given(st.lists(st.sampled_from(["100m", "1", "250m", "2", "0"]), max_size=8))
def test_the_whole_is_the_exact_sum_of_the_parts(asked):
    pods = [pod({"requests": {"cpu": cpu}}) for cpu in asked]
    used = quota.used(a_quota(requests_cpu="4", pods="10"), {"pods": pods}.__getitem__, NOW)
    assert used["requests.cpu"].number == sum(parse_amount(cpu).number for cpu in asked)
    assert used["pods"].number == len(asked)
