"""The table of kinds: what each resource is called, where it lives and what may be done with it."""

from dataclasses import dataclass, field

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
    verbs: tuple[str, ...] = field(default=ALL_VERBS)
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
WORKLOAD = ("scale", "status")
OWN = "orrery.io"
RBAC = "rbac.authorization.k8s.io"

KINDS = (
    Kind(
        "Namespace",
        "namespaces",
        namespaced=False,
        short_names=("ns",),
        subresources=("finalize", "status"),
        verbs=tuple(verb for verb in ALL_VERBS if verb != "deletecollection"),  # nobody deletes them all at once
    ),
    Kind("Node", "nodes", namespaced=False, short_names=("no",), subresources=("status",)),
    Kind(
        "Pod",
        "pods",
        short_names=("po",),
        categories=ALL,
        subresources=("attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "status"),
    ),
    Kind("Service", "services", short_names=("svc",), categories=ALL, subresources=("status",)),
    Kind("ConfigMap", "configmaps", short_names=("cm",)),
    Kind("Secret", "secrets"),
    Kind("Event", "events", short_names=("ev",)),
    Kind("Deployment", "deployments", "apps", short_names=("deploy",), categories=ALL, subresources=WORKLOAD),
    Kind("ReplicaSet", "replicasets", "apps", short_names=("rs",), categories=ALL, subresources=WORKLOAD),
    Kind("StatefulSet", "statefulsets", "apps", short_names=("sts",), categories=ALL, subresources=WORKLOAD),
    Kind("DaemonSet", "daemonsets", "apps", short_names=("ds",), categories=ALL, subresources=("status",)),
    Kind("ControllerRevision", "controllerrevisions", "apps"),
    Kind("ReplicationController", "replicationcontrollers", short_names=("rc",), categories=ALL, subresources=WORKLOAD),
    Kind("PodTemplate", "podtemplates"),
    Kind("Job", "jobs", "batch", categories=ALL, subresources=("status",)),
    Kind("CronJob", "cronjobs", "batch", short_names=("cj",), categories=ALL, subresources=("status",)),
    Kind("Lease", "leases", "coordination.k8s.io"),
    Kind("Endpoints", "endpoints", short_names=("ep",)),
    Kind("EndpointSlice", "endpointslices", "discovery.k8s.io"),
    Kind("Ingress", "ingresses", "networking.k8s.io", short_names=("ing",), subresources=("status",)),
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "autoscaling",
        "v2",
        short_names=("hpa",),
        categories=ALL,
        subresources=("status",),
    ),
    Kind("PersistentVolume", "persistentvolumes", namespaced=False, short_names=("pv",), subresources=("status",)),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", short_names=("pvc",), subresources=("status",)),
    Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False, short_names=("sc",)),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", short_names=("pdb",), subresources=("status",)),
    Kind("ResourceQuota", "resourcequotas", short_names=("quota",), subresources=("status",)),
    Kind("LimitRange", "limitranges", short_names=("limits",)),
    Kind("PriorityClass", "priorityclasses", "scheduling.k8s.io", namespaced=False, short_names=("pc",)),
    Kind("ServiceAccount", "serviceaccounts", short_names=("sa",), subresources=("token",)),
    Kind("Role", "roles", RBAC),
    Kind("ClusterRole", "clusterroles", RBAC, namespaced=False),
    Kind("RoleBinding", "rolebindings", RBAC),
    Kind("ClusterRoleBinding", "clusterrolebindings", RBAC, namespaced=False),
    # Ours: what Kubernetes leaves to others, declared in its own way. lab/apiserver/schemas/own.yaml has their fields.
    Kind("Release", "releases", OWN, short_names=("rel",), categories=ALL, subresources=("status",)),
    Kind("Visitors", "visitors", OWN, subresources=("status",)),
    Kind("Build", "builds", OWN, subresources=("status",)),
    Kind("NodePool", "nodepools", OWN, namespaced=False, short_names=("np",), subresources=("status",)),
    Kind("Wheel", "wheels", OWN, namespaced=False, subresources=("status",)),
)

# Other versions of kinds: stored as those above, and turned into these at the door (lab/apiserver/versions.py).
OTHERS = (
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "autoscaling",
        "v1",
        short_names=("hpa",),
        categories=ALL,
        subresources=("status",),
    ),
    Kind("Event", "events", "events.k8s.io", short_names=("ev",), stored_as="events"),
)

