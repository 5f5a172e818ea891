"""What a pod may ask for, and is not given here: it is taken with a warning, never in silence."""

from collections.abc import Iterator

OF_POD = ("hostAliases", "hostUsers", "imagePullSecrets", "resourceClaims", "runtimeClassName", "setHostnameAsFQDN")
OF_SECURITY = ("appArmorProfile", "seLinuxOptions", "supplementalGroups")
OF_CONTAINER = ("volumeDevices",)
# Where a container is to leave its last words, unless Kubernetes has said so itself: nobody reads them here.
OF_ITS_END = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
OF_MOUNT = ("mountPropagation", "recursiveReadOnly")
VOLUMES = ("configMap", "downwardAPI", "emptyDir", "hostPath", "name", "persistentVolumeClaim", "projected", "secret")


def ignored_in(obj: dict) -> Iterator[str]:
    """Warnings about the pod that an object is, or is the template of; none for other objects."""
    path, spec = _pod_spec(obj)
    yield from _ignored(spec, OF_POD, path)
    yield from _ignored(spec.get("securityContext") or {}, OF_SECURITY, f"{path}.securityContext")
    for field in ("initContainers", "containers"):
        for at, container in enumerate(spec.get(field) or ()):
            yield from _of_container(container, f"{path}.{field}[{at}]")
    for at, volume in enumerate(spec.get("volumes") or ()):
        for source in sorted(volume.keys() - set(VOLUMES)):
            yield f"{path}.volumes[{at}].{source}: there are no such volumes here, its pods would wait for it in vain"
        if (volume.get("emptyDir") or {}).get("medium"):
            yield f"{path}.volumes[{at}].emptyDir.medium is ignored here: the files lie on the disk"


def _pod_spec(obj: dict) -> tuple[str, dict]:
    """(where it stands, what it says); empty for what is no workload."""
    path, node = "spec", obj.get("spec") or {}
    if obj["kind"] == "Pod":
        return path, node
    if obj["kind"] == "CronJob":
        path, node = "spec.jobTemplate.spec", node["jobTemplate"]["spec"]
    template = node.get("template")
    return (f"{path}.template.spec", template.get("spec") or {}) if isinstance(template, dict) else (path, {})


def _of_container(container: dict, path: str) -> Iterator[str]:
    yield from _ignored(container, OF_CONTAINER, path)
    yield from _ignored(container.get("securityContext") or {}, OF_SECURITY, f"{path}.securityContext")
    said = {field: container.get(field) for field, usual in OF_ITS_END.items() if container.get(field) != usual}
    yield from _ignored(said, tuple(OF_ITS_END), path)
    for at, mount in enumerate(container.get("volumeMounts") or ()):
        asked = {field: value for field, value in mount.items() if value not in ("None", "Disabled")}
        yield from _ignored(asked, OF_MOUNT, f"{path}.volumeMounts[{at}]")


def _ignored(part: dict, fields: tuple[str, ...], path: str) -> Iterator[str]:
    for field in fields:
        if part.get(field):
            yield f"{path}.{field} is ignored here"
