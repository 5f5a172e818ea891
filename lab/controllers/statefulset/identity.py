"""What makes one pod of a StatefulSet that very pod: its number, and the names that follow from it. Pure.

Source: pkg/controller/statefulset/stateful_set_utils.go of Kubernetes.
"""

import copy
from collections.abc import Iterable

from lab.apimachinery.labels import POD_NAME_LABEL, REVISION_LABEL
from lab.apimachinery.meta import controller_of, owner_reference

from ..history import template_of
from ..owners import without_owner
from ..workload import new_pod

POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"


def ordinals(sts: dict) -> range:
    """The numbers that its pods shall have."""
    start = (sts["spec"].get("ordinals") or {}).get("start", 0)
    return range(start, start + sts["spec"].get("replicas", 1))


def ordinal_of(sts: dict, pod: dict) -> int | None:
    """The pod's number, which its name says; None if it is not named as one of this set."""
    number = pod["metadata"]["name"].removeprefix(f"{sts['metadata']['name']}-")
    return int(number) if number.isdecimal() and pod_name(sts, int(number)) == pod["metadata"]["name"] else None


def by_ordinal(sts: dict, pods: Iterable[dict]) -> dict[int, dict]:
    return {number: pod for pod in pods if (number := ordinal_of(sts, pod)) is not None}


def pod_name(sts: dict, ordinal: int) -> str:
    return f"{sts['metadata']['name']}-{ordinal}"


def revision_of(pod: dict) -> str:
    return pod["metadata"].get("labels", {}).get(REVISION_LABEL, "")


def stateful_pod(sts: dict, ordinal: int, revision: dict) -> dict:
    """The set's pod of this number, as that revision describes it. Its host's name is its own; the name of the set's
    headless Service makes it one that can be looked up: `web-0.web.default.svc.cluster.local`."""
    pod = named(sts, ordinal, new_pod(sts, pod_name(sts, ordinal), template_of(revision)))
    pod["metadata"]["labels"][REVISION_LABEL] = revision["metadata"]["name"]
    pod["spec"]["hostname"] = pod_name(sts, ordinal)
    if sts["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = sts["spec"]["serviceName"]
    claims = claim_names(sts, ordinal)
    if claims:
        volumes = [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in claims.items()]
        others = [volume for volume in pod["spec"].get("volumes") or () if volume["name"] not in claims]
        pod["spec"]["volumes"] = volumes + others
    return pod


def named(sts: dict, ordinal: int, pod: dict) -> dict:
    """The pod with the labels that say which it is; the same object if it has them."""
    labels = pod["metadata"].get("labels") or {}
    wanted = {POD_NAME_LABEL: pod_name(sts, ordinal), POD_INDEX_LABEL: str(ordinal)}
    if wanted.items() <= labels.items():
        return pod
    return {**pod, "metadata": {**pod["metadata"], "labels": labels | wanted}}


def claim_names(sts: dict, ordinal: int) -> dict[str, str]:
    """Name of a volume → name of the claim of this number's pod: `data-web-0`."""
    volumes = [template["metadata"]["name"] for template in sts["spec"].get("volumeClaimTemplates") or ()]
    return {volume: f"{volume}-{pod_name(sts, ordinal)}" for volume in volumes}


def claims_of(sts: dict, ordinal: int) -> dict[str, dict]:
    """Name of a volume → the claim of this number's pod, as it is made if it is not there yet."""
    claims = {}
    for volume, name in claim_names(sts, ordinal).items():
        template = next(one for one in sts["spec"]["volumeClaimTemplates"] if one["metadata"]["name"] == volume)
        claim = claims[volume] = copy.deepcopy(template)
        claim.pop("status", None)
        meta = claim["metadata"]
        meta |= {"name": name, "namespace": sts["metadata"]["namespace"]}
        meta["labels"] = {**(meta.get("labels") or {}), **(sts["spec"]["selector"].get("matchLabels") or {})}
    return claims


def entrusted(claim: dict, sts: dict, pod: dict | None, scaled_down: bool) -> dict:
    """The claim, owned by whom it shall go with, as `persistentVolumeClaimRetentionPolicy` says: with its pod when the
    set has been made smaller, with the set, or with nobody. The same object if it is so already. One that somebody
    else controls stays theirs."""
    policy = sts["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    keeper = sts if policy.get("whenDeleted") == "Delete" else None
    if scaled_down and policy.get("whenScaled") == "Delete":
        keeper = pod
    known = {obj["metadata"]["uid"]: obj for obj in (sts, pod) if obj and "uid" in obj["metadata"]}
    controller = controller_of(claim)
    if controller and controller["uid"] not in known:
        return claim
    wanted = owner_reference(keeper) if keeper else None
    mine = [ref for ref in claim["metadata"].get("ownerReferences") or () if ref["uid"] in known]
    if mine == ([wanted] if wanted else []):
        return claim
    claim = without_owner(claim, *known)
    if wanted:
        claim["metadata"]["ownerReferences"] = [*claim["metadata"].get("ownerReferences", ()), wanted]
    return claim


def is_stale(claim: dict) -> bool:
    """Whether the claim is about to go: it is being deleted, or belongs to an earlier pod that was scaled away."""
    refs = claim["metadata"].get("ownerReferences") or ()
    return "deletionTimestamp" in claim["metadata"] or any(ref["kind"] == "Pod" for ref in refs)
