"""The official Python client, over TLS with the kubeconfig as it is printed, into a real container: what it is told of
a pod's life, and what it has to say to it. The API alone is its subject in tests/apiserver.
"""

import secrets
from collections.abc import Iterator

import pytest
import yaml
from kubernetes import client, config, watch
from kubernetes.stream import portforward, stream

from ..labs import LabUnderTest, manage, wait_until
from .stage import IMAGE


@pytest.fixture
def core(docker_lab: LabUnderTest) -> Iterator[client.CoreV1Api]:
    """Its core API. Other than for typed requests, each stream wants one of its own."""
    config.load_kube_config_from_dict(yaml.safe_load(manage("kubeconfig", data=docker_lab.data).stdout))
    yield client.CoreV1Api()
    client.Configuration.set_default(None)


@pytest.fixture
def namespace(core: client.CoreV1Api) -> Iterator[str]:
    name = f"python-{secrets.token_hex(3)}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield name
    core.delete_namespace(name)
    gone = {"field_selector": f"metadata.name={name}"}
    wait_until("the namespace to go", lambda: not core.list_namespace(**gone).items, 60)


def deployment(name: str) -> client.V1Deployment:
    labels = {"app": name}
    container = client.V1Container(name="main", image=IMAGE, image_pull_policy="Never")
    container.ports = [client.V1ContainerPort(container_port=8080)]
    container.readiness_probe = client.V1Probe(
        http_get=client.V1HTTPGetAction(path="/", port=8080), period_seconds=1, initial_delay_seconds=0
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[container], termination_grace_period_seconds=1),
    )
    spec = client.V1DeploymentSpec(selector=client.V1LabelSelector(match_labels=labels), template=template)
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name), spec=spec)


def wait_for_pod(core: client.CoreV1Api, namespace: str) -> client.V1Pod:
    """The first one that is ready, as a watch tells it."""
    watching = watch.Watch()
    for event in watching.stream(core.list_namespaced_pod, namespace, timeout_seconds=180):
        pod = event["object"]
        if any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions or ()):
            watching.stop()
            return pod
    raise AssertionError("no pod became ready")


def test_a_pod_is_watched_entered_reached_and_listened_to(core, namespace):
    apps = client.AppsV1Api()
    apps.create_namespaced_deployment(namespace, deployment("web"))
    pod = wait_for_pod(core, namespace)
    where = (pod.metadata.name, namespace)
    assert pod.status.container_statuses[0].state.running.started_at.tzinfo

    commands = client.CoreV1Api()
    whole = {"stderr": True, "stdout": True, "stdin": False, "tty": False}
    script = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    talk = stream(commands.connect_get_namespaced_pod_exec, *where, command=script, _preload_content=False, **whole)
    talk.run_forever(timeout=60)
    assert (talk.read_stdout(), talk.read_stderr(), talk.returncode) == ("out\n", "err\n", 3)
    talk = stream(
        commands.connect_get_namespaced_pod_exec,
        *where,
        command=["sh"],
        _preload_content=False,
        **whole | {"stdin": True},
    )
    talk.write_stdin("echo $((6 * 7))\n")
    assert talk.readline_stdout(timeout=60) == "42"
    talk.close()

    through = portforward(commands.connect_get_namespaced_pod_portforward, *where, ports="8080")
    door = through.socket(8080)
    door.setblocking(True)
    door.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    heard = b"".join(iter(lambda: door.recv(65536), b""))
    assert heard.startswith(b"HTTP/1.1 200") and through.error(8080) is None
    door.close()

    container = ["sh", "-c", "echo followed >/proc/1/fd/1"]
    listening = watch.Watch()
    for line in listening.stream(client.CoreV1Api().read_namespaced_pod_log, *where):
        if line == "followed":
            break
        stream(commands.connect_get_namespaced_pod_exec, *where, command=container, **whole)
    listening.stop()
    assert "followed" in core.read_namespaced_pod_log(*where, tail_lines=50)

    refused = {"command": ["true"], "container": "none", "_preload_content": False}
    with pytest.raises(client.ApiException) as told:
        stream(commands.connect_get_namespaced_pod_exec, *where, **refused, **whole)
    assert "Handshake status 400" in told.value.reason and "container none is not valid for pod" in told.value.reason
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")
    wait_until("the pod to go with it", lambda: not core.list_namespaced_pod(namespace).items, 60)
