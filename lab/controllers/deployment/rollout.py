"""The arithmetic of a rollout: how large each ReplicaSet of a Deployment should be next.

Everything here is a function from objects to `{name of ReplicaSet: replicas}`, naming only those that should change.
The algorithm is Kubernetes' (pkg/controller/deployment/rolling.go and sync.go), where one step at a time keeps two
promises: never more than `replicas + maxSurge` pods, never fewer than `replicas - maxUnavailable` available ones.
"""

import math
from collections.abc import Iterable

DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"

Sizes = dict[str, int]


def size(replica_set: dict) -> int:
    """How many pods a ReplicaSet is asked to have."""
    return replica_set["spec"].get("replicas", 1)


def available(replica_set: dict) -> int:
    """How many available pods may be counted on. A ReplicaSet that was just made smaller still reports the pods that
    it is about to lose, so never count more than it is asked to have."""
    return min(replica_set.get("status", {}).get("availableReplicas", 0), size(replica_set))


def name_of(replica_set: dict) -> str:
    return replica_set["metadata"]["name"]


def active(replica_sets: Iterable[dict]) -> list[dict]:
    return [rs for rs in replica_sets if size(rs) > 0]


def oldest_first(replica_sets: Iterable[dict]) -> list[dict]:
    return sorted(replica_sets, key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), name_of(rs)))


def is_rolling(deployment: dict) -> bool:
    return deployment["spec"].get("strategy", {}).get("type", "RollingUpdate") == "RollingUpdate"


def scaled_value(value: int | str, total: int, round_up: bool) -> int:
    """`25%` of `total`, rounded; or the number itself."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total / 100
    return math.ceil(share) if round_up else math.floor(share)


def fenceposts(deployment: dict) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods. Surge rounds up and unavailable rounds down, in favour of those who are being
    served; were both 0 nothing could ever move, so then one pod may be unavailable."""
    replicas = deployment["spec"].get("replicas", 1)
    if not is_rolling(deployment):
        return 0, 0
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate") or {}
    surge = scaled_value(rolling.get("maxSurge", "25%"), replicas, round_up=True)
    unavailable = scaled_value(rolling.get("maxUnavailable", "25%"), replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)


def new_size(deployment: dict, replica_sets: list[dict], current: int) -> int:
    """How large the new ReplicaSet may be now, having `current`: it grows into the room under `replicas + maxSurge`.

    Kubernetes counts only the pods asked for. A ReplicaSet that was just made smaller still has the others for an
    instant, and they would come on top of the surge; so here what is larger counts, the pods asked for or those there.
    """
    replicas = deployment["spec"].get("replicas", 1)
    if current >= replicas or not is_rolling(deployment):
        return replicas
    surge, _ = fenceposts(deployment)
    there = sum(max(size(rs), rs.get("status", {}).get("replicas", 0)) for rs in replica_sets)
    return min(replicas, current + max(0, replicas + surge - there))


def next_step(deployment: dict, new: dict, old: list[dict]) -> Sizes:
    """One step of a rolling update. To grow the new and to shrink the old ones is decided together: what grows is not
    yet available, so it gives the old ones no room to shrink, and neither promise can be broken by doing both."""
    grown = new_size(deployment, [new, *old], size(new))
    sizes = {name_of(new): grown} if grown != size(new) else {}
    return sizes | _shrink_old(deployment, min(available(new), grown), active(old))


def _shrink_old(deployment: dict, new_available: int, old: list[dict]) -> Sizes:
    """First the old pods that serve nobody, or a broken rollout could not be replaced by a working one; then as many
    of those that serve as the new available ones make dispensable."""
    _, max_unavailable = fenceposts(deployment)
    least = deployment["spec"].get("replicas", 1) - max_unavailable
    sizes = {name_of(rs): size(rs) for rs in old}
    removable = new_available + sum(sizes.values()) - least
    _take(sizes, removable, {name_of(rs): size(rs) - available(rs) for rs in oldest_first(old)})
    dispensable = new_available + sum(available(rs) for rs in old) - least
    _take(sizes, dispensable, {name_of(rs): sizes[name_of(rs)] for rs in oldest_first(old)})
    return {name_of(rs): sizes[name_of(rs)] for rs in old if sizes[name_of(rs)] != size(rs)}