# Of this moment, and kept nowhere: answered out of what kubelets publish. In Kubernetes by the metrics server.
FIGURES = (
    Kind("NodeMetrics", "nodes", "metrics.k8s.io", "v1beta1", namespaced=False, verbs=("get", "list")),
    Kind("PodMetrics", "pods", "metrics.k8s.io", "v1beta1", verbs=("get", "list")),
)
NODE_METRICS, POD_METRICS = FIGURES

# Questions: created, answered at once, and kept nowhere.
REVIEWS = tuple(
    Kind(kind, f"{kind.lower()}s", group, namespaced=kind.startswith("Local"), verbs=("create",))
    for group, kinds in (
        ("authentication.k8s.io", ("TokenReview", "SelfSubjectReview")),
        (
            "authorization.k8s.io",
            (
                "SubjectAccessReview",
                "LocalSubjectAccessReview",
                "SelfSubjectAccessReview",
                "SelfSubjectRulesReview",
            ),
        ),
    )
    for kind in kinds
)

PUBLISHED = (*KINDS, *OTHERS, *FIGURES, *REVIEWS)
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in PUBLISHED}
BY_GVK = {(kind.api_version, kind.kind): kind for kind in KINDS}

NAMESPACES = BY_RESOURCE["namespaces"]
NODES = BY_RESOURCE["nodes"]
PODS = BY_RESOURCE["pods"]
SERVICES = BY_RESOURCE["services"]
CONFIGMAPS = BY_RESOURCE["configmaps"]
SECRETS = BY_RESOURCE["secrets"]
EVENTS = BY_RESOURCE["events"]
DEPLOYMENTS = BY_RESOURCE["deployments.apps"]
REPLICASETS = BY_RESOURCE["replicasets.apps"]
STATEFULSETS = BY_RESOURCE["statefulsets.apps"]
DAEMONSETS = BY_RESOURCE["daemonsets.apps"]
CONTROLLERREVISIONS = BY_RESOURCE["controllerrevisions.apps"]
REPLICATIONCONTROLLERS = BY_RESOURCE["replicationcontrollers"]
JOBS = BY_RESOURCE["jobs.batch"]
CRONJOBS = BY_RESOURCE["cronjobs.batch"]
LEASES = BY_RESOURCE["leases.coordination.k8s.io"]
ENDPOINTS = BY_RESOURCE["endpoints"]
ENDPOINTSLICES = BY_RESOURCE["endpointslices.discovery.k8s.io"]
INGRESSES = BY_RESOURCE["ingresses.networking.k8s.io"]
HORIZONTALPODAUTOSCALERS = BY_RESOURCE["horizontalpodautoscalers.autoscaling"]
RELEASES = BY_RESOURCE["releases.orrery.io"]
VISITORS = BY_RESOURCE["visitors.orrery.io"]
BUILDS = BY_RESOURCE["builds.orrery.io"]
NODEPOOLS = BY_RESOURCE["nodepools.orrery.io"]
WHEELS = BY_RESOURCE["wheels.orrery.io"]
PERSISTENTVOLUMES = BY_RESOURCE["persistentvolumes"]
PERSISTENTVOLUMECLAIMS = BY_RESOURCE["persistentvolumeclaims"]
STORAGECLASSES = BY_RESOURCE["storageclasses.storage.k8s.io"]
PODDISRUPTIONBUDGETS = BY_RESOURCE["poddisruptionbudgets.policy"]
RESOURCEQUOTAS = BY_RESOURCE["resourcequotas"]
LIMITRANGES = BY_RESOURCE["limitranges"]
PRIORITYCLASSES = BY_RESOURCE["priorityclasses.scheduling.k8s.io"]
SERVICEACCOUNTS = BY_RESOURCE["serviceaccounts"]
ROLES = BY_RESOURCE[f"roles.{RBAC}"]
CLUSTERROLES = BY_RESOURCE[f"clusterroles.{RBAC}"]
ROLEBINDINGS = BY_RESOURCE[f"rolebindings.{RBAC}"]
CLUSTERROLEBINDINGS = BY_RESOURCE[f"clusterrolebindings.{RBAC}"]
