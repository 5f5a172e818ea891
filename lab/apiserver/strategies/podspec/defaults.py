"""What the API server writes into a pod's specification where its author said nothing.

Defaults are part of the API: whoever reads the object later finds them there and need not know them.
Source: kubernetes/pkg/apis/core/v1/defaults.go.
"""

from .containers import default_container
from .resources import canonicalise, imply_requests
from .volumes import default_volume


def default_pod_spec(spec: dict, grace_seconds: int) -> None:
    """Defaults of a pod and of a template alike. `grace_seconds`: how long a pod has to end, if it does not say."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", grace_seconds)
    # Clients read fields of it without asking whether it is there: kubectl debug does.
    spec.setdefault("securityContext", {})
    if spec.get("serviceAccountName") and "serviceAccount" not in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    for volume in spec.get("volumes") or ():
        default_volume(volume)
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            default_container(container)
    canonicalise(spec.get("overhead"))


def default_pod_only(spec: dict) -> None:
    """Defaults of a pod that its template does not get; some by plug-ins that Kubernetes runs at a pod's creation."""
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            imply_requests(container)
