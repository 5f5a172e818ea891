"""What no pod may do to the machine that it runs on, whoever writes it, in whatever place of its specification."""

import pytest

from .conftest import pod

PODS = "/api/v1/namespaces/default/pods"
HTTP, TCP = {"httpGet": {"path": "/", "port": 80, "host": "127.0.0.1"}}, {"tcpSocket": {"port": 80, "host": "::1"}}


def refused(api, spec: dict, container: dict) -> list[str]:
    """The fields that are refused."""
    wanted = pod("web")
    wanted["spec"] |= spec
    wanted["spec"]["containers"][0] |= container
    reply = api.ask("POST", PODS, wanted)
    assert (reply.code, reply.json["reason"]) == (422, "Invalid")
    return [cause["field"] for cause in reply.json["details"]["causes"]]


@pytest.mark.parametrize("field", ["hostNetwork", "hostPID", "hostIPC"])
def test_it_shares_nothing_of_the_machine(api, field):
    assert refused(api, {field: True}, {}) == [f"spec.{field}"]


def test_it_sets_nothing_of_the_kernel_that_others_would_feel(api):
    sysctls = [{"name": "net.ipv4.tcp_syncookies", "value": "1"}, {"name": "kernel.core_pattern", "value": "|/x"}]
    assert refused(api, {"securityContext": {"sysctls": sysctls}}, {}) == ["spec.securityContext.sysctls[1].name"]


@pytest.mark.parametrize(
    ("context", "field"),
    [
        ({"privileged": True}, "privileged"),
        ({"capabilities": {"add": ["KILL", "CAP_SYS_ADMIN"]}}, "capabilities.add[1]"),
        ({"capabilities": {"add": ["ALL"]}}, "capabilities.add[0]"),
        ({"procMount": "Unmasked"}, "procMount"),
        ({"seccompProfile": {"type": "Unconfined"}}, "seccompProfile.type"),
    ],
)
def test_no_container_of_it_has_more_rights_than_an_ordinary_one(api, context, field):
    context = {"securityContext": context}
    assert refused(api, {}, context) == [f"spec.containers[0].securityContext.{field}"]
    first = {"name": "first", "image": "x", **context}
    assert refused(api, {"initContainers": [first]}, {}) == [f"spec.initContainers[0].securityContext.{field}"]


@pytest.mark.parametrize("asks", [HTTP, TCP])
def test_the_machine_asks_nobody_in_its_place(api, asks):
    """The lab's plain port, on the loopback, takes whoever asks for the machine's own user."""
    field = f"{next(iter(asks))}.host"
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        assert refused(api, {}, {probe: asks}) == [f"spec.containers[0].{probe}.{field}"]
    assert refused(api, {}, {"lifecycle": {"preStop": asks}}) == [f"spec.containers[0].lifecycle.preStop.{field}"]
