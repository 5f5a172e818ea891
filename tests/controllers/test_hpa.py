"""The HorizontalPodAutoscaler controller on the real store, with figures published as the kubelet and the proxy do."""

import pytest

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, PODS, REPLICATIONCONTROLLERS, STATEFULSETS
from lab.apimachinery.meta import condition
from lab.client import Client, Put
from lab.controllers.horizontalpodautoscaler.controller import MEMORY, HorizontalPodAutoscalerController

from .cluster import Cluster

KEY = "default/web"
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


def traffic_metric(name: str, kind: str = "Object", **target: str) -> dict:
    target = {"type": "AverageValue" if "averageValue" in target else "Value", **target}
    source = {"metric": {"name": name}, "target": target}
    if kind == "Object":
        source["describedObject"] = {"apiVersion": "v1", "kind": "Service", "name": "web"}
    return {"type": kind, kind.lower(): source}


class Scaled:
    """A deployment with pods that are ready for long, and an autoscaler for it."""

    def __init__(self, cluster: Cluster, replicas: int = 2):
        self.cluster, self.client = cluster, cluster.client
        template = {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web", "resources": {"requests": {"cpu": "200m"}}}]},
        }
        cluster.deploy(replicas, template=template)
        self.run()
        self.loop = HorizontalPodAutoscalerController()
        self.publish_cpu(None)
        self.publish_traffic(None)

    def run(self) -> None:
        """All its pods run, and are ready since long ago."""
        self.cluster.settle()
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"}
        status = {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "conditions": [ready]}
        self.client.write([Put(PODS, {**pod, "status": status}, "status") for pod in self.cluster.pods()])
        self.cluster.settle()

    def create(self, *metrics_: dict, most: int = 10, target: str = "web", **spec) -> dict:
        ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
        spec = {
            "scaleTargetRef": ref,
            "minReplicas": 1,
            "maxReplicas": most,
            "metrics": list(metrics_ or (CPU,)),
            **spec,
        }
        return self.client.create(
            HORIZONTALPODAUTOSCALERS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
        )

    def publish_cpu(self, millis: float | None) -> None:
        uids = [pod["metadata"]["uid"] for pod in self.cluster.pods()] if millis is not None else []
        used = {"cpuMillis": millis, "memoryBytes": 1 << 20}
        usage = {uid: {**used, "containers": {"web": used}} for uid in uids}
        metrics.publish(self.cluster.name, metrics.POD_USAGE, "test", usage)

    def publish_traffic(self, rate: float | None, ms: float = 10.0, errors: float = 0.0) -> None:
        uids = [pod["metadata"]["uid"] for pod in self.cluster.pods()]
        server = {"requests": 1, "errors": 0, "inFlight": 0, "rate": rate, "errorRate": errors, "meanMs": ms}
        figures = {"default/web:http": {"servers": dict.fromkeys(uids, server)}} if rate is not None else {}
        metrics.publish(self.cluster.name, metrics.TRAFFIC, "test", figures)

    def look(self) -> int:
        """One look of the controller; how many replicas the deployment has afterwards."""
        client = Client(self.cluster.name, self.loop.author)
        assert self.loop.sync(client, KEY)
        return self.cluster.deployment()["spec"]["replicas"]

    @property
    def scaler(self) -> dict:
        return self.client.get(HORIZONTALPODAUTOSCALERS, "default", "web")

    def says(self, kind: str) -> tuple[str, str]:
        found = condition(self.scaler, kind)
        return found["status"], found["reason"]


@pytest.fixture
def scaled(cluster) -> Scaled:
    return Scaled(cluster)


