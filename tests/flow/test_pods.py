"""What a pod's spec promises its containers: order, a shared network, an environment, files, limits."""

import re

from .stage import condition_of, container, ended_of, forever, phase_of, pod, state_of, status_of

CONFIG = {
    "configmaps": [
        {"metadata": {"name": "settings"}, "data": {"color": "blue", "app.conf": "port = 80\n"}},
        {"metadata": {"name": "changing"}, "data": {"key": "before"}},
    ],
    "secrets": [{"metadata": {"name": "token"}, "stringData": {"password": "s3cret"}}],
}

FETCH = "import os, urllib.request as u; print(u.urlopen('http://%s:8080/healthz' % os.environ['IP']).read().decode())"
EAT = 'import time; time.sleep(1); x = b"x" * (200 << 20); time.sleep(30)'
ENVIRONMENT = [
    {"name": "PLAIN", "value": "one"},
    {"name": "COMBINED", "value": "$(PLAIN)-$(COLOR) $$(PLAIN) $(UNKNOWN)"},
    {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
    {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "token", "key": "password"}}},
    {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "nowhere", "key": "x", "optional": True}}},
    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "SPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['test']"}}},
    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
    {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
    {"name": "LATER", "value": "$(COLOR)"},
]
RESOURCES = {"requests": {"memory": "32Mi", "cpu": "50m"}, "limits": {"memory": "64Mi", "cpu": "500m"}}
IP = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]

PODS = [
    pod(
        "in-order",
        container("main", forever("echo up")),
        initContainers=[container("first", "sleep 0.3"), container("second", "sleep 0.3")],
    ),
    pod("shared", container("server"), container("client", forever(f'sleep 1; python3 -c "{FETCH}"'), env=IP)),
    pod(
        "environment",
        container(
            "main",
            forever("env; echo END"),
            env=ENVIRONMENT,
            envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "C_"}, {"secretRef": {"name": "token"}}],
            resources=RESOURCES,
        ),
    ),
    pod("arguments", container("main", **{"command": ["echo"], "args": ["$(WHO)", "$$(WHO)"], "env": [
        {"name": "WHO", "value": "world"}]}), restartPolicy="Never"),
    pod(
        "hungry",
        container("main", f"exec python3 -c '{EAT}'", resources=RESOURCES),
    ),
    pod(
        "sidecar",
        container("main", "sleep 1; echo done"),
        initContainers=[
            container("proxy", forever("echo proxying"), restartPolicy="Always"),
            container("setup", "echo set up"),
        ],
        restartPolicy="Never",
    ),
]  # fmt: skip
VOLUMES = [
    {"name": "scratch", "emptyDir": {}},
    {"name": "host", "hostPath": {"path": "/var/lib/it", "type": "DirectoryOrCreate"}},
    {"name": "settings", "configMap": {"name": "settings", "items": [{"key": "app.conf", "path": "conf/app"}]}},
    {"name": "token", "secret": {"secretName": "token", "defaultMode": 0o440}},
    {
        "name": "about",
        "downwardAPI": {
            "items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "cpu", "resourceFieldRef": {"containerName": "reader", "resource": "limits.cpu"}},
            ]
        },
    },
    {
        "name": "all",
        "projected": {"sources": [{"configMap": {"name": "settings"}}, {"secret": {"name": "token"}}]},
    },
    {"name": "changing", "configMap": {"name": "changing"}},
]
MOUNTS = [{"name": volume["name"], "mountPath": f"/mnt/{volume['name']}"} for volume in VOLUMES]
READ = "; ".join(
    f"echo {path}=$(cat /mnt/{path})"
    for path in (
        "scratch/greeting",
        "host/note",
        "settings/conf/app",
        "about/labels",
        "about/cpu",
        "all/color",
        "all/password",
    )
)
DOCKER_PODS = [
    pod(
        "volumes",
        container(
            "reader", forever(f"{READ}; cat /mnt/token/password; echo END"), volumeMounts=MOUNTS, resources=RESOURCES
        ),
        container(
            "watcher",
            forever("while [ $(cat /mnt/changing/key) = before ]; do sleep 0.1; done; echo changed"),
            volumeMounts=[{"name": "changing", "mountPath": "/mnt/changing", "readOnly": True}],
        ),
        initContainers=[container(
            "writer", "echo hello > /mnt/scratch/greeting; echo kept > /mnt/host/note", volumeMounts=MOUNTS[:2]
        )],
        volumes=VOLUMES,
        securityContext={"runAsUser": 0},
    ),
    pod(
        "limited",
        container("main", forever("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
                                  " /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max; echo END"), resources=RESOURCES),
    ),
    pod("named", container("main", "hostname; id -u; id -g"), hostname="given", restartPolicy="Never",
        securityContext={"runAsUser": 1234, "runAsGroup": 5678}),
]  # fmt: skip


