"""The pods behind one port of a Service, as servers of a data plane; and why there is none, if so. Pure."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.apimachinery.labels import HASH_LABEL
from lab.apimachinery.meta import is_true
from lab.apimachinery.services import AFFINITY_SECONDS

from .weights import shares_of, weights

WEB_PORTS = (80, 3000, 5000, 8000, 8080)
WEB_NAMES = ("http", "web")
SEALED = "https"  # nobody but its ends reads it
WEB_PROTOCOLS = ("http", "kubernetes.io/ws")
READY, DRAIN = "ready", "drain"


@dataclass(frozen=True)
class Endpoint:
    """One pod of a Service, as its slice has it. `runtime` is empty for an address that was written by hand."""

    key: str
    address: str
    ports: dict[str, int]  # port's name → number
    ready: bool
    hostname: str
    pod: str
    node: str
    version: str
    runtime: str


def backend_name(service: dict, port: dict) -> str:
    """`default/hello:http`, or with the number of a port that has no name."""
    meta = service["metadata"]
    return f"{meta['namespace']}/{meta['name']}:{port.get('name') or port['port']}"


def mode_of(port: dict) -> str:
    """What the port says that it speaks, or else what its name or its number is mostly used for."""
    if port.get("appProtocol"):
        return "http" if port["appProtocol"] in WEB_PROTOCOLS else "tcp"
    name = port.get("name", "")
    if name.startswith(SEALED):
        return "tcp"
    return "http" if name.startswith(WEB_NAMES) or port["port"] in WEB_PORTS else "tcp"


def endpoints_of(
    service: dict, slices: list[dict], runtimes: dict[str, str], find_pod: Callable[[str, str], dict | None]
) -> list[Endpoint]:
    """Everything that stands behind a Service."""
    found: dict[str, Endpoint] = {}
    for one in slices:
        ports = {port.get("name") or "": port["port"] for port in one.get("ports") or () if port.get("port")}
        for endpoint in _addressed(one):
            ref = endpoint.get("targetRef") or {}
            pod = find_pod(service["metadata"]["namespace"], ref["name"]) if ref.get("kind") == "Pod" else None
            if not _may_be_asked(endpoint["addresses"][0], ref, pod):
                continue
            labels = pod["metadata"].get("labels") or {} if pod else {}
            node = pod["spec"].get("nodeName", "") if pod else ""
            each = Endpoint(
                key=ref.get("uid") or endpoint["addresses"][0],
                address=endpoint["addresses"][0],
                ports=ports,
                ready=_is_ready(endpoint.get("conditions") or {}, service, pod),
                hostname=endpoint.get("hostname", ""),
                pod=ref.get("name", ""),
                node=node,
                version=labels.get(HASH_LABEL, ""),
                runtime=runtimes.get(node, "gone") if pod else "",
            )
            found[each.key] = each
    return list(found.values())


def _is_ready(conditions: dict, service: dict, pod: dict | None) -> bool:
    """What nobody has said is taken as yes. But that it is ready no more a pod says itself, before its slice is written
    anew; to believe it at once saves a controller's turn, for which requests would go where nobody answers. (That it
    ends, or has become ready, only the slice says: who comes and who goes must be told in one breath.)"""
    if conditions.get("ready") is False:
        return False
    late = conditions.get("serving") and not service["spec"].get("publishNotReadyAddresses")
    return not late or pod is None or is_true(pod, "Ready")


def _may_be_asked(address: str, ref: dict, pod: dict | None) -> bool:
    """Anybody may write a slice by hand, and a data plane of the host reaches what is none of their business: so a
    pod's address must be its own, and any other may not be one of this machine. (Kubernetes refuses those too.)"""
    if ref.get("kind") == "Pod":
        return pod is not None and pod.get("status", {}).get("podIP") == address
    ip = ipaddress.IPv4Address(address)
    return not (ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast)


def _addressed(one: dict) -> Iterator[dict]:
    if one.get("addressType") == "IPv4":
        yield from (endpoint for endpoint in one.get("endpoints") or () if endpoint.get("addresses"))


def backend_of(service: dict, port: dict, found: list[Endpoint], reached: list[Endpoint]) -> dict:
    """`found` is all that stands behind the Service, `reached` what this data plane can send requests to.

    Who is not ready, or about to end, stays a server that drains: it is asked nothing new, finishes what it has, and
    is back with one word. (Where none is ready kube-proxy asks those that end. Here nobody asks a pod that goes.)
    """
    name = port.get("name") or ""
    here = [each for each in reached if name in each.ports]
    shares = weights(shares_of(service), {each.key: each.version for each in here if each.ready})
    servers = {
        each.key: {
            "address": each.address,
            "port": each.ports[name],
            "weight": shares.get(each.key, 0),
            "state": READY if each.ready else DRAIN,
            "pod": each.pod,
            "version": each.version,
            "node": each.node,
        }
        for each in here
    }
    backend = {"mode": mode_of(port), "affinitySeconds": _affinity(service), "servers": servers}
    if not shares:
        backend["note"] = why_nobody(service, port, found)
    return backend


def _affinity(service: dict) -> int:
    spec = service["spec"]
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    return ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds", AFFINITY_SECONDS)


def why_nobody(service: dict, port: dict, found: list[Endpoint]) -> str:
    """What a visitor is told, when no pod can answer."""
    selector = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
    if not found:
        return (
            f"no pod with {selector} has an address" if selector else "it has no selector, and nobody wrote Endpoints"
        )
    here = [each for each in found if (port.get("name") or "") in each.ports]
    if not here:
        return f"none of its {_pods(found)} has a port {port.get('targetPort', port['port'])}"
    if not any(each.ready for each in here):
        return f"none of its {_pods(here)} is ready"
    return f"its {_pods(here)} cannot be reached: " + (
        "simulated pods answer no requests" if any(each.runtime == "simulated" for each in here) else "no such network"
    )


def _pods(endpoints: list[Endpoint]) -> str:
    return f"{len(endpoints)} pod{'s' if len(endpoints) != 1 else ''}"
