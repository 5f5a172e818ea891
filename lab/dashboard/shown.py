"""Which kinds of objects the board shows, and which belong to the row of another. Pure."""

from collections.abc import Callable, Sequence

from lab.apimachinery.controlplane import COMPONENTS
from lab.apimachinery.kinds import (
    BUILDS,
    ENDPOINTSLICES,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    LEASES,
    LESSONS,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    RELEASES,
    SERVICES,
    VISITORS,
    WHEELS,
)

from .lessonrows import lesson_row
from .rows import WORKLOADS, event_row
from .servicerows import service_of, visitors_row
from .steeringrows import build_row, pool_row, release_row, scaler_row, target_of_release, target_of_scaler
from .storagerows import claims_of, volume_row
from .whole import LAB, zone_of


def leader_of(lease: dict) -> str:
    """The node that leads by this Lease, if it is one of a component of the control plane and no heartbeat."""
    name, holder = lease["metadata"]["name"], lease["spec"].get("holderIdentity")
    return f"{NODES.resource}/{holder}" if name in COMPONENTS and holder else ""


def only(whole: Callable[[dict], str]) -> Callable[[dict], list[str]]:
    """Of what belongs to one row at most, that one."""
    return lambda obj: list(filter(None, [whole(obj)]))


# Kinds whose rows say nothing of other objects, or are no rows themselves but part of another's.
PLAIN = {
    RELEASES.resource: release_row,
    HORIZONTALPODAUTOSCALERS.resource: scaler_row,
    NODEPOOLS.resource: pool_row,
    BUILDS.resource: build_row,
    VISITORS.resource: visitors_row,
    PERSISTENTVOLUMES.resource: volume_row,
    EVENTS.resource: event_row,
    LESSONS.resource: lesson_row,
}
# resource → the ids of the rows that an object of it belongs to.
PART_OF: dict[str, Callable[[dict], Sequence[str]]] = {
    ENDPOINTSLICES.resource: only(service_of),
    RELEASES.resource: only(target_of_release),
    HORIZONTALPODAUTOSCALERS.resource: only(target_of_scaler),
    SERVICES.resource: lambda service: [f"namespaces/{service['metadata']['namespace']}"],
    LEASES.resource: only(leader_of),
    NODES.resource: lambda node: [LAB, *only(zone_of)(node)],
    PODS.resource: claims_of,
    NODEPOOLS.resource: lambda pool: [NODEPOOLS.resource],  # of all pools together
}
INNER = (ENDPOINTSLICES.resource, LEASES.resource, WHEELS.resource)  # told by their owners' rows, and have none
SHOWN = (
    *(kind.resource for kind in (NODES, SERVICES, *WORKLOADS)),
    *INNER,
    *(kind.resource for kind in (PODS, PERSISTENTVOLUMECLAIMS)),
    *PLAIN,
)
