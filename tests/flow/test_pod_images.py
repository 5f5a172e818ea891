"""Images and configuration that are not there yet, and the words in which a pod waits for them."""

from .stage import condition_of, container, forever, pod, state_of, status_of

NOWHERE = "127.0.0.1:9/nothing:1"
CONFIG = {"configmaps": [{"metadata": {"name": "empty"}}]}
PODS = [
    pod("no-registry", container("main", image=NOWHERE), container("fine", forever("echo up"))),
    pod("always-pulled", container("main", imagePullPolicy="Always")),
    pod("no-config", container("main", envFrom=[{"configMapRef": {"name": "comes-later"}}])),
    pod("changing", container("main", image="orrery/hello:v1")),
]
NO_KEY = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "empty", "key": "none"}}}]
PROCESS_PODS = [
    pod("no-name", container("main", image="Not A Name")),
    pod("never-pulled", container("main", image="nothing:1", imagePullPolicy="Never")),
    pod("no-key", container("main", env=NO_KEY)),
]
DOCKER_PODS = [
    pod(
        "no-volume",
        container("main", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        volumes=[{"name": "v", "configMap": {"name": "volume-comes-later"}}],
    ),
    pod("no-program", container("main", **{"command": ["/no/such/program"]})),
]


def waits_because(reason: str):
    return lambda seen: state_of(seen) == reason


def message_of(seen: dict) -> str:
    return status_of(seen)["state"]["waiting"]["message"]


def test_an_image_that_cannot_be_pulled_is_tried_again_with_pauses_until_it_is_changed(stage):
    failed, pausing = stage.wait(
        "no-registry", "ErrImagePull, then ImagePullBackOff", *map(waits_because, ("ErrImagePull", "ImagePullBackOff"))
    )
    assert message_of(failed)
    assert message_of(pausing).startswith(f'Back-off pulling image "{NOWHERE}"')
    assert state_of(pausing, "fine") == "running"
    stage.told("no-registry", "Pulling", f'Pulling image "{NOWHERE}"')
    stage.told("no-registry", "Failed", "Error: ErrImagePull")
    stage.told("no-registry", "BackOff", f'Back-off pulling image "{NOWHERE}"')
    stage.patch("no-registry", {"spec": {"containers": [container("main"), container("fine", forever("echo up"))]}})
    healed = stage.ready("no-registry")
    assert status_of(healed)["restartCount"] == status_of(healed, "fine")["restartCount"] == 0


def test_a_name_that_is_none_is_not_asked_for(process_stage):
    seen = process_stage.wait("no-name", "InvalidImageName", waits_because("InvalidImageName"))[0]
    assert "couldn't parse image reference" in message_of(seen)


def test_an_image_that_must_not_be_pulled_is_waited_for(process_stage):
    seen = process_stage.wait("never-pulled", "ErrImageNeverPull", waits_because("ErrImageNeverPull"))[0]
    assert message_of(seen) == 'Container image "nothing:1" is not present with pull policy of Never'


def test_an_image_is_pulled_again_if_the_policy_says_always(stage):
    stage.ready("always-pulled")
    stage.told("always-pulled", "Pulling", 'Pulling image "orrery/hello:v1"')


def test_a_missing_config_map_holds_the_container_until_it_is_there(stage):
    seen = stage.wait("no-config", "CreateContainerConfigError", waits_because("CreateContainerConfigError"))[0]
    assert message_of(seen) == 'configmap "comes-later" not found'
    stage.create({"metadata": {"name": "comes-later"}, "data": {"x": "1"}}, "configmaps")
    assert status_of(stage.ready("no-config"))["restartCount"] == 0


def test_a_missing_key_is_named(process_stage):
    seen = process_stage.wait("no-key", "its wait", waits_because("CreateContainerConfigError"))[0]
    assert message_of(seen) == f"couldn't find key none in ConfigMap {process_stage.namespace}/empty"


def test_a_new_image_restarts_just_the_container(stage):
    uid = stage.ready("changing")["metadata"]["uid"]
    stage.patch("changing", {"spec": {"containers": [container("main", image="orrery/hello:v2")]}})
    changed = stage.wait(
        "changing",
        "the new image ready",
        lambda seen: (
            status_of(seen).get("image") == "orrery/hello:v2"
            and condition_of(seen) == "True"
            and status_of(seen)["restartCount"] == 1
        ),
    )[0]
    assert changed["metadata"]["uid"] == uid
    stage.told("changing", "Killing", "Container main definition changed, will be restarted")
    assert "hello v2" in stage.said("changing", "listens")


def test_a_volume_whose_source_is_missing_holds_the_pod_until_it_is_there(docker_stage):
    docker_stage.wait("no-volume", "waiting", waits_because("ContainerCreating"))
    docker_stage.create({"metadata": {"name": "volume-comes-later"}}, "configmaps")
    docker_stage.ready("no-volume")
    docker_stage.told("no-volume", "FailedMount", '"volume-comes-later" not found')


def test_a_program_that_is_not_there_is_a_run_container_error(docker_stage):
    seen = docker_stage.wait("no-program", "RunContainerError", waits_because("RunContainerError"))[0]
    assert "/no/such/program" in message_of(seen)
