"""The table of kinds: what each resource is called, where it lives and what may be done with it."""

from dataclasses import dataclass, replace

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Kind:
    """One kind of object, as the API server publishes it in discovery.

    `plural` is the resource's name in a path ("pods"), and the name under which the store keeps it
    ("deployments.apps" for a kind outside the core group): see `resource`.
    """

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    stored_as: str = ""  # the resource as which it is kept, where that is another than its own

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`deployments.apps`, or `pods` for the core group: unique among all kinds, and how errors name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        return self.kind.lower()


ALL = ("all",)
STATUS, WORKLOAD = ("status",), ("scale", "status")
OWN = "orrery.io"
RBAC = "rbac.authorization.k8s.io"

NAMESPACES = Kind(
    "Namespace",
    "namespaces",
    namespaced=False,
    short_names=("ns",),
    subresources=("finalize", "status"),
    verbs=tuple(verb for verb in ALL_VERBS if verb != "deletecollection"),  # nobody deletes them all at once
)
NODES = Kind("Node", "nodes", namespaced=False, short_names=("no",), subresources=STATUS)
PODS = Kind(
    "Pod",
    "pods",
    short_names=("po",),
    categories=ALL,
    subresources=("attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "status"),
)
SERVICES = Kind("Service", "services", short_names=("svc",), categories=ALL, subresources=("proxy", *STATUS))
CONFIGMAPS = Kind("ConfigMap", "configmaps", short_names=("cm",))
SECRETS = Kind("Secret", "secrets")
EVENTS = Kind("Event", "events", short_names=("ev",))
DEPLOYMENTS = Kind("Deployment", "deployments", "apps", short_names=("deploy",), categories=ALL, subresources=WORKLOAD)
REPLICASETS = Kind("ReplicaSet", "replicasets", "apps", short_names=("rs",), categories=ALL, subresources=WORKLOAD)
STATEFULSETS = Kind("StatefulSet", "statefulsets", "apps", short_names=("sts",), categories=ALL, subresources=WORKLOAD)
DAEMONSETS = Kind("DaemonSet", "daemonsets", "apps", short_names=("ds",), categories=ALL, subresources=STATUS)
CONTROLLERREVISIONS = Kind("ControllerRevision", "controllerrevisions", "apps")
REPLICATIONCONTROLLERS = Kind(
    "ReplicationController", "replicationcontrollers", short_names=("rc",), categories=ALL, subresources=WORKLOAD
)
PODTEMPLATES = Kind("PodTemplate", "podtemplates")
JOBS = Kind("Job", "jobs", "batch", categories=ALL, subresources=STATUS)
CRONJOBS = Kind("CronJob", "cronjobs", "batch", short_names=("cj",), categories=ALL, subresources=STATUS)
LEASES = Kind("Lease", "leases", "coordination.k8s.io")
ENDPOINTS = Kind("Endpoints", "endpoints", short_names=("ep",))
ENDPOINTSLICES = Kind("EndpointSlice", "endpointslices", "discovery.k8s.io")
INGRESSES = Kind("Ingress", "ingresses", "networking.k8s.io", short_names=("ing",), subresources=STATUS)
HORIZONTALPODAUTOSCALERS = Kind(
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    "autoscaling",
    "v2",
    short_names=("hpa",),
    categories=ALL,
    subresources=STATUS,
)
PERSISTENTVOLUMES = Kind(
    "PersistentVolume", "persistentvolumes", namespaced=False, short_names=("pv",), subresources=STATUS
)
PERSISTENTVOLUMECLAIMS = Kind(
    "PersistentVolumeClaim", "persistentvolumeclaims", short_names=("pvc",), subresources=STATUS
)
STORAGECLASSES = Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False, short_names=("sc",))
PODDISRUPTIONBUDGETS = Kind(
    "PodDisruptionBudget", "poddisruptionbudgets", "policy", short_names=("pdb",), subresources=STATUS
)
RESOURCEQUOTAS = Kind("ResourceQuota", "resourcequotas", short_names=("quota",), subresources=STATUS)
LIMITRANGES = Kind("LimitRange", "limitranges", short_names=("limits",))
PRIORITYCLASSES = Kind("PriorityClass", "priorityclasses", "scheduling.k8s.io", namespaced=False, short_names=("pc",))
SERVICEACCOUNTS = Kind("ServiceAccount", "serviceaccounts", short_names=("sa",), subresources=("token",))
ROLES = Kind("Role", "roles", RBAC)
CLUSTERROLES = Kind("ClusterRole", "clusterroles", RBAC, namespaced=False)
ROLEBINDINGS = Kind("RoleBinding", "rolebindings", RBAC)
CLUSTERROLEBINDINGS = Kind("ClusterRoleBinding", "clusterrolebindings", RBAC, namespaced=False)
# Ours: what Kubernetes leaves to others, declared in its own way. lab/apiserver/schemas/own.yaml has their fields.
RELEASES = Kind("Release", "releases", OWN, short_names=("rel",), categories=ALL, subresources=STATUS)
VISITORS = Kind("Visitors", "visitors", OWN, subresources=STATUS)
BUILDS = Kind("Build", "builds", OWN, subresources=STATUS)
NODEPOOLS = Kind("NodePool", "nodepools", OWN, namespaced=False, short_names=("np",), subresources=STATUS)
WHEELS = Kind("Wheel", "wheels", OWN, namespaced=False, subresources=STATUS)
LESSONS = Kind("Lesson", "lessons", OWN, namespaced=False, subresources=STATUS)

# In the order in which clients are told of them.
KINDS = tuple(kind for kind in tuple(globals().values()) if isinstance(kind, Kind))

# Other versions of kinds: stored as those above, and turned into these at the door (lab/apiserver/versions.py).
OTHERS = (
    replace(HORIZONTALPODAUTOSCALERS, version="v1"),
    Kind("Event", "events", "events.k8s.io", short_names=("ev",), stored_as="events"),
)

# Of this moment, and kept nowhere: answered out of what kubelets publish. In Kubernetes by the metrics server.
NODE_METRICS = Kind("NodeMetrics", "nodes", "metrics.k8s.io", "v1beta1", namespaced=False, verbs=("get", "list"))
POD_METRICS = Kind("PodMetrics", "pods", "metrics.k8s.io", "v1beta1", verbs=("get", "list"))
FIGURES = (NODE_METRICS, POD_METRICS)

# Questions: created, answered at once, and kept nowhere.
REVIEWS = tuple(
    Kind(kind, f"{kind.lower()}s", f"{group}.k8s.io", namespaced=kind.startswith("Local"), verbs=("create",))
    for group, kind in (
        ("authentication", "TokenReview"),
        ("authentication", "SelfSubjectReview"),
        ("authorization", "SubjectAccessReview"),
        ("authorization", "LocalSubjectAccessReview"),
        ("authorization", "SelfSubjectAccessReview"),
        ("authorization", "SelfSubjectRulesReview"),
    )
)

PUBLISHED = (*KINDS, *OTHERS, *FIGURES, *REVIEWS)
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in PUBLISHED}
BY_GVK = {(kind.api_version, kind.kind): kind for kind in KINDS}
