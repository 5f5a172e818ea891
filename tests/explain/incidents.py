"""Staged incidents, and of each the true cause, written down before anybody asked why.

Of each: what is declared (`objects`), what then goes wrong (`fault`), where a user looks first (`look`), and what is
true: the word for it, what the answer has to name, by whom the grounds are, what it must not be blamed on, and what
would help.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lab.runtime.simulated.behaviour import PREFIX

from .scene import Scene

ADA, BEN = "ada", "ben"  # ada declares what there is, ben comes later
PROBE = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}


def nothing(scene: Scene) -> None:
    """It goes wrong by itself."""


@dataclass(frozen=True)
class Incident:
    """What is staged, and the truth of it.

    `look`: `<resource>/<name>`, of the incident's own namespace unless the kind has none. `says`: words of the answer
    or its grounds; `grounds`: (Kubernetes' name begins with, who wrote the row, its text has). `help`: words of its
    command, a space, and its text. `then`: the reason that holds when the help has been followed, by its command unless
    `mend` does it."""

    name: str
    look: str
    reason: str
    says: tuple[str, ...]
    grounds: tuple[tuple[str, str, str], ...]
    never: tuple[str, ...]
    objects: tuple[tuple[str, dict], ...] = ()
    fault: Callable[[Scene], None] = nothing
    help: str = ""
    mend: Callable[[Scene], None] | None = None
    then: str = ""


def pod(name: str, rules: dict[str, str] | None = None, image: str = "web:1", **spec) -> dict:
    """Of one container `main`, with rules for how it behaves; `requests` are its container's."""
    annotations = {f"{PREFIX}{rule}": text for rule, text in (rules or {}).items()}
    container = {"name": "main", "image": image, **spec.pop("container", {})}
    meta = {"name": name, "labels": {"app": name}, "annotations": annotations}
    usual = {"terminationGracePeriodSeconds": 1, "nodeSelector": on("roomy")}
    return {"metadata": meta, "spec": {"containers": [container], **usual, **spec}}


def workload(
    name: str, replicas: int = 1, rules: dict[str, str] | None = None, more: dict | None = None, **spec
) -> dict:
    one = pod(name, rules, **spec)
    labels, annotations = one["metadata"]["labels"], one["metadata"]["annotations"]
    template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": one["spec"]}
    wanted = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **(more or {})}
    return {"metadata": {"name": name}, "spec": wanted}


def volume(name: str, storage: str) -> dict:
    has = {"capacity": {"storage": storage}, "accessModes": ["ReadWriteOnce"], "storageClassName": name}
    return {"metadata": {"name": name}, "spec": has | {"csi": {"driver": "orrery.io/volumes", "volumeHandle": name}}}


def claim(name: str, storage: str, **spec) -> dict:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    return {"metadata": {"name": name}, "spec": asked | spec}


def budget(name: str, app: str) -> dict:
    return {"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}}}


def ingress(name: str, to: str) -> dict:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": to, "port": {"number": 80}}}}
    return {"metadata": {"name": name}, "spec": {"rules": [{"http": {"paths": [path]}}]}}


def service(name: str, app: str) -> dict:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}}


def asks(**requests: str) -> dict:
    return {"resources": {"requests": requests}}


def on(node: str) -> dict[str, str]:
    """Only there."""
    return {"kubernetes.io/hostname": node}


# What goes wrong.


def release_what_is_missing(scene: Scene) -> None:
    scene.until_reason("deployments/web", "Complete")
    image = {"containers": [{"name": "main", "image": "web-missing:2"}]}
    scene.patch(BEN, "deployments/web", {"spec": {"template": {"spec": image}}}, "strategic-merge-patch")


def pull_the_plug(scene: Scene) -> None:
    scene.until_reason("pods/lonely", "Ready")
    scene.patch(BEN, "nodes/dead", {"metadata": {"annotations": {"orrery.io/power": "off"}}})


