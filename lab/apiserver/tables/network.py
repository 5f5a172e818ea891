"""Lines of the kinds that lead requests to pods: Endpoints, EndpointSlice, Ingress. Columns as kubectl has them."""

from .cells import NONE, age

MOST = 3  # addresses, ports or hosts that are told one by one


def endpoints_cells(endpoints: dict, now: float) -> list:
    found = [
        f"{address['ip']}:{port['port']}" if port else address["ip"]
        for subset in endpoints.get("subsets") or ()
        for port in subset.get("ports") or (None,)
        for address in subset.get("addresses") or ()
    ]
    return [endpoints["metadata"]["name"], _some(found), age(endpoints, now)]


def endpointslice_cells(endpointslice: dict, now: float) -> list:
    addresses = [each for one in endpointslice.get("endpoints") or () for each in one.get("addresses") or ()]
    ports = [str(port.get("port", "*")) for port in endpointslice.get("ports") or ()]
    return [
        endpointslice["metadata"]["name"],
        endpointslice.get("addressType", ""),
        _some(ports, "<unset>"),
        _some(addresses, "<unset>"),
        age(endpointslice, now),
    ]


def ingress_cells(ingress: dict, now: float) -> list:
    spec = ingress["spec"]
    hosts = [rule.get("host") or "*" for rule in spec.get("rules") or ()]
    given = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return [
        ingress["metadata"]["name"],
        spec.get("ingressClassName") or NONE,
        _some(hosts, "*"),
        ",".join(one.get("ip") or one.get("hostname", "") for one in given),
        "80, 443" if spec.get("tls") else "80",
        age(ingress, now),
    ]


def _some(words: list[str], none: str = NONE) -> str:
    """`a,b,c + 2 more...`"""
    more = f" + {len(words) - MOST} more..." if len(words) > MOST else ""
    return ",".join(words[:MOST]) + more or none
