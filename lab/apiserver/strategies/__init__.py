"""What Kubernetes calls strategies: per kind, what is filled in, what a client may not set, and what is refused.

Pure but for the clock of the settings: an object in, the same object changed or a list of causes out.
Must never read or write the store; the registry calls these in its order and does the rest.
"""

from lab.apimachinery.kinds import BY_RESOURCE, Kind

from .base import Strategy
from .build import BuildStrategy
from .configmap import ConfigMapStrategy
from .controllerrevision import ControllerRevisionStrategy
from .cronjob import CronJobStrategy
from .daemonset import DaemonSetStrategy
from .deployment import DeploymentStrategy
from .endpoints import EndpointSliceStrategy, EndpointsStrategy
from .event import EventStrategy
from .horizontalpodautoscaler import HorizontalPodAutoscalerStrategy
from .ingress import IngressStrategy
from .job import JobStrategy
from .lease import LeaseStrategy
from .lesson import LessonStrategy
from .limitrange import LimitRangeStrategy
from .namespace import NamespaceStrategy
from .node import NodeStrategy
from .nodepool import NodePoolStrategy
from .persistentvolume import PersistentVolumeStrategy
from .persistentvolumeclaim import PersistentVolumeClaimStrategy
from .pod import PodStrategy
from .poddisruptionbudget import PodDisruptionBudgetStrategy
from .podtemplate import PodTemplateStrategy
from .priorityclass import PriorityClassStrategy
from .rbac import ClusterRoleBindingStrategy, ClusterRoleStrategy, RoleBindingStrategy, RoleStrategy
from .release import ReleaseStrategy
from .replicaset import ReplicaSetStrategy
from .replicationcontroller import ReplicationControllerStrategy
from .resourcequota import ResourceQuotaStrategy
from .secret import SecretStrategy
from .service import ServiceStrategy
from .serviceaccount import ServiceAccountStrategy
from .statefulset import StatefulSetStrategy
from .storageclass import StorageClassStrategy
from .visitors import VisitorsStrategy
from .wheel import WheelStrategy

_OF = {
    "namespaces": NamespaceStrategy,
    "nodes": NodeStrategy,
    "pods": PodStrategy,
    "services": ServiceStrategy,
    "configmaps": ConfigMapStrategy,
    "secrets": SecretStrategy,
    "events": EventStrategy,
    "deployments.apps": DeploymentStrategy,
    "replicasets.apps": ReplicaSetStrategy,
    "statefulsets.apps": StatefulSetStrategy,
    "daemonsets.apps": DaemonSetStrategy,
    "controllerrevisions.apps": ControllerRevisionStrategy,
    "replicationcontrollers": ReplicationControllerStrategy,
    "podtemplates": PodTemplateStrategy,
    "jobs.batch": JobStrategy,
    "cronjobs.batch": CronJobStrategy,
    "leases.coordination.k8s.io": LeaseStrategy,
    "endpoints": EndpointsStrategy,
    "endpointslices.discovery.k8s.io": EndpointSliceStrategy,
    "ingresses.networking.k8s.io": IngressStrategy,
    "horizontalpodautoscalers.autoscaling": HorizontalPodAutoscalerStrategy,
    "persistentvolumes": PersistentVolumeStrategy,
    "persistentvolumeclaims": PersistentVolumeClaimStrategy,
    "storageclasses.storage.k8s.io": StorageClassStrategy,
    "poddisruptionbudgets.policy": PodDisruptionBudgetStrategy,
    "resourcequotas": ResourceQuotaStrategy,
    "limitranges": LimitRangeStrategy,
    "priorityclasses.scheduling.k8s.io": PriorityClassStrategy,
    "serviceaccounts": ServiceAccountStrategy,
    "roles.rbac.authorization.k8s.io": RoleStrategy,
    "clusterroles.rbac.authorization.k8s.io": ClusterRoleStrategy,
    "rolebindings.rbac.authorization.k8s.io": RoleBindingStrategy,
    "clusterrolebindings.rbac.authorization.k8s.io": ClusterRoleBindingStrategy,
    "releases.orrery.io": ReleaseStrategy,
    "visitors.orrery.io": VisitorsStrategy,
    "builds.orrery.io": BuildStrategy,
    "nodepools.orrery.io": NodePoolStrategy,
    "wheels.orrery.io": WheelStrategy,
    "lessons.orrery.io": LessonStrategy,
}
_STRATEGIES = {resource: strategy(BY_RESOURCE[resource]) for resource, strategy in _OF.items()}


def strategy_for(kind: Kind) -> Strategy:
    return _STRATEGIES[kind.resource]


__all__ = ["Strategy", "strategy_for"]
