"""Which kinds of objects the board shows, and which belong to the row of another. Pure."""

from lab.apimachinery.controlplane import COMPONENTS
from lab.apimachinery.kinds import (
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    LEASES,
    NODEPOOLS,
    NODES,
    PODS,
    RELEASES,
    REPLICASETS,
    SERVICES,
    VISITORS,
)

from .rows import event_row
from .servicerows import service_of, visitors_row
from .steeringrows import pool_row, release_row, scaler_row, target_of_release, target_of_scaler
from .whole import zone_of


def leader_of(lease: dict) -> str:
    """The node that leads by this Lease, if it is one of a component of the control plane and no heartbeat."""
    name, holder = lease["metadata"]["name"], lease["spec"].get("holderIdentity")
    return f"{NODES.resource}/{holder}" if name in COMPONENTS and holder else ""


# Kinds whose rows say nothing of other objects, or are no rows themselves but part of another's.
PLAIN = {
    RELEASES.resource: release_row,
    HORIZONTALPODAUTOSCALERS.resource: scaler_row,
    NODEPOOLS.resource: pool_row,
    VISITORS.resource: visitors_row,
    EVENTS.resource: event_row,
}
# resource → the id of the row that an object of it belongs to.
PART_OF = {
    ENDPOINTSLICES.resource: service_of,
    RELEASES.resource: target_of_release,
    HORIZONTALPODAUTOSCALERS.resource: target_of_scaler,
    SERVICES.resource: lambda service: f"namespaces/{service['metadata']['namespace']}",
    LEASES.resource: leader_of,
    NODES.resource: zone_of,
}
INNER = (REPLICASETS.resource, ENDPOINTSLICES.resource, LEASES.resource)  # told by their owners' rows, and have none
SHOWN = (NODES.resource, SERVICES.resource, DEPLOYMENTS.resource, *INNER, PODS.resource, *PLAIN)
