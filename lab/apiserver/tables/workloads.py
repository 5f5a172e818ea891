"""Lines of the kinds that keep pods: Deployment, ReplicaSet, and the Scale that both answer to."""

from .cells import age, label_selector, names_and_images


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
        label_selector(spec.get("selector")),
    ]


def scale_cells(scale: dict, now: float) -> list:
    desired, current = scale.get("spec", {}).get("replicas", 0), scale.get("status", {}).get("replicas", 0)
    return [scale["metadata"]["name"], desired, current, age(scale, now)]
