"""Who wrote a row: the lab's own parts, each by its author in the log; whoever is not here is a person, or a program
that a person runs. Pure.
"""

from typing import NamedTuple

MANAGER = "kube-controller-manager"


class Part(NamedTuple):
    """`component`: the program that it is a part of in Kubernetes, empty for what is ours alone; `lane`: its own name,
    in words."""

    component: str
    lane: str


PERSON = Part("", "person")
AUTHORS = {
    "scheduler": Part("kube-scheduler", "scheduler"),
    "default-scheduler": Part("kube-scheduler", "scheduler"),  # its events
    "kubelet": Part("kubelet", "kubelet"),
    "kube-proxy": Part("kube-proxy", "kube-proxy"),
    "kube-apiserver": Part("kube-apiserver", "API server"),
    "cluster-autoscaler": Part("cluster-autoscaler", "cluster autoscaler"),
    "deployment-controller": Part(MANAGER, "deployment"),
    "replicaset-controller": Part(MANAGER, "replicaset"),
    "replication-controller": Part(MANAGER, "replication controller"),
    "statefulset-controller": Part(MANAGER, "statefulset"),
    "daemonset-controller": Part(MANAGER, "daemonset"),
    "job-controller": Part(MANAGER, "job"),
    "cronjob-controller": Part(MANAGER, "cronjob"),
    "ttl-after-finished-controller": Part(MANAGER, "TTL after finished"),
    "endpointslice-controller": Part(MANAGER, "endpoints"),
    "node-controller": Part(MANAGER, "node lifecycle"),
    "taint-eviction-controller": Part(MANAGER, "taint eviction"),
    "pod-garbage-collector": Part(MANAGER, "pod GC"),
    "generic-garbage-collector": Part(MANAGER, "garbage collector"),
    "namespace-controller": Part(MANAGER, "namespace"),
    "service-account-controller": Part(MANAGER, "service account"),
    "root-ca-cert-publisher": Part(MANAGER, "root CA"),
    "clusterrole-aggregation-controller": Part(MANAGER, "role aggregation"),
    "persistentvolume-controller": Part(MANAGER, "volume binder"),
    "pvc-protection-controller": Part(MANAGER, "volume protection"),
    "service-controller": Part("cloud-controller-manager", "load balancer"),
    "horizontal-pod-autoscaler": Part(MANAGER, "autoscaler"),
    "disruption-controller": Part(MANAGER, "disruption"),
    "resourcequota-controller": Part(MANAGER, "quota"),
    "eventttl-controller": Part("kube-apiserver", "event TTL"),
    "leader-election": Part("", "leader election"),
    "release-controller": Part("", "release"),
    "build-controller": Part("", "build"),
    "visitors": Part("", "visitors"),
}


def part_of(author: str) -> Part:
    return AUTHORS.get(author, PERSON)
