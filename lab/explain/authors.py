"""Who wrote a row: the lab's own parts, each by its author in the log; whoever is not here is a person, or a program
that a person runs. Pure.
"""

from typing import NamedTuple

MANAGER = "kube-controller-manager"


class Part(NamedTuple):
    """`component`: the program that it is a part of in Kubernetes, empty for what is ours alone; `lane`: its own name,
    in words; `clock`: whether it looks at one, and so may act though nothing has happened."""

    component: str
    lane: str
    clock: bool = False


PERSON = Part("", "person")
BOOTSTRAP = "bootstrap"  # who sets up a cluster: whoever has started the lab
AUTHORS = {
    "scheduler": Part("kube-scheduler", "scheduler", clock=True),
    "default-scheduler": Part("kube-scheduler", "scheduler", clock=True),  # its events
    "kubelet": Part("kubelet", "kubelet", clock=True),
    "kube-proxy": Part("kube-proxy", "kube-proxy", clock=True),
    "kube-apiserver": Part("kube-apiserver", "API server", clock=True),
    "cluster-autoscaler": Part("cluster-autoscaler", "cluster autoscaler", clock=True),
    "deployment-controller": Part(MANAGER, "deployment", clock=True),
    "replicaset-controller": Part(MANAGER, "replicaset", clock=True),
    "replication-controller": Part(MANAGER, "replication controller", clock=True),
    "statefulset-controller": Part(MANAGER, "statefulset", clock=True),
    "daemonset-controller": Part(MANAGER, "daemonset", clock=True),
    "job-controller": Part(MANAGER, "job", clock=True),
    "cronjob-controller": Part(MANAGER, "cronjob", clock=True),
    "ttl-after-finished-controller": Part(MANAGER, "TTL after finished", clock=True),
    "endpointslice-controller": Part(MANAGER, "endpoints"),
    "node-controller": Part(MANAGER, "node lifecycle", clock=True),
    "taint-eviction-controller": Part(MANAGER, "taint eviction", clock=True),
    "pod-garbage-collector": Part(MANAGER, "pod GC", clock=True),
    "generic-garbage-collector": Part(MANAGER, "garbage collector"),
    "namespace-controller": Part(MANAGER, "namespace"),
    "service-account-controller": Part(MANAGER, "service account"),
    "root-ca-cert-publisher": Part(MANAGER, "root CA"),
    "clusterrole-aggregation-controller": Part(MANAGER, "role aggregation"),
    "persistentvolume-controller": Part(MANAGER, "volume binder"),
    "pvc-protection-controller": Part(MANAGER, "volume protection"),
    "service-controller": Part("cloud-controller-manager", "load balancer"),
    "horizontal-pod-autoscaler": Part(MANAGER, "autoscaler", clock=True),
    "disruption-controller": Part(MANAGER, "disruption", clock=True),
    "resourcequota-controller": Part(MANAGER, "quota", clock=True),
    "eventttl-controller": Part("kube-apiserver", "event TTL", clock=True),
    "engine-controller": Part("", "engine", clock=True),
    "leader-election": Part("", "leader election", clock=True),
    "release-controller": Part("", "release", clock=True),
    "build-controller": Part("", "build", clock=True),
    "visitors": Part("", "visitors", clock=True),
    "tutor": Part("", "tutor", clock=True),
}


def called(author: str) -> str:
    """In a sentence: "the deployment controller", "the kubelet"; of a person the name."""
    part = part_of(author)
    if part is PERSON:
        return "the lab itself" if author == BOOTSTRAP else author
    has_own_word = part.component not in (MANAGER, "") or part.lane.endswith(("er", "or", "GC", "visitors"))
    return f"the {part.lane}" if has_own_word else f"the {part.lane} controller"


def part_of(author: str) -> Part:
    return AUTHORS.get(author, PERSON)
