"""The filters, one by one: who is kept away from a node, and in which words."""

import dataclasses

import pytest

from lab.apimachinery.nodeaffinity import parse_terms
from lab.scheduler.filters import VOLUME_CONFLICT, dynamic_reasons, static_reasons
from lab.scheduler.nodeinfo import NodeInfo, parse_node
from lab.scheduler.podinfo import PodInfo, parse

from .build import cache_of, node, places, pod, run, words

GPU = "nvidia.com/gpu"


def objections(to: dict, on: dict, *there: dict) -> tuple[str, ...]:
    """What the filters say about the pod `to` on the node `on`, with these pods there already."""
    cache = cache_of([on], [{**each, "spec": {**each["spec"], "nodeName": on["metadata"]["name"]}} for each in there])
    info = cache.nodes[on["metadata"]["name"]]
    return reasons(parse(to), info)


def reasons(asked: PodInfo, offered: NodeInfo) -> tuple[str, ...]:
    return static_reasons(asked, offered) or dynamic_reasons(asked, offered)


def test_a_pod_that_asks_for_nothing_fits_anywhere():
    assert objections(pod(), node()) == ()


@pytest.mark.parametrize(
    "asked, reasons",
    [
        ({"cpu": "1"}, ()),
        ({"cpu": "1001m"}, ("Insufficient cpu",)),
        ({"memory": "4Gi"}, ()),
        ({"memory": "4097Mi"}, ("Insufficient memory",)),
        ({"cpu": "2", "memory": "5Gi"}, ("Insufficient cpu", "Insufficient memory")),
        ({"requests": {GPU: "1"}}, ()),
        ({"requests": {GPU: "2"}}, (f"Insufficient {GPU}",)),
        ({"requests": {"ephemeral-storage": "1Gi"}}, ("Insufficient ephemeral-storage",)),
    ],
)
def test_requests_must_fit_into_what_the_others_have_left(asked, reasons):
    there = pod("there", cpu="3", memory="4Gi", requests={GPU: "1"})
    assert objections(pod(**asked), node(cpu="4", memory="8Gi", **{GPU: "2"}), there) == reasons


def test_a_node_takes_so_many_pods_and_no_more():
    assert objections(pod(), node(pods=1), pod("there")) == ("Too many pods",)


def test_a_pod_that_asks_for_nothing_fits_on_a_node_that_is_overcommitted():
    assert objections(pod(), node(cpu="1"), pod("there", cpu="2")) == ()
    nothing, two = ({"requests": {GPU: count}} for count in "02")
    assert objections(pod(**nothing), node(**{GPU: "1"}), pod("there", **two)) == ()


def test_finished_pods_take_no_room():
    done = pod("done", cpu="4", status={"phase": "Succeeded"})
    assert objections(pod(cpu="4"), node(cpu="4"), done) == ()


def test_a_pod_that_is_leaving_takes_its_room_until_it_is_gone():
    assert objections(pod(cpu="4"), node(cpu="4"), pod("old", cpu="4", deleting=True)) == ("Insufficient cpu",)


@pytest.mark.parametrize(
    "selector, labels, fits",
    [
        ({"disk": "ssd"}, {"disk": "ssd"}, True),
        ({"disk": "ssd"}, {"disk": "hdd"}, False),
        ({"disk": "ssd", "gpu": ""}, {"disk": "ssd"}, False),
    ],
)
def test_node_selector(selector, labels, fits):
    found = objections(pod(nodeSelector=selector), node(labels=labels))
    assert found == (() if fits else ("node(s) didn't match Pod's node affinity/selector",))


def required(*terms: dict) -> dict:
    terms = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def expressions(*asked: tuple) -> dict:
    return {"matchExpressions": [{"key": k, "operator": op, "values": list(values)} for k, op, *values in asked]}


