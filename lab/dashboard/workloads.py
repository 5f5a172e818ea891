"""Acts on workloads: how many, which version, whether they go on. Each is asked of the kinds that know it.

The form's `resource` says which kind is meant; without one it is a Deployment.
"""

import copy

from lab.apimachinery import meta
from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import (
    BY_RESOURCE,
    CONTROLLERREVISIONS,
    CRONJOBS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    JOBS,
    REPLICASETS,
    Kind,
)
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.labels import HASH_LABEL, RESTARTED
from lab.apimachinery.patch import JSON_PATCH
from lab.client import Client

from .done import Action, Done, patch
from .forms import free_name
from .rows import revision_of
from .steeringrows import target_of_scaler
from .workloadrows import ENDING, ROLLED, SCALED


def _meant(form: dict, kinds: tuple[str, ...]) -> Kind:
    """The kind that the act is asked of. Raises ApiError 400 if it is none of these."""
    resource = str(form.get("resource") or DEPLOYMENTS.resource)
    kind = BY_RESOURCE.get(resource)
    if kind is None or kind.kind not in kinds:
        raise bad_request(f"that cannot be done to {resource}")
    return kind


def on(kind: Kind, name: str, *words: str, namespace: str) -> str:
    """A command of kubectl's about a workload: `scale deployment/web --replicas=3`; a subcommand takes two words."""
    verb = 2 if words[0] in ("rollout", "set") else 1
    return kubectl(*words[:verb], f"{kind.singular}/{name}", *words[verb:], namespace=namespace)


def scale(client: Client, namespace: str, name: str, form: dict) -> Done:
    kind, replicas = _meant(form, SCALED), form.get("replicas")
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request("replicas must be a whole number")
    client.patch(kind, namespace, name, {"spec": {"replicas": replicas}})
    scalers = client.list(HORIZONTALPODAUTOSCALERS, namespace)
    mine = [one for one in scalers if target_of_scaler(one) == f"{kind.resource}/{namespace}/{name}"]
    also = ", until its autoscaler finds that it needs another number" if mine and replicas else ""
    command = on(kind, name, "scale", f"--replicas={replicas}", namespace=namespace)
    return Done(f"{name} scaled to {replicas}{also}", command)


def set_image(client: Client, namespace: str, name: str, form: dict) -> Done:
    image = str(form.get("image", "")).strip()
    deployment = client.get(DEPLOYMENTS, namespace, name)
    containers = copy.deepcopy(deployment["spec"]["template"]["spec"]["containers"])
    chosen = form.get("container") or containers[0]["name"]
    for container in containers:
        if container["name"] == chosen:
            container["image"] = image
    client.patch(DEPLOYMENTS, namespace, name, {"spec": {"template": {"spec": {"containers": containers}}}})
    command = on(DEPLOYMENTS, name, "set", "image", f"{chosen}={image}", namespace=namespace)
    return Done(f"{name} rolls out {image}", command)


def pause(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Stop a rollout where it is; a Job, whose pods end; or a CronJob, which starts no more Jobs."""
    return _hold(client, namespace, name, _meant(form, (DEPLOYMENTS.kind, *ENDING)), True)


def resume(client: Client, namespace: str, name: str, form: dict) -> Done:
    return _hold(client, namespace, name, _meant(form, (DEPLOYMENTS.kind, *ENDING)), False)


def _hold(client: Client, namespace: str, name: str, kind: Kind, held: bool) -> Done:
    if kind.kind in ENDING:
        command = patch(client, kind, namespace, name, {"spec": {"suspend": held}})
        return Done(f"{name} {'is suspended' if held else 'goes on'}", command)
    client.patch(kind, namespace, name, {"spec": {"paused": held or None}})
    command = on(kind, name, "rollout", "pause" if held else "resume", namespace=namespace)
    return Done(f"{name} {'is paused' if held else 'goes on'}", command)


def restart(client: Client, namespace: str, name: str, form: dict) -> Done:
    """A new template that differs only in when it was asked for: so every pod is made anew, by the usual rollout."""
    kind, annotations = _meant(form, ROLLED), {RESTARTED: meta.now()}
    client.patch(kind, namespace, name, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
    return Done(f"{name} restarts, pod by pod", on(kind, name, "rollout", "restart", namespace=namespace))


def undo(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Put an older revision's template back: the one asked for, or the one before the present."""
    kind = _meant(form, ROLLED)
    obj = client.get(kind, namespace, name)
    revisions = revisions_of(client, obj)
    older = [one for one in revisions if number_of(one) != present(obj, revisions)]
    wanted = form.get("revision")
    chosen = [one for one in older if number_of(one) == wanted] if wanted else older[:1]
    if not chosen:
        raise bad_request(f"unable to find revision {wanted} of {name}" if wanted else f"{name} has no older revision")
    template = copy.deepcopy(template_kept(chosen[0]))
    template["metadata"].get("labels", {}).pop(HASH_LABEL, None)
    change = [{"op": "replace", "path": "/spec/template", "value": template}]
    client.patch(kind, namespace, name, change, patch_type=JSON_PATCH)
    back = number_of(chosen[0])
    which = [f"--to-revision={back}"] if wanted else []
    return Done(f"{name} goes back to revision {back}", on(kind, name, "rollout", "undo", *which, namespace=namespace))


def revisions_of(client: Client, workload: dict) -> list[dict]:
    """What keeps the versions of a workload, the newest first: a Deployment's replica sets, and the ControllerRevisions
    of a StatefulSet or a DaemonSet."""
    kind = REPLICASETS if workload["kind"] == DEPLOYMENTS.kind else CONTROLLERREVISIONS
    return sorted(made_by(client, workload, kind), key=number_of, reverse=True)


def made_by(client: Client, owner: dict, kind: Kind) -> list[dict]:
    """The objects of a kind that this one controls."""
    namespace, uid = owner["metadata"]["namespace"], owner["metadata"]["uid"]
    return [one for one in client.list(kind, namespace) if (meta.controller_of(one) or {}).get("uid") == uid]


def number_of(revision: dict) -> int:
    return revision.get("revision") or revision_of(revision)


def present(workload: dict, revisions: list[dict]) -> int:
    """The number of the revision that the workload asks for now."""
    return revision_of(workload) or (number_of(revisions[0]) if revisions else 0)


def template_kept(revision: dict) -> dict:
    """The template of pods that a revision keeps."""
    held = revision.get("data", revision)["spec"].get("template") or {}
    return {field: value for field, value in held.items() if field != "$patch"}


def run_now(client: Client, namespace: str, name: str, form: dict) -> Done:
    """One more Job of a CronJob, without waiting for its time: as kubectl makes it."""
    cronjob = client.get(CRONJOBS, namespace, name)
    template, job = cronjob["spec"]["jobTemplate"], free_name(f"{name}-manual", client, JOBS, namespace)
    asked, owner = template.get("metadata") or {}, meta.owner_reference(cronjob)
    del owner["blockOwnerDeletion"]
    about = {
        "name": job,
        "namespace": namespace,
        "labels": dict(asked.get("labels") or {}),
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual", **(asked.get("annotations") or {})},
        "ownerReferences": [owner],
    }
    client.create(JOBS, {"metadata": about, "spec": copy.deepcopy(template["spec"])})
    return Done(f"{job} starts now", kubectl("create", "job", job, f"--from=cronjob/{name}", namespace=namespace))


WORKS: dict[str, Action] = {
    "scale": scale,
    "image": set_image,
    "pause": pause,
    "resume": resume,
    "restart": restart,
    "undo": undo,
    "run-now": run_now,
}