def test_init_containers_run_one_after_the_other_before_the_main_one(stage):
    stage.ready("in-order")
    for seen in stage.history("in-order"):
        if status_of(seen, "second").get("started") or state_of(seen, "second") in ("running", "terminated"):
            assert ended_of(seen, "first").get("exitCode") == 0
        if state_of(seen, "main") == "running":
            assert ended_of(seen, "second").get("exitCode") == 0
    waiting = stage.wait("in-order", "initializing", lambda seen: state_of(seen, "first") == "running")[0]
    assert (phase_of(waiting), condition_of(waiting, "Initialized")) == ("Pending", "False")
    assert state_of(waiting, "main") == "PodInitializing"


def test_containers_of_a_pod_share_one_network(stage):
    assert stage.said("shared", "ok", container="client").strip() == "ok"


def test_the_environment_comes_from_values_config_maps_secrets_and_fields(stage):
    seen = stage.ready("environment")
    lines = stage.said("environment", "END").splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    expected = {
        "PLAIN": "one", "COMBINED": "one-$(COLOR) $(PLAIN) $(UNKNOWN)", "COLOR": "blue", "PASSWORD": "s3cret",
        "POD": "environment", "SPACE": stage.namespace, "NODE": seen["spec"]["nodeName"], "IP": seen["status"]["podIP"],
        "LABEL": "environment", "CPU": "500", "MEMORY": "32", "LATER": "blue", "C_color": "blue",
        "password": "s3cret",
    }  # fmt: skip
    assert {name: told.get(name) for name in expected} == expected
    assert "ABSENT" not in told


def test_variables_are_expanded_in_arguments(stage):
    assert stage.said("arguments", "\n") == "world $(WHO)\n"


def test_a_container_above_its_memory_limit_is_oom_killed(stage):
    # Docker's engine says it of most, not of all: then the container's next life is looked at.
    stage.wait("hungry", "its end for that reason", lambda seen: was_oom_killed(status_of(seen)), seconds=90)


def was_oom_killed(status: dict) -> bool:
    ends = [status.get(state, {}).get("terminated", {}) for state in ("state", "lastState")]
    return any((end.get("reason"), end.get("exitCode")) == ("OOMKilled", 137) for end in ends)


def test_a_sidecar_starts_first_and_ends_with_the_last_main_container(stage):
    done = stage.wait("sidecar", "succeeded", lambda seen: phase_of(seen) == "Succeeded")[0]
    stage.wait("sidecar", "the sidecar's end", lambda seen: state_of(seen, "proxy") == "terminated")
    for seen in stage.history("sidecar"):
        if state_of(seen, "setup") in ("running", "terminated"):
            assert status_of(seen, "proxy")["started"] or phase_of(seen) == "Succeeded"
    assert ended_of(done, "setup")["exitCode"] == ended_of(done, "main")["exitCode"] == 0
    assert "proxying" in stage.log("sidecar", container="proxy")


def test_volumes_hold_what_their_sources_say(docker_stage):
    docker_stage.ready("volumes")
    told = docker_stage.said("volumes", "END", container="reader")
    assert "scratch/greeting=hello\nhost/note=kept\n" in told
    assert "settings/conf/app=port = 80\n" in told
    assert 'about/labels=test="volumes"\n' in told
    assert "about/cpu=1\n" in told  # half a core, in whole ones, rounded up
    assert "all/color=blue\nall/password=s3cret\n" in told
    assert told.endswith("s3cretEND\n")


def test_a_changed_config_map_reaches_the_running_container(docker_stage):
    docker_stage.ready("volumes")
    path = f"{docker_stage.path}/configmaps/changing"
    docker_stage.lab.api("PATCH", path, {"data": {"key": "after"}}, content_type="application/merge-patch+json")
    docker_stage.said("volumes", "changed", container="watcher")
    assert status_of(docker_stage.now("volumes"), "watcher")["restartCount"] == 0


def test_limits_are_those_of_the_containers_cgroup(docker_stage):
    told = docker_stage.said("limited", "END")
    assert str(64 << 20) in told
    assert re.search(r"^50000( 100000)?$", told, re.MULTILINE)


def test_hostname_user_and_group_are_the_specs(docker_stage):
    assert docker_stage.said("named", "5678").split() == ["given", "1234", "5678"]
