"""What a kubelet says of its nodes, where the API does not take all of it."""

import pytest

from lab.apimachinery.controlplane import CONTROL_PLANE, POWER
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES
from lab.client import Client
from lab.client.election import hold_elections
from lab.kubelet.agent import Agent
from lab.runtime import RuntimeFailure
from tests.labs import wait_until

from .world import NODE

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_said_one_by_one_as_the_control_plane_goes_is_said_when_it_is_back(world, monkeypatch):
    """Somebody has written one of the nodes, so all of them are not taken at once; and then nobody is there."""
    world.client.create(NODES, {"metadata": {"name": "cp", "labels": {CONTROL_PLANE: ""}}})
    world.client.create(NODES, {**NODE, "metadata": {**NODE["metadata"], "name": "node-b"}})
    hold_elections("world")
    switch, write, turned = Client("world", "tester", hardware=True), Client.write, []

    def too_late(client, puts):
        if client.author == "kubelet" and len(puts) > 1 and puts[0].subresource == "status" and not turned:
            turned.append(switch.patch(NODES, "", "cp", {"metadata": {"annotations": {POWER: "off"}}}))
            raise ApiError(409, "Conflict", "too late")
        return write(client, puts)

    monkeypatch.setattr(Client, "write", too_late)
    agent = world.start()
    wait_until("the power to be off", lambda: turned, 20)
    nodes = [agent.parts.nodes.get("world", name) for name in ("node-a", "node-b")]
    assert not any(node.reported for node in nodes) and not world.node_is_ready()
    switch.patch(NODES, "", "cp", {"metadata": {"annotations": {POWER: None}}})
    wait_until("both nodes to be ready", lambda: world.node_is_ready() and world.node_is_ready("node-b"), 10)


def test_a_network_that_cannot_be_taken_down_is_not_in_the_way_of_others(world, monkeypatch, tmp_path):
    gone = []

    def remove(cluster: str) -> None:
        if cluster == "stuck":
            raise RuntimeFailure("GatewayNotReady", "device or resource busy")
        gone.append(cluster)

    monkeypatch.setattr("lab.kubelet.nodeagent.PRUNE_SECONDS", 0.0)
    monkeypatch.setattr(world.runtime, "networks", lambda: ["stuck", "unused", "used"])
    monkeypatch.setattr(world.runtime, "remove_network", remove)
    Agent(world.runtime, tmp_path).nodeagent.prune(lambda cluster: cluster != "used")
    assert gone == ["unused"]