def test_it_scales_up_by_cpu_and_says_why(scaled):
    scaled.create()
    scaled.publish_cpu(190)
    assert scaled.look() == 4
    status = scaled.scaler["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (2, 4)
    assert status["lastScaleTime"]
    assert status["currentMetrics"][0]["resource"]["current"] == {"averageUtilization": 95, "averageValue": "190m"}
    assert scaled.says("ScalingActive") == ("True", "ValidMetricFound")
    assert scaled.says("AbleToScale") == ("True", "SucceededRescale")
    assert scaled.cluster.events("SuccessfulRescale") == [
        "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    ]
    why = scaled.client.history(DEPLOYMENTS, "default", "web")[0]["why"]
    assert (why["current"], why["recommended"], why["desired"]) == (2, 4, 4)
    metric = why["metrics"][0]
    assert (metric["current"], metric["target"], metric["ratio"], metric["proposal"]) == ("95%", "50%", 1.9, 4)


def test_one_container_may_be_what_counts(scaled):
    target = {"type": "Utilization", "averageUtilization": 50}
    source = {"name": "cpu", "container": "web", "target": target}
    scaled.create({"type": "ContainerResource", "containerResource": source})
    scaled.publish_cpu(190)
    assert scaled.look() == 4
    assert "cpu container resource utilization" in scaled.cluster.events("SuccessfulRescale")[0]


def test_a_pod_that_begins_is_judged_by_its_memory_and_not_by_its_cpu(scaled):
    beginning = "2126-01-01T00:00:00Z"  # however slow the machine is
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": beginning}
    status = {"phase": "Running", "startTime": beginning, "conditions": [ready]}
    scaled.client.write([Put(PODS, {**pod, "status": status}, "status") for pod in scaled.cluster.pods()])
    scaled.create()
    scaled.publish_cpu(190)
    assert scaled.look() == 2
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "512Ki"}}
    spec = {"metrics": [{"type": "Resource", "resource": memory}]}
    scaled.client.patch(HORIZONTALPODAUTOSCALERS, "default", "web", {"spec": spec})
    assert scaled.look() == 4


def test_it_says_which_rule_held_it_back(scaled):
    scaled.create()
    scaled.publish_cpu(2000)
    assert scaled.look() == 4
    assert scaled.says("ScalingLimited") == ("True", "ScaleUpLimit")
    why = scaled.client.history(DEPLOYMENTS, "default", "web")[0]["why"]
    assert (why["recommended"], why["limited"]) == (40, {"to": 4, "by": "ScaleUpLimit"})


def test_what_it_was_scaled_by_counts_against_its_policies(scaled):
    three = {"policies": [{"type": "Pods", "value": 3, "periodSeconds": 60}]}
    scaled.create(behavior={"scaleUp": three})
    scaled.publish_cpu(150)
    assert scaled.look() == 3
    scaled.publish_cpu(2000)
    assert scaled.look() == 5
    assert scaled.says("ScalingLimited") == ("True", "ScaleUpLimit")


def test_it_comes_back_only_after_the_window_whoever_looks(scaled, settings):
    scaled.create()
    scaled.publish_cpu(200)
    scaled.look()
    scaled.run()
    scaled.publish_cpu(0)
    scaled.loop = HorizontalPodAutoscalerController()  # another worker
    assert scaled.look() == 4
    assert scaled.says("AbleToScale") == ("True", "ScaleDownStabilized")
    settings.CLOCK = {**settings.CLOCK, "hpa_downscale_stabilization": 0.0}
    assert scaled.look() == 1
    assert scaled.cluster.events("SuccessfulRescale")[0] == "New size: 1; reason: All metrics below target"


def test_the_metric_that_asks_for_most_wins(scaled):
    scaled.create(CPU, traffic_metric("requests_per_second", "Pods", averageValue="10"))
    scaled.publish_cpu(0)
    scaled.publish_traffic(rate=15)
    assert scaled.look() == 3
    assert "pods metric requests_per_second above target" in scaled.cluster.events("SuccessfulRescale")[0]
    assert scaled.scaler["status"]["currentMetrics"][1]["pods"]["current"] == {"averageValue": "15"}


def test_slower_than_two_seconds_is_one_more(scaled):
    one_more = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}}
    scaled.create(traffic_metric("latency_ms", value="2k"), behavior=one_more)
    scaled.publish_traffic(rate=3, ms=1900)
    assert scaled.look() == 2
    scaled.publish_traffic(rate=3, ms=9000)
    assert scaled.look() == 3
    assert "Service metric latency_ms above target" in scaled.cluster.events("SuccessfulRescale")[0]


@pytest.mark.parametrize(("kind", "target"), [("Object", "averageValue"), ("External", "averageValue")])
def test_requests_are_shared_out(scaled, kind, target):
    scaled.create(traffic_metric("requests_per_second", kind, **{target: "10"}))
    scaled.publish_traffic(rate=18)
    assert scaled.look() == 4  # 36 a second, of which each should have 10


def test_without_metrics_nothing_is_scaled_and_the_condition_says_so(scaled):
    scaled.create()
    assert scaled.look() == 2
    found = condition(scaled.scaler, "ScalingActive")
    assert (found["status"], found["reason"]) == ("False", "FailedGetResourceMetric")
    assert found["message"] == (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for "
        "resource cpu: no metrics returned from resource metrics API"
    )
    before = scaled.cluster.revisions()
    scaled.look()
    assert scaled.cluster.revisions() == before  # said once is enough
    assert len(scaled.cluster.events("FailedGetResourceMetric")) == 1


