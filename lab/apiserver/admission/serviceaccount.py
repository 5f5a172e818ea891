"""A pod runs as an account that there is, and is given what it needs to reach the API as that account.

Source: plugin/pkg/admission/serviceaccount.
"""

import copy

from lab.apimachinery import errors
from lab.apimachinery.kinds import PODS, SERVICEACCOUNTS
from lab.apimachinery.meta import generated_name
from lab.store import View

# Kubernetes waits for this one, which a new namespace is given by its controller; here a pod of it is let in unseen.
GIVEN = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
PREFIX = "kube-api-access-"
TOKEN_SECONDS = 3607  # an hour, and seven seconds by which one knows that nobody has asked for it
READABLE_BY_ALL = 0o644
NAMESPACE = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {"downwardAPI": {"items": [NAMESPACE]}},
]


def provide(view: View, pod: dict) -> None:
    """Raises ApiError 403 for an account that there is not. What the pod says of automounting counts before what the
    account says."""
    namespace, spec = pod["metadata"].get("namespace", ""), pod["spec"]
    name = spec["serviceAccountName"]
    account = view.get(SERVICEACCOUNTS.resource, namespace, name)
    if name != GIVEN and account is None:
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise errors.forbidden(PODS, pod["metadata"].get("name", ""), why)
    account = account or {}
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = copy.deepcopy(account["imagePullSecrets"])
    said = (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken"))
    if next((each for each in said if each is not None), True):
        _mount(spec)


def _mount(spec: dict) -> None:
    """In each container that has nothing there yet."""
    volumes = spec.get("volumes") or []
    found = next((volume["name"] for volume in volumes if volume.get("name", "").startswith(PREFIX)), "")
    name, needed = found or generated_name(PREFIX), False
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        mounts = container.get("volumeMounts") or []
        if all(mount.get("mountPath") != MOUNT_PATH for mount in mounts):
            container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]
            needed = True
    if needed and not found:
        source = {"defaultMode": READABLE_BY_ALL, "sources": copy.deepcopy(SOURCES)}
        spec["volumes"] = [*volumes, {"name": name, "projected": source}]