def drain(scene: Scene) -> None:
    scene.until_reason("deployments/only", "Complete")
    scene.until(
        "the budget to be counted", lambda: "observedGeneration" in scene.get("poddisruptionbudgets/only")["status"]
    )
    scene.patch(BEN, "nodes/drained", {"spec": {"unschedulable": True}})
    name = scene.find("pods/only*")
    refused = scene.ask(BEN, "POST", f"{name}/eviction", {"metadata": {"name": name.removeprefix("pods/")}})
    assert refused.code == 429


def pause(scene: Scene) -> None:
    scene.patch(BEN, "wheels/statefulset", {"spec": {"mode": "Paused"}})
    scene.create(ADA, "statefulsets", workload("db", 2, more={"serviceName": "db"}))


def pause_and_release(scene: Scene) -> None:
    scene.until_reason("deployments/web", "Complete")
    scene.patch(BEN, "deployments/web", {"spec": {"paused": True}})
    scene.patch(ADA, "deployments/web", {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}})


def declare_what_matters_more(scene: Scene) -> None:
    scene.until_reason("pods/cheap", "Ready")
    keeps = {"env": [{"name": "PASSWORD", "value": "sesame"}]}
    dear = pod("dear", priorityClassName="dear", nodeSelector=on("narrow"), container=asks(cpu="1500m") | keeps)
    scene.create(BEN, "pods", dear)


def taint(scene: Scene) -> None:
    scene.until_reason("pods/guest", "Ready")
    scene.patch(
        BEN, "nodes/closing", {"spec": {"taints": [{"key": "closing", "value": "soon", "effect": "NoExecute"}]}}
    )


def take_the_claim_away(scene: Scene) -> None:
    scene.until_reason("persistentvolumes/kept", "Bound")
    assert scene.ask(BEN, "DELETE", "persistentvolumeclaims/keeper", {}).code == 200


def steady(scene: Scene) -> None:
    rules = {f"{PREFIX}{rule}": None for rule in ("unready-after", "crash-after", "oom")}
    scene.patch(ADA, "deployments/web", {"spec": {"template": {"metadata": {"annotations": rules}}}})


def give_it_an_image(scene: Scene) -> None:
    image = {"containers": [{"name": "main", "image": "web:1"}]}
    scene.patch(ADA, "pods/typo", {"spec": image}, "strategic-merge-patch")


# The nodes, with what CPU they have.
NODES = {"roomy": "16", "full": "2", "tainted": "8", "dead": "8", "drained": "8", "narrow": "2", "closing": "8"}

