"""Admission: what a cluster's own objects have to say to a write, after the defaults and before the rules of its kind.

Pure functions of the object and a view: they may fill in what its author left out, or refuse with ApiError 403. Must
not write. Only quotas are asked elsewhere, under the store's lock: what two writers take at once must be counted once
(`resourcequota`, and what `guard` counts, called by `commit`). Kubernetes calls these admission plug-ins, and has
webhooks beside them.
"""

from collections.abc import Callable

from lab.apimachinery.kinds import NODES, PERSISTENTVOLUMECLAIMS, PODS, PRIORITYCLASSES, WHEELS, Kind
from lab.store import View

from . import engine, guard, limitranger, priority, serviceaccount, wheel

ON_CREATE = {
    PODS.resource: (serviceaccount.provide, priority.resolve, limitranger.fill_in, limitranger.check_pod),
    PERSISTENTVOLUMECLAIMS.resource: (limitranger.check_claim,),
    PRIORITYCLASSES.resource: (priority.check_default,),
    WHEELS.resource: (wheel.belong,),
    NODES.resource: (engine.stand,),
}
ON_UPDATE = {
    NODES.resource: (engine.stand,),
    PRIORITYCLASSES.resource: (priority.check_default,),
    WHEELS.resource: (wheel.belong,),
}


def admit(view: Callable[[], View], kind: Kind, obj: dict, old: dict | None = None) -> None:
    """Change `obj`, which is to be created, or to take the place of `old`. Raises ApiError 403."""
    for plugin in (ON_CREATE if old is None else ON_UPDATE).get(kind.resource, ()):
        plugin(view(), obj)
    if kind.resource in guard.CHECKED:
        guard.check(view(), kind, obj, old)