@pytest.mark.parametrize(
    "terms, fits",
    [
        ([expressions(("zone", "In", "a", "b"))], True),
        ([expressions(("zone", "NotIn", "a"))], False),
        ([expressions(("zone", "NotIn", "b"))], True),
        ([expressions(("gone", "NotIn", "b"))], True),
        ([expressions(("cores", "Gt", "7"))], True),
        ([expressions(("cores", "Lt", "8"))], False),
        ([expressions(("gone", "DoesNotExist"), ("zone", "Exists"))], True),
        ([expressions(("zone", "In", "c"), ("cores", "Exists"))], False),
        ([expressions(("zone", "In", "c")), expressions(("cores", "Exists"))], True),  # one term is enough
        ([{}], False),  # a term that asks nothing matches nothing
        ([{"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["node-1"]}]}], False),
    ],
)
def test_required_node_affinity(terms, fits):
    found = objections(pod(affinity=required(*terms)), node(labels={"zone": "a", "cores": "8"}))
    assert found == (() if fits else ("node(s) didn't match Pod's node affinity/selector",))


def test_selector_and_affinity_must_both_hold():
    asked = pod(nodeSelector={"zone": "a"}, affinity=required(expressions(("disk", "In", "ssd"))))
    assert objections(asked, node(labels={"zone": "a"})) != ()


def test_a_pod_for_one_node_by_name_asks_no_other():
    here = required({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-2"]}]})
    nodes = [node(f"node-{number}", cpu="1") for number in (1, 2, 3)]
    outcome = run(nodes, [pod("first", cpu="1", affinity=here), pod("second", cpu="1", affinity=here)])
    assert places(outcome) == {"first": "node-2"}
    assert outcome.bindings[0][2]["evaluated"] == 1
    assert words(outcome)["second"] == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, "
        "2 Preemption is not helpful for scheduling."
    )


TAINT = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    "toleration, fits",
    [
        (None, False),
        ({"key": "dedicated", "value": "db", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "operator": "Equal", "value": "db"}, True),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "dedicated", "value": "web", "effect": "NoSchedule"}, False),
        ({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_taints_and_tolerations(toleration, fits):
    asked = pod(tolerations=[toleration] if toleration else [])
    found = objections(asked, node(taints=[TAINT]))
    assert found == (() if fits else ("node(s) had untolerated taint {dedicated: db}",))


def test_the_decision_names_the_taint_and_the_message_counts_all_taints_together():
    nodes = [node(name, taints=[{"key": name, "effect": "NoSchedule"}]) for name in "ab"]
    outcome = run(nodes, [pod()])
    assert words(outcome)["web"].startswith("0/2 nodes are available: 2 node(s) had untolerated taint(s). preemption: ")
    assert outcome.unschedulable[0].why["nodes"][1]["reasons"] == ["node(s) had untolerated taint {b: }"]


def test_a_taint_that_only_prefers_keeps_nobody_away():
    assert objections(pod(), node(taints=[{**TAINT, "effect": "PreferNoSchedule"}])) == ()


def test_the_first_taint_that_is_not_tolerated_is_named():
    tolerated, other = TAINT, {"key": "gpu", "effect": "NoExecute"}
    asked = pod(tolerations=[{"key": "dedicated", "operator": "Exists"}])
    assert objections(asked, node(taints=[tolerated, other])) == ("node(s) had untolerated taint {gpu: }",)


def test_a_cordoned_node_takes_nobody_new():
    assert objections(pod(), node(unschedulable=True)) == ("node(s) were unschedulable",)


def test_a_pod_that_tolerates_it_comes_to_a_cordoned_node():
    toleration = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}
    assert objections(pod(tolerations=[toleration]), node(unschedulable=True)) == ()


def test_a_cordoned_node_says_so_before_its_taint_does():
    cordoned = node(unschedulable=True, taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}])
    assert objections(pod(), cordoned) == ("node(s) were unschedulable",)


def test_a_full_node_out_of_reach_of_its_volume_is_called_full():
    away = (parse_terms([expressions(("zone", "In", "b"))]),)
    asked = dataclasses.replace(parse(pod(cpu="8")), volumes=away)
    assert reasons(asked, parse_node(node(cpu="4"))) == ("Insufficient cpu",)
    assert reasons(asked, parse_node(node(cpu="8"))) == ("node(s) didn't match PersistentVolume's node affinity",)


def test_of_the_places_where_a_volume_can_be_had_one_is_enough_but_of_each_volume():
    def places_of(zone: str) -> tuple:
        return parse_terms([expressions(("zone", "In", zone)), expressions(("everywhere", "Exists"))])

    here, there = places_of("a"), places_of("b")
    on = parse_node(node(labels={"zone": "a"}))
    assert reasons(dataclasses.replace(parse(pod()), volumes=(here, here)), on) == ()
    assert reasons(dataclasses.replace(parse(pod()), volumes=(here, there)), on) == (VOLUME_CONFLICT,)


def port(number: int, address: str = "", protocol: str = "TCP") -> dict:
    return {"containerPort": number, "hostPort": number, "hostIP": address, "protocol": protocol}


@pytest.mark.parametrize(
    "mine, taken, fits",
    [
        (port(80), port(80), False),
        (port(80), port(81), True),
        (port(53, protocol="UDP"), port(53, protocol="TCP"), True),
        (port(80, "10.0.0.1"), port(80, "10.0.0.2"), True),
        (port(80, "10.0.0.1"), port(80, "10.0.0.1"), False),
        (port(80, "0.0.0.0"), port(80, "10.0.0.1"), False),
        (port(80, "10.0.0.1"), port(80), False),
    ],
)
def test_host_ports(mine, taken, fits):
    found = objections(pod(ports=[mine]), node(), pod("there", ports=[taken]))
    assert found == (() if fits else ("node(s) didn't have free ports for the requested pod ports",))


def test_the_host_port_of_a_sidecar_is_taken_too():
    sidecar = {"name": "proxy", "restartPolicy": "Always", "ports": [port(80)]}
    assert objections(pod(ports=[port(80)]), node(), pod("there", initContainers=[sidecar])) != ()
    passing = {"name": "setup", "ports": [port(80)]}
    assert objections(pod(ports=[port(80)]), node(), pod("there", initContainers=[passing])) == ()


def test_a_node_that_does_not_say_what_it_offers_offers_nothing():
    assert dynamic_reasons(parse(pod(cpu="1m")), parse_node({"metadata": {"name": "bare"}})) == ("Insufficient cpu",)


def test_a_node_that_says_only_what_it_has_offers_all_of_that():
    says = {"metadata": {"name": "new"}, "status": {"capacity": {"cpu": "1"}}}
    assert dynamic_reasons(parse(pod(cpu="1")), parse_node(says)) == ()


def test_without_any_node_it_says_just_that():
    assert words(run([], [pod()])) == {"web": "no nodes available to schedule pods"}


def test_it_counts_the_nodes_by_what_is_wrong_with_them():
    nodes = [node("a", cpu="1"), node("b", cpu="1"), node("c", unschedulable=True)]
    assert words(run(nodes, [pod(cpu="2")]))["web"].startswith(
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: "
    )
