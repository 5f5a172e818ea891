"""Which container's log is asked for, and whether there can be one: what a kubelet checks before it reads a log.

Pure: the pod as the API knows it, and the options. Source: `validateContainerLogStatus` in pkg/kubelet and
`LogLocation` in pkg/registry/core/pod of k8s.io/kubernetes.
"""

from lab.apimachinery.errors import bad_request

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
PULLING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def container_names(pod: dict) -> list[str]:
    spec = pod["spec"]
    fields = ("initContainers", "containers", "ephemeralContainers")
    return [c["name"] for field in fields for c in spec.get(field) or ()]


def choose_container(pod: dict, asked: str) -> str:
    """The container's name. Raises ApiError 400 with the list of containers where the question is unclear."""
    name, names = pod["metadata"]["name"], container_names(pod)
    if asked:
        if asked not in names:
            raise bad_request(f"container {asked} is not valid for pod {name}, choose one of: [{' '.join(names)}]")
        return asked
    main = [c["name"] for c in pod["spec"]["containers"]]
    if len(main) == 1:
        return main[0]
    default = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if default in names:
        return default
    listed = f"choose one of: [{' '.join(main)}]"
    inits = [c["name"] for c in pod["spec"].get("initContainers") or ()]
    if inits:
        listed += f" or one of the init containers: [{' '.join(inits)}]"
    raise bad_request(f"a container name must be specified for pod {name}, {listed}")


def check_has_log(pod: dict, container: str, previous: bool) -> None:
    """Raises ApiError 400 if the container has not begun to write one, in the kubelet's words."""
    name, status = pod["metadata"]["name"], _status_of(pod, container)
    ended_before = (status.get("lastState") or {}).get("terminated")
    if previous:
        if not ended_before:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return
    state = status.get("state") or {}
    if "running" in state or "terminated" in state or ended_before:
        return
    reason = (state.get("waiting") or {}).get("reason") or "ContainerCreating"
    raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {PULLING.get(reason, reason)}')


def _status_of(pod: dict, container: str) -> dict:
    status = pod.get("status", {})
    lists = (status.get(f"{prefix}ontainerStatuses") or () for prefix in ("initC", "c", "ephemeralC"))
    return next((found for listed in lists for found in listed if found["name"] == container), {})
