"""Which range a cluster's network on Docker has."""

import ipaddress
import secrets
from types import SimpleNamespace

import pytest

from lab.apiserver.strategies.serviceaddresses import NETWORK as SERVICES
from lab.runtime import RuntimeFailure
from lab.runtime.docker import DockerRuntime
from lab.runtime.docker.configs import network_name
from lab.runtime.docker.network import COUNT, ROUTER, candidates


@pytest.mark.parametrize("slot", range(4))
def test_no_range_is_one_that_services_have(slot):
    free = candidates("lab/default", [], slot)
    assert len(free) == len(set(free)) == COUNT - 1
    assert not any(each.overlaps(SERVICES) for each in free)


def test_what_is_taken_is_no_candidate_and_each_cluster_begins_elsewhere():
    taken = ipaddress.ip_network("10.64.0.0/14")
    first, second = (candidates(name, [taken, ipaddress.ip_network("fd00::/8")]) for name in ("lab/a", "lab/b"))
    assert set(first) == set(second) and first[0] != second[0]
    assert len(first) == COUNT - 1 - 4 and not any(each.overlaps(taken) for each in first)


def test_a_network_among_the_services_is_made_anew_when_nobody_is_in_it(engine, tmp_path):
    """Such as labs made: pods could not reach what answers there for all Services."""
    lab_id = secrets.token_hex(4)
    within = next(SERVICES.subnets(new_prefix=24))
    pool = {"Subnet": str(within), "Gateway": str(within[1]), "AuxiliaryAddresses": {ROUTER: str(within[2])}}
    engine.create_network(network_name(lab_id, "old"), ipam={"Driver": "default", "Config": [pool]})
    runtime = DockerRuntime(lab_id, tmp_path)
    try:
        assert not ipaddress.ip_network(runtime.ensure_network("old")).overlaps(SERVICES)
        assert len(engine.networks(names=[network_name(lab_id, "old")])) == 1
    finally:
        runtime.remove_network("old")


def test_a_gateway_whose_network_goes_meanwhile_is_one_that_is_not_ready(monkeypatch, tmp_path):
    runtime = DockerRuntime("test-going", tmp_path)
    name, pool = network_name("test-going", "c"), {"Subnet": "10.64.0.0/16", "Gateway": "10.64.0.1"}
    pool["AuxiliaryAddresses"] = {ROUTER: "10.64.0.2"}
    runtime._networks._rows["c"] = {"Name": name, "Id": "1", "IPAM": {"Config": [pool]}}
    runtime._engine._threads.client = SimpleNamespace(remove_network=lambda name: None)
    monkeypatch.setattr(runtime.images.maker, "make_gateway", lambda: runtime._networks.remove(name) or "its id")
    with pytest.raises(RuntimeFailure, match="the network of c has been removed"):
        runtime.ensure_gateway("c", "token")
