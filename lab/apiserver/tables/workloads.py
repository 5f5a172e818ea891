"""Lines of the kinds that keep pods, of their versions, of the Scale that they answer to, and of what turns it."""

from lab.apimachinery.kinds import BY_GVK
from lab.apimachinery.meta import controller_of
from lab.apimachinery.selectors import selector_of

from .cells import NONE, age, label_selector, names_and_images

MOST_TARGETS = 2  # of an autoscaler's metrics that are told one by one


def deployment_cells(deployment: dict, now: float) -> list:
    spec, status = deployment["spec"], deployment.get("status", {})
    return [
        deployment["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(deployment, now),
        *names_and_images(spec["template"]),
        label_selector(spec.get("selector")),
    ]


def replicaset_cells(replicaset: dict, now: float) -> list:
    spec, status = replicaset["spec"], replicaset.get("status", {})
    return [
        replicaset["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(replicaset, now),
        *names_and_images(spec.get("template") or {}),
        label_selector(selector_of(replicaset)),
    ]


def statefulset_cells(sts: dict, now: float) -> list:
    ready = sts.get("status", {}).get("readyReplicas", 0)
    return [
        sts["metadata"]["name"],
        f"{ready}/{sts['spec'].get('replicas', 0)}",
        age(sts, now),
        *names_and_images(sts["spec"]["template"]),
    ]


def daemonset_cells(ds: dict, now: float) -> list:
    spec, status = ds["spec"], ds.get("status", {})
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    return [
        ds["metadata"]["name"],
        *(status.get(count, 0) for count in (*counts, "numberAvailable")),
        label_selector({"matchLabels": spec["template"].get("spec", {}).get("nodeSelector")}),
        age(ds, now),
        *names_and_images(spec["template"]),
        label_selector(spec.get("selector")),
    ]


def controllerrevision_cells(revision: dict, now: float) -> list:
    owner = controller_of(revision)
    kind = BY_GVK.get((owner["apiVersion"], owner["kind"])) if owner else None
    group = f".{kind.group}" if kind and kind.group else ""
    controller = f"{owner['kind'].lower()}{group}/{owner['name']}" if owner else NONE
    return [revision["metadata"]["name"], controller, revision.get("revision", 0), age(revision, now)]


def podtemplate_cells(kept: dict, now: float) -> list:
    template = kept.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    return [kept["metadata"]["name"], *names_and_images(template), label_selector({"matchLabels": labels})]


def scale_cells(scale: dict, now: float) -> list:
    desired, current = scale.get("spec", {}).get("replicas", 0), scale.get("status", {}).get("replicas", 0)
    return [scale["metadata"]["name"], desired, current, age(scale, now)]


def horizontalpodautoscaler_cells(autoscaler: dict, now: float) -> list:
    spec, status = autoscaler["spec"], autoscaler.get("status", {})
    target = spec.get("scaleTargetRef", {})
    return [
        autoscaler["metadata"]["name"],
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metric_targets(spec, status),
        str(spec.get("minReplicas", 1)),
        str(spec.get("maxReplicas", 0)),
        status.get("currentReplicas", 0),
        age(autoscaler, now),
    ]


def _metric_targets(spec: dict, status: dict) -> str:
    """`cpu: 40%/80%, 12/20`: of each metric what it is now, and what it should be."""
    told = status.get("currentMetrics") or ()
    parts = []
    for at, metric in enumerate(spec.get("metrics") or ()):
        kind = metric["type"][:1].lower() + metric["type"][1:]
        target = metric.get(kind, {}).get("target", {})
        current = told[at].get(kind, {}).get("current", {}) if at < len(told) else {}
        name = f"{metric[kind]['name']}: " if kind == "resource" else ""
        if "averageUtilization" in target:
            now_ = f"{current['averageUtilization']}%" if "averageUtilization" in current else "<unknown>"
            parts.append(f"{name}{now_}/{target['averageUtilization']}%")
        else:
            field = "averageValue" if "averageValue" in target else "value"
            suffix = " (avg)" if field == "averageValue" and kind == "external" else ""
            parts.append(f"{name}{current.get(field, '<unknown>')}/{target.get(field)}{suffix}")
    more = f" + {len(parts) - MOST_TARGETS} more..." if len(parts) > MOST_TARGETS else ""
    return ", ".join(parts[:MOST_TARGETS]) + more or "<none>"
