"""EndpointSlices and Endpoints through the real store and the real loop; only the kubelets are played."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import ENDPOINTS, ENDPOINTSLICES, NODES, PODS, SERVICES
from lab.apimachinery.meta import now, owner_reference
from lab.client import Put
from lab.controllers.endpoints.controller import EndpointSliceController
from lab.controllers.garbagecollector import GarbageCollector

pytestmark = pytest.mark.django_db
LOOPS = (EndpointSliceController(), GarbageCollector())


def a_service(cluster, name: str = "web", selector: dict | None = None, **spec) -> dict:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    meta = {"name": name, "namespace": "default", "labels": {"team": "blue"}}
    full = {"selector": {"app": "web"} if selector is None else selector, "ports": ports, **spec}
    return cluster.client.create(SERVICES, {"metadata": meta, "spec": full})


def add_pods(cluster, *numbers: int, ready: bool = True, port: int = 8080, labels: dict | None = None, **spec) -> None:
    """Bound pods with an address each, as their kubelet reports them."""
    ports = [{"name": "http", "containerPort": port}]
    full = {"nodeName": "node-1", "containers": [{"name": "c", "image": "i", "ports": ports}], **spec}
    pods = [
        {"metadata": {"name": f"web-{n:03}", "namespace": "default", "labels": labels or {"app": "web"}}, "spec": full}
        for n in numbers
    ]
    stored = cluster.client.create_many(PODS, pods)
    addresses = [f"10.1.{n // 250}.{n % 250}" for n in numbers]
    cluster.client.write(
        [Put(PODS, {**pod, "status": _status(ip, ready)}, "status") for pod, ip in zip(stored, addresses, strict=True)]
    )


def _status(address: str, ready: bool) -> dict:
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": now()}
    return {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": [condition]}


def change_readiness(cluster, name: str, ready: bool) -> None:
    pod = cluster.client.get(PODS, "default", name)
    cluster.client.update_status(PODS, {**pod, "status": _status(pod["status"]["podIP"], ready)})


def slices(cluster, service: str = "web") -> list[dict]:
    found = cluster.client.list(ENDPOINTSLICES, labels={"kubernetes.io/service-name": service})
    return sorted(found, key=lambda one: one["metadata"]["name"])


def endpoints(cluster, service: str = "web") -> dict[str, dict]:
    """pod's name → endpoint."""
    return {e["targetRef"]["name"]: e for one in slices(cluster, service) for e in one["endpoints"]}


def legacy(cluster, name: str = "web") -> list[dict] | None:
    found = cluster.client.find(ENDPOINTS, "default", name)
    return found and found["subsets"]


@pytest.fixture
def cluster(cluster):
    node = cluster.add_node("node-1")
    meta = {**node["metadata"], "labels": {"topology.kubernetes.io/zone": "a"}}
    cluster.client.update(NODES, {**node, "metadata": meta})
    return cluster


def test_a_ready_pod_stands_behind_its_service_with_its_port_node_and_zone(cluster):
    service = a_service(cluster)
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    assert one["addressType"] == "IPv4"
    assert one["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    labels = one["metadata"]["labels"]
    assert labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert labels["team"] == "blue"
    assert one["metadata"]["ownerReferences"] == [owner_reference(service)]
    (endpoint,) = one["endpoints"]
    assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}
    assert (endpoint["addresses"], endpoint["nodeName"], endpoint["zone"]) == (["10.1.0.1"], "node-1", "a")
    assert endpoint["targetRef"]["uid"] == cluster.client.get(PODS, "default", "web-001")["metadata"]["uid"]


def test_a_local_process_is_at_an_address_of_this_machine(cluster):
    a_service(cluster)
    add_pods(cluster, 1)
    cluster.client.update_status(
        PODS, {**cluster.client.get(PODS, "default", "web-001"), "status": _status("127.190.2.3", True)}
    )
    cluster.settle(*LOOPS)
    assert endpoints(cluster)["web-001"]["addresses"] == ["127.190.2.3"]
    assert legacy(cluster)[0]["addresses"][0]["ip"] == "127.190.2.3"


def test_a_pod_that_is_not_ready_is_listed_and_not_to_be_asked(cluster):
    a_service(cluster)
    add_pods(cluster, 1, 2)
    cluster.settle(*LOOPS)
    change_readiness(cluster, "web-001", False)
    cluster.settle(*LOOPS)
    assert [e["conditions"]["ready"] for _, e in sorted(endpoints(cluster).items())] == [False, True]
    (subset,) = legacy(cluster)
    assert [a["ip"] for a in subset["notReadyAddresses"]] == ["10.1.0.1"]
    assert [a["ip"] for a in subset["addresses"]] == ["10.1.0.2"]