INCIDENTS = (
    Incident(
        "no-room",
        look="deployments/greedy",
        objects=(
            ("pods", pod("first", nodeSelector=on("full"), container=asks(cpu="1500m"))),
            ("deployments", workload("greedy", nodeSelector=on("full"), container=asks(cpu="1"))),
        ),
        reason="RolloutStuck",
        says=("greedy-", "1 has too little CPU free"),
        grounds=(("plugin NodeResourcesFit", "scheduler", "Insufficient cpu"),),
        never=("memory", "image", "probe", "quota", "taint tainted"),
        help="set resources deployment/greedy --requests=cpu=500m -n no-room full needs only 500m more CPU free",
        then="Complete",
    ),
    Incident(
        "untolerated-taint",
        look="pods/report",
        objects=(("pods", pod("report", nodeSelector=on("tainted"))),),
        reason="Unschedulable",
        says=("the taint team=ml",),
        grounds=(("plugin TaintToleration", "scheduler", "team: ml"), ("taint team", BEN, "ben gave tainted")),
        never=("CPU", "memory", "image"),
        help="kubectl taint node tainted team-",
        then="Ready",
    ),
    Incident(
        "bad-image",
        look="pods/typo",
        objects=(("pods", pod("typo", image="web-missing:1")),),
        reason="ImagePullBackOff",
        says=("web-missing:1", "manifest unknown"),
        grounds=(("", "kubelet", "web-missing:1"),),
        never=("probe", "crash", "CPU", "denied"),
        help="image",
        mend=give_it_an_image,
        then="Ready",
    ),
    Incident(
        "failing-probe",
        look="services/web",
        objects=(
            ("deployments", workload("web", rules={"unready-after": "400ms"}, container={"readinessProbe": PROBE})),
            ("services", service("web", "web")),
        ),
        reason="NotReady",
        says=("app=web matches 1 pod", "readiness probe"),
        grounds=(("EndpointSlice web", "endpointslice-controller", "0 of 1 pods"), ("", "kubelet", "eadiness probe")),
        never=("crash", "liveness", "image", "no pod"),
        help="GET :8080/ready",
        mend=steady,
        then="Serving",
    ),
    Incident(
        "crash-loop",
        look="deployments/web",
        objects=(("deployments", workload("web", rules={"crash-after": "200ms", "exit-code": "3"})),),
        reason="RolloutStuck",
        says=("main", "3"),
        grounds=(("CrashLoopBackOff", "kubelet", ""),),
        never=("OOM", "memory", "image", "readiness"),
        help="kubectl logs",
        mend=steady,
        then="Complete",
    ),
    Incident(
        "stuck-rollout",
        look="deployments/web",
        objects=(("deployments", workload("web", 2, more={"progressDeadlineSeconds": 3})),),
        fault=release_what_is_missing,
        reason="ProgressDeadlineExceeded",
        says=("web-missing:2", "3 s"),
        grounds=(
            ("condition Progressing", "deployment-controller", "has timed out progressing"),
            ("", "kubelet", "web-missing:2"),
        ),
        never=("paused", "quota", "CPU"),
        help="kubectl rollout undo deployment/web -n stuck-rollout",
        then="Complete",
    ),
    Incident(
        "dead-node",
        look="pods/lonely",
        objects=(("pods", pod("lonely", nodeSelector=on("dead"))),),
        fault=pull_the_plug,
        reason="NodeNotReady",
        says=("dead",),
        grounds=(("condition Ready", "node-controller", ""),),
        never=("probe", "crash", "image"),
        help="kubectl annotate node dead orrery.io/power- Bring dead back",
    ),
    Incident(
        "begun-on-a-dead-node",
        look="pods/unborn",
        objects=(("pods", pod("unborn", image="web-slow:1", nodeSelector=on("dead"))),),
        reason="NodeNotReady",
        says=("dead",),
        grounds=(("node dead", "node-controller", ""),),
        never=("is making", "pull", "Pulling"),
        help="Bring dead back",
    ),
    Incident(
        "dead",
        look="nodes/dead",
        reason="NodeStatusUnknown",
        says=("ben switched it off",),
        grounds=(("annotation orrery.io/power", BEN, "switched it off"), ("condition Ready", "node-controller", "")),
        never=("cordoned", "budget", "network"),
        help="kubectl annotate node dead orrery.io/power-",
        then="Ready",
    ),
    Incident(
        "blocked-drain",
        look="nodes/drained",
        objects=(
            ("deployments", workload("only", nodeSelector=on("drained"))),
            (
                "poddisruptionbudgets",
                {
                    "metadata": {"name": "only"},
                    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "only"}}},
                },
            ),
        ),
        fault=drain,
        reason="DisruptionBudget",
        says=("only",),
        grounds=(("", BEN, "only-"),),
        never=("silent", "taint", "CPU"),
        help="kubectl patch poddisruptionbudget only",
        then="Cordoned",
    ),
    Incident(
        "paused-controller",
        look="statefulsets/db",
        fault=pause,
        reason="WheelPaused",
        says=("ben", "statefulset"),
        grounds=(("wheel statefulset", BEN, ""),),
        never=("quota", "leader", "broken", "scheduler"),
        help="kubectl patch wheel statefulset",
        then="Complete",
    ),
    Incident(
        "quota",
        look="deployments/web",
        objects=(
            ("resourcequotas", {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}),
            ("deployments", workload("web", 3)),
        ),
        reason="FailedCreate",
        says=("quota few", "pods=1"),
        grounds=(("condition ReplicaFailure", "deployment-controller", "exceeded quota: few"),),
        never=("CPU", "node", "image"),
        help="""kubectl patch resourcequota few --type=merge -p '{"spec": {"hard": {"pods": "3"}}}' -n quota""",
        then="Complete",
    ),
    Incident(
        "wrong-selector",
        look="services/shop",
        objects=(("deployments", workload("shop")), ("services", service("shop", "shpo"))),
        reason="NotSelected",
        says=("app=shpo", "Nearly: pod shop-", "app=shop"),
        grounds=(("spec.selector", ADA, "app=shpo"), ("label app", "replicaset-controller", "app=shop")),
        never=("probe", "not ready", "crash"),
        help="kubectl set selector service/shop app=shop -n wrong-selector",
        then="Serving",
    ),
    Incident(
        "autoscaler-at-its-limit",
        look="horizontalpodautoscalers/busy",
        objects=(
            ("deployments", workload("busy", rules={"cpu-millis": "400"}, container=asks(cpu="100m"))),
            (
                "horizontalpodautoscalers",
                {
                    "metadata": {"name": "busy"},
                    "spec": {
                        "maxReplicas": 2,
                        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "busy"},
                        "metrics": [
                            {
                                "type": "Resource",
                                "resource": {
                                    "name": "cpu",
                                    "target": {"type": "Utilization", "averageUtilization": 100},
                                },
                            }
                        ],
                    },
                },
            ),
        ),
        reason="TooManyReplicas",
        says=("2 replicas of deployment busy", "maxReplicas allows 2"),
        grounds=(
            ("desiredReplicas", "horizontal-pod-autoscaler", "cpu"),
            ("condition ScalingLimited", "horizontal-pod-autoscaler", "maximum replica count"),
        ),
        never=("minReplicas", "no metric", "failed"),
        help="kubectl patch horizontalpodautoscaler busy",
    ),
    Incident(
        "paused-rollout",
        look="deployments/web",
        objects=(("deployments", workload("web")),),
        fault=pause_and_release,
        reason="DeploymentPaused",
        says=("ben has paused it",),
        grounds=(("spec.paused", BEN, ""),),
        never=("deadline", "ada", "wheel"),
        help="kubectl rollout resume deployment/web -n paused-rollout",
        then="Complete",
    ),
    Incident(
        "out-of-memory",
        look="pods/hungry",
        objects=(("pods", pod("hungry", {"crash-after": "300ms", "oom": "true"})),),
        reason="CrashLoopBackOff",
        says=("OOMKilled",),
        grounds=(("CrashLoopBackOff", "kubelet", ""),),
        never=("probe", "image", "node"),
        help="memory",
    ),
    Incident(
        "liveness",
        look="pods/stuck",
        objects=(("pods", pod("stuck", {"unhealthy-after": "500ms"}, container={"livenessProbe": PROBE})),),
        reason="CrashLoopBackOff",
        says=("Liveness probe failed",),
        grounds=(("Unhealthy", "kubelet", "Liveness probe failed"),),
        never=("OOM", "eadiness", "image", "by itself"),
        help="probe",
    ),
    Incident(
        "preempted",
        look="pods/cheap",
        objects=(
            ("priorityclasses", {"metadata": {"name": "dear"}, "value": 1000}),
            ("pods", pod("cheap", nodeSelector=on("narrow"), container=asks(cpu="1500m"))),
        ),
        fault=declare_what_matters_more,
        reason="Preempted",
        says=("dear", "1000"),
        grounds=(("", "scheduler", "preempted/dear"),),
        never=("ada", "taint", "budget", "evicted", "sesame"),
    ),
    Incident(
        "closed-by-taint",
        look="pods/guest",
        objects=(("pods", pod("guest", nodeSelector=on("closing"))),),
        fault=taint,
        reason="TaintEviction",
        says=("closing",),
        grounds=(("", "taint-eviction-controller", "closing"), ("", BEN, "")),
        never=("silent", "budget", "priority"),
    ),
    Incident(
        "waiting-claim",
        look="persistentvolumeclaims/data",
        objects=(
            (
                "persistentvolumeclaims",
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                },
            ),
        ),
        reason="WaitForFirstConsumer",
        says=("first pod that mounts it",),
        grounds=(("", "persistentvolume-controller", ""),),
        never=("lost", "failed"),
    ),
    Incident(
        "volume-too-small",
        look="persistentvolumes/small",
        objects=(
            ("persistentvolumes", volume("small", "1Gi")),
            ("persistentvolumeclaims", claim("large", "5Gi", storageClassName="small")),
        ),
        reason="Available",
        says=("Claim large", "requested PV is too small", "5Gi"),
        grounds=(("spec.resources", ADA, "5Gi"), ("spec.capacity", ADA, "1Gi")),
        never=("storageClass", "accessMode", "released"),
        help="kubectl patch persistentvolume small",
        then="Bound",
    ),
    Incident(
        "kept-volume",
        look="persistentvolumes/kept",
        objects=(
            ("persistentvolumes", volume("kept", "1Gi")),
            ("persistentvolumeclaims", claim("keeper", "1Gi", storageClassName="kept")),
        ),
        fault=take_the_claim_away,
        reason="Released",
        says=("ben removed its claim keeper", "Retain"),
        grounds=(("PersistentVolumeClaim keeper", BEN, ""), ("status.phase", "persistentvolume-controller", "")),
        never=("ada", "too small", "lost"),
        help="kubectl patch persistentvolume kept",
        then="Available",
    ),
    Incident(
        "budget-of-the-unready",
        look="poddisruptionbudgets/web",
        objects=(
            ("deployments", workload("web", 2, {"unready-after": "400ms"}, container={"readinessProbe": PROBE})),
            ("poddisruptionbudgets", budget("web", "web")),
        ),
        reason="InsufficientPods",
        says=("of 2 pods 0 are healthy", "Pod web-", "readiness probe"),
        grounds=(
            ("condition DisruptionAllowed", "disruption-controller", "0 are healthy"),
            ("spec.minAvailable", ADA, "1"),
            ("", "kubelet", "eadiness probe"),
        ),
        never=("image", "selector", "node "),
        help="GET :8080/ready",
        mend=steady,
        then="SufficientPods",
    ),
    Incident(
        "budget-of-nobody",
        look="poddisruptionbudgets/shop",
        objects=(("deployments", workload("shop", 2)), ("poddisruptionbudgets", budget("shop", "shpo"))),
        reason="NoPods",
        says=("app=shpo", "Nearly: pod shop-", "app=shop"),
        grounds=(("spec.selector", ADA, "app=shpo"), ("event NoPods", "disruption-controller", "")),
        never=("probe", "healthy", "may go"),
        help="kubectl patch poddisruptionbudget shop",
        then="SufficientPods",
    ),
    Incident(
        "ingress-astray",
        look="ingresses/front",
        objects=(
            ("deployments", workload("shop")),
            ("services", service("shop", "shop")),
            ("ingresses", ingress("front", "shpo")),
        ),
        reason="BackendNotFound",
        says=("no service shpo", "*/"),
        grounds=(("backend.service", ADA, "leads */ to service shpo, port 80"),),
        never=("probe", "selector", "ready", "removed"),
        help="kubectl patch ingress front",
        then="Serving",
    ),
    Incident(
        "build-for-nobody",
        look="builds/page",
        objects=(
            ("deployments", workload("shop")),
            (
                "builds",
                {"metadata": {"name": "page"}, "spec": {"deployment": "shpo", "files": {"Dockerfile": "FROM web:1"}}},
            ),
        ),
        reason="Failed",
        says=('deployments.apps "shpo" not found',),
        grounds=(("status.phase", "build-controller", "shpo"),),
        never=("engine", "log", "removed", "image"),
        help="shop is nearly called so",
    ),
)
