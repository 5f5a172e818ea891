"""Which ReplicaSet is which revision of a Deployment: hashes, names, annotations, and how much history is kept.

Each ReplicaSet is told apart from its siblings by the hash of its template: it is in its name, its selector and the
labels of its pods (`pod-template-hash`), so that no two count the same pod. The newest revision is the ReplicaSet whose
template is the Deployment's, compared field by field: the hash only names it. So an undo needs no verb of its own:
whoever puts an old template back (`kubectl rollout undo` does) makes its ReplicaSet the new one, with the next number.
Source: pkg/controller/deployment/util/deployment_util.go of Kubernetes.
"""

import copy
import json

from lab.apimachinery.kinds import REPLICASETS
from lab.apimachinery.labels import HASH_LABEL
from lab.apimachinery.meta import NAME_ALPHABET, is_deleting, owner_reference

from .rollout import DESIRED_REPLICAS, MAX_REPLICAS, fenceposts, oldest_first, size

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
# How a Release steers a Deployment, see `steering`.
RELEASE = "orrery.io/release"
REPLICAS_NEW = "orrery.io/replicas-new"
REPLICAS_OLD = "orrery.io/replicas-old"
# Annotations of a Deployment that its ReplicaSets do not inherit; all others, such as the change-cause, they do.
OWN_ANNOTATIONS = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    RELEASE,
    REPLICAS_NEW,
    REPLICAS_OLD,
}
FNV_OFFSET, FNV_PRIME = 0x811C9DC5, 0x01000193


def template_hash(template: dict, collision_count: int = 0) -> str:
    """Eight to ten letters that name a pod template: 32-bit FNV-1a, in letters that cannot spell a word.

    `collision_count` is mixed in when two templates have met in one name.
    """
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    value = FNV_OFFSET
    for byte in f"{text}{collision_count or ''}".encode():
        value = ((value ^ byte) * FNV_PRIME) & 0xFFFFFFFF
    return "".join(NAME_ALPHABET[ord(digit) % len(NAME_ALPHABET)] for digit in str(value))


def without_hash(template: dict) -> dict:
    """The template as the Deployment has it: without the label that its ReplicaSet was told apart by."""
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**meta, "labels": labels}}


def same_template(one: dict, other: dict) -> bool:
    """Both are stored with their defaults filled in, so plain equality is right; nobody's omission makes a rollout."""
    return without_hash(one) == without_hash(other)


def split(deployment: dict, replica_sets: list[dict]) -> tuple[dict | None, list[dict]]:
    """(the new ReplicaSet, if it exists; the old ones). Of several with the right template the oldest is the new one,
    so that every look at them picks the same."""
    template = deployment["spec"]["template"]
    ordered = oldest_first(replica_sets)
    new = next((rs for rs in ordered if same_template(rs["spec"]["template"], template)), None)
    return new, [rs for rs in ordered if rs is not new]


def revision_of(obj: dict) -> int:
    text = obj["metadata"].get("annotations", {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def next_revision(old: list[dict]) -> int:
    return max((revision_of(rs) for rs in old), default=0) + 1


def size_notes(deployment: dict) -> dict[str, str]:
    """The annotations that tell a ReplicaSet's share of a Deployment of which size."""
    replicas = deployment["spec"].get("replicas", 1)
    surge, _ = fenceposts(deployment)
    return {DESIRED_REPLICAS: str(replicas), MAX_REPLICAS: str(replicas + surge)}


def new_annotations(deployment: dict, new: dict, old: list[dict]) -> dict[str, str]:
    """The annotations of the new ReplicaSet: what the Deployment says of itself, and a number above all old ones.

    A ReplicaSet that is used again moves on to the next number; the numbers it had are kept beside it.
    """
    annotations = dict(new["metadata"].get("annotations", {}))
    inherited = deployment["metadata"].get("annotations", {})
    annotations |= {key: value for key, value in inherited.items() if key not in OWN_ANNOTATIONS}
    had, number = revision_of(new), next_revision(old)
    if had < number:
        annotations[REVISION] = str(number)
        if had:
            history = annotations.get(REVISION_HISTORY)
            annotations[REVISION_HISTORY] = f"{history},{had}" if history else str(had)
    return annotations


def new_replica_set(deployment: dict, old: list[dict]) -> dict:
    """The ReplicaSet of the Deployment's present template, yet without a size."""
    spec, meta = deployment["spec"], deployment["metadata"]
    name_hash = template_hash(spec["template"], deployment.get("status", {}).get("collisionCount", 0))
    template = copy.deepcopy(spec["template"])
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH_LABEL] = name_hash
    selector = copy.deepcopy(spec["selector"])
    selector.setdefault("matchLabels", {})[HASH_LABEL] = name_hash
    replica_set: dict = {
        "apiVersion": REPLICASETS.api_version,
        "kind": REPLICASETS.kind,
        "metadata": {
            "name": f"{meta['name']}-{name_hash}",
            "namespace": meta["namespace"],
            "labels": dict(labels),
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": selector,
            "template": template,
        },
    }
    replica_set["metadata"]["annotations"] = new_annotations(deployment, replica_set, old) | size_notes(deployment)
    return replica_set


def history_limit(deployment: dict) -> int:
    return deployment["spec"].get("revisionHistoryLimit", 10)


def beyond_history(deployment: dict, old: list[dict]) -> list[dict]:
    """The old ReplicaSets to forget: those with the lowest numbers beyond `revisionHistoryLimit`, if they are empty and
    their own controller has seen that they shall be."""
    limit = history_limit(deployment)
    alive = sorted((rs for rs in old if not is_deleting(rs)), key=revision_of)
    return [rs for rs in alive[: max(0, len(alive) - limit)] if _is_empty(rs)]


def _is_empty(rs: dict) -> bool:
    status = rs.get("status", {})
    seen = status.get("observedGeneration", 0) >= rs["metadata"].get("generation", 0)
    return size(rs) == 0 and status.get("replicas", 0) == 0 and seen
