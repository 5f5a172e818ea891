"""Wheels: of each control loop and each kubelet, whether it turns, and how. Pure.

Kubernetes has nothing like it. A Wheel is an object like all others, so that the log says who stopped what; a loop of
which there is none runs.
"""

from dataclasses import dataclass

RUNNING, PAUSED, SLOW, STEP, BROKEN = MODES = ("Running", "Paused", "Slow", "Step", "Broken")
KUBELET = "kubelet."  # the wheel of a node's kubelet begins so, and ends in the node's name
SECONDS = 5.0  # between two keys of a slow wheel, unless it says otherwise

# The loops there are: name → who the log says wrote what they write.
LOOPS = {
    "scheduler": "scheduler",
    "endpointslice": "endpointslice-controller",
    "deployment": "deployment-controller",
    "replicaset": "replicaset-controller",
    "replicationcontroller": "replication-controller",
    "statefulset": "statefulset-controller",
    "daemonset": "daemonset-controller",
    "job": "job-controller",
    "cronjob": "cronjob-controller",
    "ttlafterfinished": "ttl-after-finished-controller",
    "release": "release-controller",
    "nodelifecycle": "node-controller",
    "tainteviction": "taint-eviction-controller",
    "podgc": "pod-garbage-collector",
    "garbagecollector": "generic-garbage-collector",
    "namespace": "namespace-controller",
    "serviceaccount": "service-account-controller",
    "rootca": "root-ca-cert-publisher",
    "kubernetesservice": "kube-apiserver",
    "clusterroleaggregation": "clusterrole-aggregation-controller",
    "eventttl": "eventttl-controller",
    "persistentvolume-binder": "persistentvolume-controller",
    "volume-protection": "pvc-protection-controller",
    "loadbalancer": "service-controller",
    "horizontalpodautoscaler": "horizontal-pod-autoscaler",
    "clusterautoscaler": "cluster-autoscaler",
    "disruption": "disruption-controller",
    "resourcequota": "resourcequota-controller",
    "build": "build-controller",
}


@dataclass(frozen=True)
class Wheel:
    """How a loop turns. `seconds`: of a slow one, between two keys. `steps`: how many keys it may take in all, `taken`:
    how many it has taken, `last`: which one it took with the last step."""

    name: str
    mode: str = RUNNING
    seconds: float = SECONDS
    steps: int = 0
    taken: int = 0
    last: str = ""

    def allows(self, rested: float) -> int | None:
        """How many keys it may take now, `rested` seconds after its last turn; None: as many as there are. Who has
        rested less than nothing has had the clock set back, and may turn."""
        if self.mode == SLOW:
            return 1 if rested >= self.seconds or rested < 0 else 0
        return {PAUSED: 0, STEP: max(0, self.steps - self.taken)}.get(self.mode)

    @property
    def said(self) -> str:
        """How it turns, in a word or three; empty if as ever."""
        words = {PAUSED: "paused", SLOW: f"slow, {self.seconds:g} s", BROKEN: "broken"}
        return (
            f"at step {self.taken} of {max(self.steps, self.taken)}" if self.mode == STEP else words.get(self.mode, "")
        )

    @property
    def fault(self) -> str:
        """What each key of a broken one fails with."""
        return f"broken on purpose: wheel {self.name}"


def kubelet_of(node: str) -> str:
    """The name of the wheel of a node's kubelet."""
    return f"{KUBELET}{node}"


def read(name: str, obj: dict | None) -> Wheel:
    """The wheel that an object declares; without one, it runs."""
    if obj is None:
        return Wheel(name)
    spec, status = obj["spec"], obj.get("status", {})
    pace = spec.get("seconds", SECONDS), spec.get("steps", 0)
    return Wheel(name, spec.get("mode", RUNNING), *pace, status.get("taken", 0), status.get("last", ""))