def test_one_unknown_metric_does_not_keep_it_from_growing_but_from_shrinking(scaled):
    scaled.create(CPU, traffic_metric("requests_per_second", value="10"))
    scaled.publish_traffic(rate=1)
    assert scaled.look() == 2
    assert scaled.says("ScalingActive") == ("False", "FailedGetResourceMetric")
    scaled.publish_traffic(rate=9)
    assert scaled.look() == 4


def test_a_metric_that_nobody_offers_is_named(scaled):
    scaled.create(traffic_metric("smiles", value="10"))
    scaled.publish_traffic(rate=1)
    scaled.look()
    assert "could not find the metric smiles" in condition(scaled.scaler, "ScalingActive")["message"]


def test_a_target_that_is_missing_or_cannot_be_scaled_is_named(scaled):
    scaled.create(target="nowhere")
    scaled.look()
    message = condition(scaled.scaler, "AbleToScale")["message"]
    assert message.endswith('target\'s current scale: deployments.apps "nowhere" not found')
    assert (scaled.scaler["status"]["currentReplicas"], scaled.scaler["status"]["desiredReplicas"]) == (0, 0)
    ref = {"apiVersion": "v1", "kind": "Pod", "name": "web"}
    scaled.client.patch(HORIZONTALPODAUTOSCALERS, "default", "web", {"spec": {"scaleTargetRef": ref}})
    scaled.look()
    assert condition(scaled.scaler, "AbleToScale")["message"].endswith('no matches for kind "Pod" in group ""')


def test_zero_replicas_switch_it_off(scaled):
    scaled.create()
    scaled.publish_cpu(400)
    scaled.cluster.patch(replicas=0)
    assert scaled.look() == 0
    assert scaled.says("ScalingActive") == ("False", "ScalingDisabled")


def test_two_autoscalers_of_one_deployment_both_keep_their_hands_off_it_and_name_each_other(scaled):
    scaled.create()
    scaled.publish_cpu(400)
    other = {**scaled.scaler, "metadata": {"name": "web-too", "namespace": "default"}}
    scaled.client.create(HORIZONTALPODAUTOSCALERS, other)
    assert scaled.look() == 2
    assert scaled.says("ScalingActive") == ("False", "AmbiguousSelector")
    words = "pods by selector app=web are controlled by multiple HPAs: [default/web default/web-too]"
    assert scaled.cluster.events("AmbiguousSelector") == [words]
    scaled.client.delete(HORIZONTALPODAUTOSCALERS, "default", "web-too")
    assert scaled.look() == 4


@pytest.mark.parametrize(
    ("name", "target"), [("latency_ms", {"value": "100"}), ("requests_per_second", {"averageValue": "10"})]
)
def test_pods_that_a_release_keeps_beside_the_others_are_no_reason_to_scale(scaled, name, target):
    """Ten pods are asked for, and there are twenty for a while: all is well at 100 ms, and at 100 requests a second."""
    scaled.cluster.patch(replicas=10)
    scaled.run()
    scaled.create(traffic_metric(name, **target), most=40)
    scaled.publish_traffic(rate=10, ms=100)
    scaled.client.patch(
        DEPLOYMENTS,
        "default",
        "web",
        {"metadata": {"annotations": {"orrery.io/replicas-new": "10", "orrery.io/replicas-old": "10"}}},
    )
    scaled.cluster.release("v2")
    scaled.run()
    assert len(scaled.cluster.pods()) == 20
    assert scaled.look() == 10
    scaled.publish_traffic(rate=5.25, ms=105)  # a little more is tolerated
    assert scaled.look() == 10
    half_more = {"ms": 150} if name == "latency_ms" else {"rate": 7.5}
    scaled.publish_traffic(**{"rate": 5, "ms": 100, **half_more})  # of each of the twenty
    assert scaled.look() == 15


def test_a_target_without_pods_has_no_latency_to_go_by(scaled):
    scaled.create(traffic_metric("latency_ms", value="100"))
    scaled.publish_traffic(rate=1, ms=300)
    scaled.client.delete_these(PODS, scaled.cluster.pods(), 0)
    assert scaled.look() == 2
    assert "no pods returned by selector" in condition(scaled.scaler, "ScalingActive")["message"]


