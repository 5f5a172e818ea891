"""The ClusterRoles that every cluster has from its first second, and to whom they are given.

Kubernetes' own, for the kinds that there are here and those of its core that a manifest may name; ours are added. The
roles of Kubernetes' components are left out: the lab's components call the API server in its own process, as nobody.
Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
"""

from lab.apimachinery.kinds import CLUSTERROLEBINDINGS, CLUSTERROLES, OWN, RBAC
from lab.apiserver.requestinfo import READINGS

from .client import Put

READ = ("get", "list", "watch")
WRITE = ("create", "delete", "deletecollection", "patch", "update")
HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *HEALTH)
AUTOUPDATE = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def _rule(verbs: tuple[str, ...], group: str, *resources: str) -> dict:
    return {"verbs": list(verbs), "apiGroups": [group], "resources": list(resources)}


def _paths(*urls: str) -> dict:
    return {"verbs": ["get"], "nonResourceURLs": list(urls)}


def _with_status(*plurals: str) -> tuple[str, ...]:
    return tuple(name for plural in plurals for name in (plural, f"{plural}/status"))


def _scaled(*plurals: str) -> tuple[str, ...]:
    return tuple(f"{plural}/scale" for plural in plurals)


WORKLOADS = ("deployments", "replicasets", "statefulsets")
DATA = ("configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "replicationcontrollers", "services")
REACHED = ("pods/attach", "pods/exec", "pods/portforward", "services/proxy")  # what is let into pods
WRITABLE = tuple(name for name in DATA if name != "endpoints")  # by them traffic could be led anywhere: CVE-2021-25740
SEEN = [
    _rule(READ, "", *DATA, "serviceaccounts", "limitranges", "namespaces", "resourcequotas"),
    _rule(READ, "", "pods/log", "pods/status", "replicationcontrollers/scale", "persistentvolumeclaims/status"),
    _rule(READ, "", "namespaces/status", "resourcequotas/status", "services/status", "replicationcontrollers/status"),
    _rule(READ, "discovery.k8s.io", "endpointslices"),
    _rule(READ, "apps", "controllerrevisions", *_with_status("daemonsets", *WORKLOADS), *_scaled(*WORKLOADS)),
    _rule(READ, "autoscaling", *_with_status("horizontalpodautoscalers")),
    _rule(READ, "batch", *_with_status("cronjobs", "jobs")),
    _rule(READ, "policy", *_with_status("poddisruptionbudgets")),
    _rule(READ, "networking.k8s.io", *_with_status("ingresses"), "networkpolicies"),
    _rule(READ, "metrics.k8s.io", "pods", "nodes"),
    _rule(READ, OWN, *_with_status("releases", "visitors", "builds")),
]


def _with_readings(rules: list[dict]) -> list[dict]:
    """Who may read an object may be told its history, what led to it, and why it is as it is."""
    readable = [rule for rule in rules if "get" in rule["verbs"] and rule["apiGroups"] != ["metrics.k8s.io"]]
    whole = [(rule["apiGroups"][0], [name for name in rule["resources"] if "/" not in name]) for rule in readable]
    parts = [(group, [f"{name}/{part}" for name in names for part in READINGS]) for group, names in whole]
    return rules + [_rule(("get",), group, *names) for group, names in parts if names]


VIEW = _with_readings(SEEN)
EDIT = [
    _rule(READ, "", "secrets", *REACHED),
    _rule(("impersonate",), "", "serviceaccounts"),
    _rule(WRITE, "", *WRITABLE, "secrets", "serviceaccounts", *REACHED),
    _rule(WRITE, "", "replicationcontrollers/scale"),
    _rule(("create",), "", "pods/eviction", "pods/kill", "serviceaccounts/token"),
    _rule(WRITE, "apps", "daemonsets", *WORKLOADS, *_scaled(*WORKLOADS)),
    _rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
    _rule(WRITE, "batch", "cronjobs", "jobs"),
    _rule(WRITE, "policy", "poddisruptionbudgets"),
    _rule(WRITE, "networking.k8s.io", "ingresses", "networkpolicies"),
    _rule(WRITE, OWN, "releases", "visitors", "builds"),
    _rule(("get",), "", *(f"secrets/{part}" for part in READINGS)),
]
ADMIN = _with_readings(
    [
        _rule(("create",), "authorization.k8s.io", "localsubjectaccessreviews"),
        _rule((*READ, *WRITE), RBAC, "roles", "rolebindings"),
    ]
)
REVIEWS = [
    _rule(("create",), "authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
    _rule(("create",), "authentication.k8s.io", "selfsubjectreviews"),
]
ROLES = {
    "cluster-admin": [_rule(("*",), "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "admin": [*EDIT, *VIEW, *ADMIN],
    "edit": [*EDIT, *VIEW],
    "view": VIEW,
    "system:aggregate-to-admin": ADMIN,
    "system:aggregate-to-edit": EDIT,
    "system:aggregate-to-view": VIEW,
    "system:basic-user": REVIEWS,
    "system:discovery": [_paths(*DISCOVERY)],
    "system:public-info-viewer": [_paths(*HEALTH)],
}
# Role → those that it is a part of. A role that somebody labels likewise adds to them.
PARTS = {
    "view": "edit",
    "edit": "admin",
    "system:aggregate-to-view": "view",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-admin": "admin",
}
# Role → the groups that have it in the whole cluster.
BINDINGS = {
    "cluster-admin": ("system:masters",),
    "system:basic-user": ("system:authenticated",),
    "system:discovery": ("system:authenticated",),
    "system:public-info-viewer": ("system:authenticated", "system:unauthenticated"),
}


def bootstrap_policy() -> list[Put]:
    """The roles and bindings as objects to be created."""
    roles = [Put(CLUSTERROLES, _role(name, rules)) for name, rules in ROLES.items()]
    return roles + [Put(CLUSTERROLEBINDINGS, _binding(role, groups)) for role, groups in BINDINGS.items()]


def _role(name: str, rules: list[dict]) -> dict:
    role: dict = {"metadata": _metadata(name), "rules": rules}
    if name in PARTS:
        role["metadata"]["labels"][_label(PARTS[name])] = "true"
    if name in PARTS.values():
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {_label(name): "true"}}]}
    return role


def _label(role: str) -> str:
    return f"{RBAC}/aggregate-to-{role}"


def _metadata(name: str) -> dict:
    return {"name": name, "labels": dict(BOOTSTRAPPING), "annotations": dict(AUTOUPDATE)}


def _binding(role: str, groups: tuple[str, ...]) -> dict:
    return {
        "metadata": _metadata(role),
        "roleRef": {"apiGroup": RBAC, "kind": CLUSTERROLES.kind, "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group} for group in groups],
    }
