"""Leader election: which control-plane node's controllers and scheduler act. `lab.apimachinery.controlplane` decides.

Here the Leases are written, once a second by the tick, and loops ask whether their component has a leader.
"""

import logging
import time

from django.conf import settings

from lab.apimachinery.controlplane import (
    COMPONENTS,
    CONTROLLER_MANAGER,
    LEADER_NAMESPACE,
    SCHEDULER,
    elect,
    is_up,
    members_of,
)
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LEASES, NODES
from lab.store import View

from .client import Client, Put

log = logging.getLogger(__name__)


def hold_elections(cluster: str) -> None:
    """Renew the Leases of those who lead, and give those that have run out to others. Doing it twice is harmless."""
    client = Client(cluster, "leader-election")
    view = client.view()
    nodes = view.list(NODES.resource)
    leases = {component: view.get(LEASES.resource, LEADER_NAMESPACE, component) for component in COMPONENTS}
    held = [elect(*each, nodes, time.time(), settings.CLOCK["leader_lease"]) for each in leases.items()]
    elections = [election for election in held if election]
    if not elections:
        return
    try:
        stored = client.write([Put(LEASES, election.lease) for election in elections])
        told = [(lease, "Normal", "LeaderElection", e.taken_over) for lease, e in zip(stored, elections, strict=True)]
        client.events([each for each in told if each[-1]])
    except ApiError as error:  # another worker held the same elections, or the last member has just lost its power
        log.info("elections in %s: %s", cluster, error.message)


def is_led(view: View, controller: str) -> bool:
    """Whether the component that this loop belongs to has a leader that is up."""
    component = SCHEDULER if controller == "scheduler" else CONTROLLER_MANAGER
    lease = view.get(LEASES.resource, LEADER_NAMESPACE, component)
    members = {name: view.get(NODES.resource, "", name) for name in members_of(lease)}
    if lease is None or not any(members.values()):
        return True  # the cluster has no control-plane nodes, or no longer: the lab itself steers it
    return is_up(members.get(lease["spec"].get("holderIdentity", "")))