def test_a_person_who_scales_too_is_brought_within_bounds(scaled):
    scaled.create(most=5)
    scaled.publish_cpu(100)
    scaled.cluster.patch(replicas=9)
    assert scaled.look() == 5
    assert "Current number of replicas above Spec.MaxReplicas" in scaled.cluster.events("SuccessfulRescale")[0]


def test_a_person_who_is_faster_is_not_overwritten(scaled, monkeypatch):
    """The scale is written from what was read, or not at all; the next look begins with the new number."""
    scaled.create()
    scaled.publish_cpu(190)
    write, looked = Client.write, []

    def meanwhile(client, puts):
        if not looked:
            looked.append(1)
            scaled.cluster.patch(replicas=3)
        return write(client, puts)

    monkeypatch.setattr(Client, "write", meanwhile)
    with pytest.raises(ApiError) as lost:
        scaled.look()
    assert lost.value.code == 409
    assert scaled.cluster.deployment()["spec"]["replicas"] == 3
    assert "lastScaleTime" not in scaled.scaler.get("status", {})


def test_what_it_remembers_may_be_taken_away_or_spoilt(scaled):
    scaled.create()
    scaled.publish_cpu(100)
    endless, deep = '{"recommendations": [[0, 1e999]]}', "[" * 100_000
    for spoilt in ("no json", "[1]", '{"recommendations": 7}', endless, deep, None):
        patch = {"metadata": {"annotations": {MEMORY: spoilt}}}
        scaled.client.patch(HORIZONTALPODAUTOSCALERS, "default", "web", patch)
        assert scaled.look() == 2
    assert "recommendations" in scaled.scaler["metadata"]["annotations"][MEMORY]


def test_a_quiet_target_costs_no_revisions(scaled):
    scaled.create()
    scaled.publish_cpu(100)
    scaled.look()
    before = scaled.cluster.revisions()
    for millis in (100, 101, 102, 103):
        scaled.publish_cpu(millis)
        scaled.look()
    assert scaled.cluster.revisions() == before


def test_what_makes_no_sense_is_refused(scaled):
    for spec, field in (
        ({"most": 0}, "spec.maxReplicas"),
        ({"minReplicas": 11}, "spec.maxReplicas"),
        ({"minReplicas": 0}, "spec.minReplicas"),
        ({"scaleTargetRef": {"kind": "Deployment"}}, "spec.scaleTargetRef.name"),
        ({"metrics": [{"type": "Pods"}]}, "spec.metrics[0].pods"),
        ({"metrics": [{"type": "Moods", "pods": {}}]}, "spec.metrics[0].type"),
        ({"metrics": [{**CPU, "pods": {"metric": {"name": "x"}}}]}, "spec.metrics[0].pods"),
        ({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0}]}}}, "scaleUp.policies[0].value"),
    ):
        with pytest.raises(ApiError) as refused:
            scaled.create(**spec)
        assert refused.value.code == 422
        assert field in refused.value.message


def test_behavior_is_filled_in_as_kubernetes_does(scaled):
    made = scaled.create(behavior={"scaleDown": {"stabilizationWindowSeconds": 60}})
    up, down = made["spec"]["behavior"]["scaleUp"], made["spec"]["behavior"]["scaleDown"]
    assert up["policies"] == [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]
    assert up["stabilizationWindowSeconds"] == 0
    assert (down["selectPolicy"], down["stabilizationWindowSeconds"]) == ("Max", 60)


def test_whatever_has_a_scale_can_be_its_target(scaled):
    """A ReplicationController, whose selector is no object, and a StatefulSet: their pods are counted as others are."""
    meta, template = {"name": "db", "namespace": "default"}, {"metadata": {"labels": {"app": "web"}}}
    template["spec"] = {"containers": [{"name": "web", "image": "web"}]}
    loop = HorizontalPodAutoscalerController()
    for kind, selector in ((REPLICATIONCONTROLLERS, {"app": "web"}), (STATEFULSETS, {"matchLabels": {"app": "web"}})):
        scaled.client.create(kind, {"metadata": meta, "spec": {"selector": selector, "template": template}})
        ref = {"apiVersion": kind.api_version, "kind": kind.kind, "name": "db"}
        scaled.create(scaleTargetRef=ref, minReplicas=3)
        loop.sync(Client(scaled.cluster.name, loop.author), KEY)
        assert scaled.client.get(kind, "default", "db")["spec"]["replicas"] == 3
        scaled.client.delete(HORIZONTALPODAUTOSCALERS, "default", "web")
