"""Quotas: what a write would take beyond what its namespace may have is refused, with all that it came with.

Kubernetes adds up in the quota's status, by an update that conflicts if two writers do so at once. Here the store has
one lock for all writers of a cluster, so the objects themselves are counted under it: two creations at once cannot
both pass, and what has gone makes room at once. Source of the words: admission/plugin/resourcequota in
k8s.io/apiserver/pkg.
"""

import time
from collections.abc import Iterable

from lab.apimachinery import errors, quota
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BY_RESOURCE, PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, SERVICES
from lab.apimachinery.quota import NOTHING, Usage
from lab.store import View, Write

# What can take more by a change than it took when it was made.
GROWING = (SERVICES.resource, PERSISTENTVOLUMECLAIMS.resource)


def check_quotas(state: View, writes: list[Write]) -> None:
    """Raises ApiError 403 if a quota has no room for these writes, which would follow `state`."""
    if not state.list(RESOURCEQUOTAS.resource):
        return
    taking = [w for w in writes if w.namespace and not w.deleted and (not w.expected or w.resource in GROWING)]
    for namespace in dict.fromkeys(write.namespace for write in taking):
        quotas = state.list(RESOURCEQUOTAS.resource, namespace)
        for each in sorted(quotas, key=lambda found: found["metadata"]["name"]):
            _check(each, state, [write for write in taking if write.namespace == namespace], time.time())


def _check(of: dict, state: View, writes: list[Write], now: float) -> None:
    name, hard, used = of["metadata"]["name"], quota.hard(of), None
    for write in writes:
        is_pod = write.resource == PODS.resource and quota.covers(of, write.resource, write.object)
        if is_pod and (lacking := quota.unspecified(of, write.object)):
            told = "; ".join(f"{resource} for: {','.join(names)}" for resource, names in lacking.items())
            raise _refused(write, f"failed quota: {name}: must specify {told}")
        asked = _asked(of, state, write, now)
        if not asked:
            continue
        if used is None:
            used = quota.used(of, lambda resource: state.list(resource, of["metadata"]["namespace"]), now)
        over = [resource for resource in asked if used[resource] + asked[resource] > hard[resource]]
        if over:
            figures = (("requested", asked), ("used", used), ("limited", hard))
            told = ", ".join(f"{word}: {_shown(amounts, over)}" for word, amounts in figures)
            raise _refused(write, f"exceeded quota: {name}, {told}")
        used |= {resource: used[resource] + amount for resource, amount in asked.items()}


def _asked(of: dict, state: View, write: Write, now: float) -> Usage:
    """What this write takes more than is taken by what was there before."""
    after = quota.share(of, write.resource, write.object, now)
    old = state.get(write.resource, write.namespace, write.name) if write.expected else None
    before = quota.share(of, write.resource, old, now) if old else {}
    more = {resource: amount - before.get(resource, NOTHING) for resource, amount in after.items()}
    return {resource: amount for resource, amount in more.items() if amount > NOTHING}


def _shown(amounts: Usage, resources: Iterable[str]) -> str:
    return ",".join(f"{resource}={amounts[resource]}" for resource in sorted(resources))


def _refused(write: Write, why: str) -> ApiError:
    return errors.forbidden(BY_RESOURCE[write.resource], write.name, why)
