"""The official Python client, over TLS with the kubeconfig as it is printed, against the API alone."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import yaml
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from lab.management.commands.kubeconfig import credentials, kubeconfig
from lab.store import compact

from .conftest import deployment

DEFAULT = "default"


@pytest.fixture
def k8s(api, tls_server) -> Iterator[SimpleNamespace]:
    """Its typed parts, each with a connection of its own."""
    config.load_kube_config_from_dict(kubeconfig(DEFAULT, f"https://127.0.0.1:{tls_server}/", *credentials()))
    yield SimpleNamespace(core=client.CoreV1Api(), apps=client.AppsV1Api(), scaling=client.AutoscalingV2Api())
    client.Configuration.set_default(None)


def config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"set": "a"}), data=data)


def refused(code: int, reason: str, call, *words, **more) -> str:
    """The message of the Status that it is refused with."""
    with pytest.raises(ApiException) as told:
        call(*words, **more)
    status = yaml.safe_load(told.value.body)
    assert (told.value.status, status["code"], status["reason"]) == (code, code, reason)
    return status["message"]


def test_typed_objects_are_made_read_replaced_and_deleted(k8s):
    made = k8s.core.create_namespaced_config_map(DEFAULT, config_map("a", colour="red"))
    assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
    read = k8s.core.read_namespaced_config_map("a", DEFAULT)
    read.data["colour"] = "green"
    assert k8s.core.replace_namespaced_config_map("a", DEFAULT, read).data == {"colour": "green"}
    said = refused(409, "Conflict", k8s.core.replace_namespaced_config_map, "a", DEFAULT, read)
    assert said.startswith('Operation cannot be fulfilled on configmaps "a": the object has been modified;')
    gone = k8s.core.delete_namespaced_config_map("a", DEFAULT)
    assert (gone["status"], gone["details"]["uid"]) == ("Success", made.metadata.uid)
    assert refused(404, "NotFound", k8s.core.read_namespaced_config_map, "a", DEFAULT) == 'configmaps "a" not found'


def test_a_refusal_is_an_exception_with_its_status(k8s):
    k8s.core.create_namespaced_config_map(DEFAULT, config_map("a"))
    said = refused(409, "AlreadyExists", k8s.core.create_namespaced_config_map, DEFAULT, config_map("a"))
    assert said == 'configmaps "a" already exists'
    said = refused(422, "Invalid", k8s.core.create_namespaced_config_map, DEFAULT, config_map("A"))
    assert said.startswith('ConfigMap "A" is invalid: metadata.name: Invalid value: "A"')
    wrong = deployment("web")
    wrong["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    said = refused(422, "Invalid", k8s.apps.create_namespaced_deployment, DEFAULT, wrong)
    assert "`selector` does not match template `labels`" in said


def test_a_list_comes_in_pages_of_one_revision_until_they_expire(k8s):
    for number in range(5):
        k8s.core.create_namespaced_config_map(DEFAULT, config_map(f"c{number}"))
    whole = k8s.core.list_namespaced_config_map(DEFAULT, label_selector="set=a")
    ask = {"limit": 2, "label_selector": "set=a"}
    page = k8s.core.list_namespaced_config_map(DEFAULT, **ask)
    names, revisions = [each.metadata.name for each in page.items], {page.metadata.resource_version}
    k8s.core.create_namespaced_config_map(DEFAULT, config_map("c9"))
    first = page.metadata._continue
    while page.metadata._continue:
        page = k8s.core.list_namespaced_config_map(DEFAULT, _continue=page.metadata._continue, **ask)
        names += [each.metadata.name for each in page.items]
        revisions.add(page.metadata.resource_version)
    assert names == [f"c{number}" for number in range(5)] == [each.metadata.name for each in whole.items]
    assert revisions == {whole.metadata.resource_version}
    compact(DEFAULT, keep=0)
    said = refused(410, "Expired", k8s.core.list_namespaced_config_map, DEFAULT, _continue=first, **ask)
    assert "continue" in said


def test_a_watch_is_resumed_where_it_was_left_and_knows_when_it_is_too_late(k8s):
    maps, selected = k8s.core.list_namespaced_config_map, {"label_selector": "set=a"}
    began = maps(DEFAULT).metadata.resource_version
    k8s.core.create_namespaced_config_map(DEFAULT, config_map("a"))
    k8s.core.patch_namespaced_config_map("a", DEFAULT, {"data": {"x": "y"}})
    k8s.core.delete_namespaced_config_map("a", DEFAULT)

    def told(since: str, count: int) -> list[tuple[str, str]]:
        seen, watching = [], watch.Watch()
        for event in watching.stream(maps, DEFAULT, resource_version=since, **selected):
            seen.append((event["type"], event["object"].metadata.resource_version))
            if len(seen) == count:
                watching.stop()
        return seen

    (first, second, third) = told(began, 3)
    assert [kind for kind, _ in (first, second, third)] == ["ADDED", "MODIFIED", "DELETED"]
    assert told(first[1], 2) == [second, third]
    compact(DEFAULT, keep=0)
    with pytest.raises(ApiException) as late:  # the client tries once more by itself, in vain
        told(first[1], 1)
    assert late.value.status == 410 and "too old resource version" in late.value.reason


def test_the_patches_that_the_client_chooses_by_their_shape_and_scale(k8s):
    k8s.apps.create_namespaced_deployment(DEFAULT, deployment("web", 1))
    containers = [{"name": "app", "env": [{"name": "COLOUR", "value": "red"}]}, {"name": "side", "image": "busybox:2"}]
    strategic = {"spec": {"template": {"spec": {"containers": containers}}}}
    patched = k8s.apps.patch_namespaced_deployment("web", DEFAULT, strategic).spec.template.spec.containers
    assert {each.name: each.image for each in patched} == {"app": "busybox:1", "side": "busybox:2"}
    listed = [{"op": "test", "path": "/spec/replicas", "value": 1}]
    listed += [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    assert k8s.apps.patch_namespaced_deployment("web", DEFAULT, listed).spec.replicas == 2
    refused(422, "Invalid", k8s.apps.patch_namespaced_deployment, "web", DEFAULT, listed)
    merge = {"spec": {"template": {"spec": {"containers": containers[1:]}}}}
    merged = k8s.apps.patch_namespaced_deployment(
        "web", DEFAULT, merge, _content_type="application/merge-patch+json"
    ).spec.template.spec.containers
    assert [each.name for each in merged] == ["side"]
    scale = k8s.apps.read_namespaced_deployment_scale("web", DEFAULT)
    scale.spec.replicas = 4
    assert k8s.apps.replace_namespaced_deployment_scale("web", DEFAULT, scale).spec.replicas == 4
    k8s.apps.patch_namespaced_deployment_scale("web", DEFAULT, {"spec": {"replicas": 5}})
    assert k8s.apps.read_namespaced_deployment("web", DEFAULT).spec.replicas == 5


def test_the_dynamic_client_finds_kinds_and_applies_from_the_server(k8s):
    kinds = dynamic.DynamicClient(client.ApiClient()).resources
    deployments = kinds.get(api_version="apps/v1", kind="Deployment")
    assert kinds.get(api_version="orrery.io/v1", kind="Release").namespaced
    applied = deployments.server_side_apply(deployment("web", 2), namespace=DEFAULT, field_manager="ours")
    assert applied.metadata.managedFields[0].manager == "ours"
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    with pytest.raises(dynamic.exceptions.ConflictError) as conflict:
        deployments.server_side_apply(other, namespace=DEFAULT, field_manager="theirs")
    assert 'conflict with "ours": .spec.replicas' in conflict.value.summary()
    forced = deployments.server_side_apply(other, namespace=DEFAULT, field_manager="theirs", force_conflicts=True)
    assert forced.spec.replicas == 3
    event = next(deployments.watch(namespace=DEFAULT, timeout=5))
    assert (event["type"], event["object"].metadata.name) == ("ADDED", "web")


def test_an_event_and_an_autoscaler_are_made_and_read(k8s):
    about = {"kind": "Pod", "name": "web", "namespace": DEFAULT}
    new = {"metadata": {"name": "seen"}, "involvedObject": about, "reason": "Seen", "message": "it was seen"}
    new |= {"eventTime": "2026-05-20T12:00:00.123456Z", "type": "Normal", "reportingComponent": "ours"}
    assert k8s.core.create_namespaced_event(DEFAULT, new).event_time.microsecond == 123456
    (told,) = k8s.core.list_namespaced_event(DEFAULT, field_selector="involvedObject.name=web,reason=Seen").items
    assert (told.message, told.involved_object.kind, told.reporting_component) == ("it was seen", "Pod", "ours")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = {"metadata": {"name": "web"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3}}
    scaler = k8s.scaling.create_namespaced_horizontal_pod_autoscaler(DEFAULT, scaler)
    assert scaler.spec.metrics[0].resource.target.average_utilization == 80


def test_one_leads_and_another_follows_when_it_has_given_up(k8s):
    """The client's own election: who leads gives up when its work fails, and stops renewing its Lease."""
    led: list[str] = []

    def candidate(who: str) -> threading.Thread:
        def work() -> None:
            led.append(who)
            raise RuntimeError(f"{who} gives up")

        limits = {"lease_duration": 3, "renew_deadline": 2, "retry_period": 1, "onstopped_leading": lambda: None}
        election = LeaderElection(Config(LeaseLock("leader", DEFAULT, who), onstarted_leading=work, **limits))
        thread = threading.Thread(target=election.run, daemon=True)
        thread.start()
        return thread

    for thread in [candidate("first"), candidate("second")]:
        thread.join(120)
    assert sorted(led) == ["first", "second"]
    assert client.CoordinationV1Api().read_namespaced_lease("leader", DEFAULT).spec.holder_identity == led[-1]


def test_a_file_of_several_kinds_is_created(k8s, tmp_path):
    file = tmp_path / "shop.yaml"
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    file.write_text(yaml.safe_dump_all([service, deployment("web")]))
    made = utils.create_from_yaml(client.ApiClient(), str(file), namespace=DEFAULT)
    assert [each[0].metadata.name for each in made] == ["web", "web"]
    assert k8s.core.read_namespaced_service("web", DEFAULT).spec.cluster_ip
    with pytest.raises(utils.FailToCreateError) as failed:
        utils.create_from_yaml(client.ApiClient(), str(file), namespace=DEFAULT)
    assert [each.status for each in failed.value.api_exceptions] == [409, 409]