def _take(sizes: Sizes, most: int, spare: Sizes) -> None:
    """Take up to `most` pods off `sizes`, as many from each as it can spare, in the order of `spare`."""
    for name, count in spare.items():
        part = max(0, min(most, count))
        sizes[name] -= part
        most -= part


def saturated(deployment: dict, new: dict | None) -> bool:
    """Has the new ReplicaSet arrived: as large as the Deployment wants, and all of it available?"""
    if new is None:
        return False
    replicas = deployment["spec"].get("replicas", 1)
    was_desired = new["metadata"].get("annotations", {}).get(DESIRED_REPLICAS)
    return size(new) == replicas and was_desired == str(replicas) and available(new) == replicas


def needs_scaling(deployment: dict, replica_sets: list[dict]) -> bool:
    """Was the Deployment resized since these ReplicaSets were last sized? They carry the size they were meant for."""
    replicas = str(deployment["spec"].get("replicas", 1))
    noted = (rs["metadata"].get("annotations", {}).get(DESIRED_REPLICAS) for rs in active(replica_sets))
    return any(desired is not None and desired != replicas for desired in noted)


def resize(deployment: dict, new: dict | None, old: list[dict]) -> Sizes:
    """Sizes after `replicas` changed, or while paused. In the middle of a rollout the change is shared out in
    proportion to the sizes, so that the risk stays where it was, instead of landing on one version."""
    replicas = deployment["spec"].get("replicas", 1)
    every = active([*old, new] if new else old)
    if len(every) <= 1:
        only = every[0] if every else (new or (oldest_first(old)[-1] if old else None))
        return {name_of(only): replicas} if only and size(only) != replicas else {}
    if saturated(deployment, new):
        return {name_of(rs): 0 for rs in active(old)}
    return proportional(deployment, every) if is_rolling(deployment) else {}


def proportional(deployment: dict, replica_sets: list[dict]) -> Sizes:
    """Share out the room between what there is and `replicas + maxSurge`, the largest first; what rounding leaves over
    goes to the largest."""
    replicas = deployment["spec"].get("replicas", 1)
    surge, _ = fenceposts(deployment)
    room = (replicas + surge if replicas else 0) - sum(size(rs) for rs in replica_sets)
    # Of equals, a newer one gains before an older one, and an older one loses before a newer one.
    ordered = oldest_first(replica_sets) if room < 0 else oldest_first(replica_sets)[::-1]
    ordered.sort(key=size, reverse=True)
    sizes: Sizes = {}
    given = 0
    for rs in ordered:
        part = _share(deployment, rs, replicas + surge, room - given)
        given += part
        sizes[name_of(rs)] = size(rs) + part
    if ordered:
        largest = name_of(ordered[0])
        sizes[largest] = max(0, sizes[largest] + room - given)
    return {name_of(rs): sizes[name_of(rs)] for rs in ordered if sizes[name_of(rs)] != size(rs)}


def _share(deployment: dict, rs: dict, most: int, room: int) -> int:
    """What one ReplicaSet gains (or loses) so that its part of the whole stays the same, within the room left."""
    if room == 0:
        return 0
    if deployment["spec"].get("replicas", 1) == 0:
        return max(-size(rs), room)
    noted = rs["metadata"].get("annotations", {}).get(MAX_REPLICAS)
    before = int(noted) if noted and noted.isdigit() else deployment.get("status", {}).get("replicas", 0)
    # Half away from zero, as Go rounds.
    wanted = math.floor(size(rs) * most / before + 0.5) - size(rs) if before else 0
    return min(wanted, room) if room > 0 else max(wanted, room)
