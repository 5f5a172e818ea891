"""The variables by which a container finds the Services of its namespace, as it could before there was cluster DNS.

They are as the Services were when the container started; one that came later is only found by its name. Pure.
Source: pkg/kubelet/envvars/envvars.go.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from lab.apimachinery.services import API_NAME, API_PORT_NAME


def service_environment(pod: dict, services: Iterable[dict]) -> dict[str, str]:
    """`HELLO_SERVICE_HOST=10.96.3.4`, `HELLO_SERVICE_PORT=80` and what Docker's links once gave, for each Service
    with an address. None where the pod says `enableServiceLinks: false`."""
    found: dict[str, str] = {}
    if pod["spec"].get("enableServiceLinks") is False:
        return found
    for service in sorted(services, key=lambda service: service["metadata"]["name"]):
        address, ports = service["spec"].get("clusterIP"), service["spec"].get("ports")
        if address and address != "None" and ports:
            found |= _variables(service["metadata"]["name"].upper().replace("-", "_"), address, ports)
    return found


def api_environment(address: str, port: int) -> dict[str, str]:
    """By which every client in the cluster finds the API, in any namespace, whatever its pod says of links."""
    return _variables(API_NAME.upper(), address, [{"name": API_PORT_NAME, "port": port}])


def _variables(name: str, address: str, ports: list[dict]) -> dict[str, str]:
    found = {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            found[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    for at, port in enumerate(ports):
        protocol, number = port.get("protocol", "TCP"), port["port"]
        prefix, url = f"{name}_PORT_{number}_{protocol}", f"{protocol.lower()}://{address}:{number}"
        if at == 0:
            found[f"{name}_PORT"] = url
        found |= {
            prefix: url,
            f"{prefix}_PROTO": protocol.lower(),
            f"{prefix}_PORT": str(number),
            f"{prefix}_ADDR": address,
        }
    return found


def proxy_environment(front_door: str, cluster: str, namespace: str) -> dict[str, str]:
    """For local processes, which have neither cluster DNS nor a network on which a Service could have its address: the
    front door is their HTTP proxy, and knows by its user whose short names are meant. Other protocols find nothing."""
    port = urlsplit(front_door).port if front_door else None
    if not port:
        return {}
    # With a password, which nobody looks at: Python's urllib tells a proxy no user that has none.
    proxy, none = f"http://{namespace}.{cluster}:pod@127.0.0.1:{port}", "127.0.0.1,localhost"
    return {"http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": none, "NO_PROXY": none}
