"""What kube-controller-manager is to Kubernetes: loops that each compare what is declared with what is, and act once.

May read and write through the client, as any client could. Must never wait, call an engine, talk to one another, or
keep a truth of their own: all they know is in the store, so each may be killed at any moment.

`lab/README.md` says in which order to read them. Each opens with what it is for; most keep their decisions (`plan`,
`rollout`, `status` …: pure) apart from the hands that read and write (`controller`).
"""

from .clusterautoscaler.controller import ClusterAutoscalerController
from .clusterroleaggregation import ClusterRoleAggregationController
from .cronjob.controller import CronJobController
from .daemonset.controller import DaemonSetController
from .deployment.controller import DeploymentController
from .endpoints.controller import EndpointSliceController
from .eventttl import EventTTLController
from .furnishing import RootCAPublisher, ServiceAccountController
from .garbagecollector import GarbageCollector
from .horizontalpodautoscaler.controller import HorizontalPodAutoscalerController
from .job.controller import JobController
from .kubernetesservice import KubernetesServiceController
from .loadbalancer import LoadBalancerController
from .namespace import NamespaceController
from .nodelifecycle import NodeLifecycleController
from .persistentvolume.controller import PersistentVolumeController
from .persistentvolume.protection import VolumeProtectionController
from .poddisruptionbudget import DisruptionController
from .podgc import PodGCController
from .release.controller import ReleaseController
from .replicaset import ReplicaSetController, ReplicationControllerController
from .resourcequota import ResourceQuotaController
from .statefulset.controller import StatefulSetController
from .tainteviction import TaintEvictionController
from .ttlafterfinished import TTLAfterFinishedController

CONTROLLERS = (
    # First of those that a pod pokes: until it has written, requests go to a pod that cannot answer.
    EndpointSliceController(),
    DeploymentController(),
    ReplicaSetController(),
    ReplicationControllerController(),
    StatefulSetController(),
    DaemonSetController(),
    JobController(),
    CronJobController(),
    TTLAfterFinishedController(),
    ReleaseController(),
    NodeLifecycleController(),
    TaintEvictionController(),
    PodGCController(),
    GarbageCollector(),
    NamespaceController(),
    ServiceAccountController(),
    RootCAPublisher(),
    KubernetesServiceController(),
    ClusterRoleAggregationController(),
    EventTTLController(),
    PersistentVolumeController(),
    VolumeProtectionController(),
    LoadBalancerController(),
    HorizontalPodAutoscalerController(),
    ClusterAutoscalerController(),
    DisruptionController(),
    ResourceQuotaController(),
)