def test_a_pod_that_ends_serves_what_it_has_and_is_called_ready_no_more(cluster):
    a_service(cluster)
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    cluster.client.delete(PODS, "default", "web-001")
    cluster.settle(*LOOPS)
    (endpoint,) = endpoints(cluster).values()
    assert endpoint["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert legacy(cluster) == []
    cluster.client.delete(PODS, "default", "web-001", grace_seconds=0)
    cluster.settle(*LOOPS)
    (left,) = slices(cluster)
    assert left["endpoints"] == []


def test_a_pod_without_an_address_or_that_has_finished_is_not_listed(cluster):
    a_service(cluster)
    add_pods(cluster, 1, 2)
    pod = cluster.client.get(PODS, "default", "web-001")
    cluster.client.update_status(PODS, {**pod, "status": {**pod["status"], "phase": "Succeeded"}})
    cluster.client.create(
        PODS, {**pod, "metadata": {"name": "new", "namespace": "default", "labels": {"app": "web"}}, "status": {}}
    )
    cluster.settle(*LOOPS)
    assert list(endpoints(cluster)) == ["web-002"]


def test_unready_pods_are_published_where_the_service_asks_for_it(cluster):
    a_service(cluster, publishNotReadyAddresses=True)
    add_pods(cluster, 1, ready=False)
    cluster.settle(*LOOPS)
    (endpoint,) = endpoints(cluster).values()
    assert endpoint["conditions"] == {"ready": True, "serving": False, "terminating": False}
    assert "addresses" in legacy(cluster)[0]


def test_a_named_port_may_be_another_number_in_each_pod(cluster):
    a_service(cluster)
    add_pods(cluster, 1, 2, port=8080)
    add_pods(cluster, 3, port=9090)
    cluster.settle(*LOOPS)
    seen = {one["ports"][0]["port"]: len(one["endpoints"]) for one in slices(cluster)}
    assert seen == {8080: 2, 9090: 1}
    assert {subset["ports"][0]["port"] for subset in legacy(cluster)} == {8080, 9090}


def test_a_slice_holds_a_hundred_and_one_more_pod_is_one_write(cluster):
    a_service(cluster)
    add_pods(cluster, *range(1, 231))
    cluster.settle(*LOOPS)
    assert sorted(len(one["endpoints"]) for one in slices(cluster)) == [30, 100, 100]
    before = {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in slices(cluster)}
    change_readiness(cluster, "web-007", False)
    cluster.settle(*LOOPS)
    after = {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in slices(cluster)}
    assert before.keys() == after.keys()
    assert sum(before[name] != after[name] for name in after) == 1
    assert len(endpoints(cluster)) == 230


def test_another_port_changes_the_slices_in_place(cluster):
    service = a_service(cluster)
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    (before,) = slices(cluster)
    ports = [{"name": "http", "port": 80, "targetPort": 7777}]
    cluster.client.update(SERVICES, {**service, "spec": {**service["spec"], "ports": ports}})
    cluster.settle(*LOOPS)
    (after,) = slices(cluster)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert (before["ports"][0]["port"], after["ports"][0]["port"]) == (8080, 7777)


def test_nothing_is_written_where_nothing_has_changed(cluster):
    a_service(cluster)
    add_pods(cluster, 1, 2)
    cluster.settle(*LOOPS)
    at_rest = cluster.revisions()
    for key in ("default/web", "default/*", "*"):
        LOOPS[0].sync(cluster.client, key)
    pod = cluster.client.get(PODS, "default", "web-001")
    cluster.client.update_status(PODS, {**pod, "status": {**pod["status"], "message": "of no concern"}})
    assert cluster.settle(LOOPS[0]) == 0
    assert cluster.revisions() == at_rest + 1


def test_what_somebody_else_deletes_or_changes_is_put_right(cluster):
    a_service(cluster)
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    cluster.client.delete(ENDPOINTSLICES, "default", one["metadata"]["name"])
    cluster.client.delete(ENDPOINTS, "default", "web")
    cluster.settle(*LOOPS)
    assert list(endpoints(cluster)) == ["web-001"]
    assert legacy(cluster)


def test_a_service_that_matches_nothing_says_so(cluster):
    a_service(cluster, selector={"app": "wbe"})
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    assert one["endpoints"] == [] and one["ports"] == []
    decision = cluster.client.history(ENDPOINTSLICES, "default", one["metadata"]["name"])[0]["why"]
    assert decision == {
        "decision": "SelectEndpoints",
        "selector": {"app": "wbe"},
        "pods": 0,
        "ready": 0,
        "notReady": [],
    }


def test_whom_nobody_is_led_to_is_named_ten_at_most(cluster):
    a_service(cluster)
    add_pods(cluster, 0)
    add_pods(cluster, *range(1, 13), ready=False)
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    why = cluster.client.history(ENDPOINTSLICES, "default", one["metadata"]["name"], decided=True)[0]["why"]
    assert (why["pods"], why["ready"]) == (13, 1)
    assert why["notReady"] == [f"web-{number:03}" for number in range(1, 11)]


def test_a_headless_service_needs_no_ports_and_names_its_pods(cluster):
    a_service(cluster, clusterIP="None", ports=[])
    add_pods(cluster, 1, hostname="db-0", subdomain="web")
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    assert "service.kubernetes.io/headless" in one["metadata"]["labels"]
    assert one["endpoints"][0]["hostname"] == "db-0"
    assert legacy(cluster)[0]["addresses"][0]["hostname"] == "db-0"


def test_slices_written_by_hand_stay_for_a_service_without_a_selector(cluster):
    a_service(cluster, selector={})
    meta = {"name": "by-hand", "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}}
    by_hand = {"metadata": meta, "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": []}
    cluster.client.create(ENDPOINTSLICES, by_hand)
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    assert one["metadata"]["name"] == "by-hand"
    assert legacy(cluster) is None


def test_endpoints_written_by_hand_are_mirrored_until_there_is_a_selector(cluster):
    a_service(cluster, selector={})
    subset = {"addresses": [{"ip": "192.0.2.1"}], "notReadyAddresses": [{"ip": "192.0.2.2"}], "ports": [{"port": 5432}]}
    meta = {"name": "web", "namespace": "default"}
    stored = cluster.client.create(ENDPOINTS, {"metadata": meta, "subsets": [subset]})
    assert stored["subsets"][0]["ports"][0]["protocol"] == "TCP"
    cluster.settle(*LOOPS)
    (one,) = slices(cluster)
    assert one["metadata"]["ownerReferences"] == [owner_reference(stored)]
    seen = {e["addresses"][0]: e["conditions"]["ready"] for e in one["endpoints"]}
    assert seen == {"192.0.2.1": True, "192.0.2.2": False}
    assert one["ports"][0]["port"] == 5432
    cluster.client.patch(SERVICES, "default", "web", {"spec": {"selector": {"app": "web"}}})
    cluster.settle(*LOOPS)
    (mine,) = slices(cluster)  # what was written by hand is asked no more
    assert mine["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"


def test_mirrored_slices_go_with_the_endpoints(cluster):
    a_service(cluster, selector={})
    meta = {"name": "web", "namespace": "default"}
    cluster.client.create(ENDPOINTS, {"metadata": meta, "subsets": [{"addresses": [{"ip": "192.0.2.1"}]}]})
    cluster.settle(*LOOPS)
    assert len(slices(cluster)) == 1
    cluster.client.delete(ENDPOINTS, "default", "web")
    cluster.settle(*LOOPS)
    assert slices(cluster) == []


def test_no_address_or_port_is_taken_that_nobody_can_have(cluster):
    meta = {"name": "web", "namespace": "default"}
    wrong = [{"addresses": [{"ip": ip}]} for ip in ("300.1.1.1", "127.0.0.1", "169.254.169.254")]
    here = {"addresses": [{"ip": "192.0.2.1"}]}
    for subset in (*wrong, {}, here | {"ports": [{"port": 70000}]}, here | {"ports": [{"port": 1}, {"port": 2}]}):
        with pytest.raises(ApiError) as refused:
            cluster.client.create(ENDPOINTS, {"metadata": meta, "subsets": [subset]})
        assert refused.value.code == 422


def test_all_goes_with_the_service(cluster):
    a_service(cluster)
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    cluster.client.delete(SERVICES, "default", "web")
    cluster.settle(*LOOPS)
    assert slices(cluster) == []
    assert legacy(cluster) is None


def test_a_pod_that_changes_its_labels_leaves_one_service_for_another(cluster):
    a_service(cluster)
    a_service(cluster, "green", {"app": "green"})
    add_pods(cluster, 1)
    cluster.settle(*LOOPS)
    cluster.client.patch(PODS, "default", "web-001", {"metadata": {"labels": {"app": "green"}}})
    cluster.settle(*LOOPS)
    assert endpoints(cluster) == {}
    assert list(endpoints(cluster, "green")) == ["web-001"]
