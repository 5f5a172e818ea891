"""What a data plane should do, from what the API says: Services, EndpointSlices and Ingresses as one document. Pure.

There are two kinds of data plane. The host's is the front door of all clusters and has the NodePorts. The gateway in a
cluster's own network has its Services' addresses and answers for their names. Neither is told of pods that it could
not reach: nobody can send a request to a pod that is only simulated, and who asks for its Service is told so.

Sources: pkg/proxy (which endpoints are asked), coredns/plugin/kubernetes (names), ingress-nginx (order of rules).
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lab.apimachinery.services import find_port, has_address, is_api, tcp_ports

from .backends import READY, Endpoint, backend_name, backend_of, endpoints_of

DOMAIN = "cluster.local"
NODE_PORT_ADDRESS = "127.0.0.1"
WEB = "http"
MACHINE = "localhost"
NOT_FOR_PODS = 24  # the prefix of a network's first part, which is for the lab
Place = tuple[str, int]  # address, port
# Whose pods each kind of data plane can reach, by the runtime of their node.
REACHES = {"host": ("docker", "process"), "gateway": ("docker",)}


@dataclass
class Picture:
    """A cluster as far as its traffic goes. `find_pod` takes a namespace and a name."""

    cluster: str
    services: list[dict]
    slices: dict[tuple[str, str], list[dict]]  # (namespace, Service's name) → its slices
    ingresses: list[dict]
    runtimes: dict[str, str]  # node's name → what runs it
    find_pod: Callable[[str, str], dict | None]
    domain: str = DOMAIN
    within: ipaddress.IPv4Network | None = None  # a stranger's endpoints lie in their own network, or are none
    api: Place | None = None  # where this machine has the API's TLS port
    api_for_pods: list[Place] = field(default_factory=list)  # where pods shall find it, as their nodes say


@dataclass
class Desired:
    """See `lab/proxy/program`: DESIRED in its protocol."""

    listeners: list[dict] = field(default_factory=list)
    hosts: list[dict] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    services: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    domain: str = DOMAIN
    backends: dict[str, dict] = field(default_factory=dict)


def desired(picture: Picture, plane: str) -> dict:
    """What the data plane of that kind (`host` or `gateway`) should do for this cluster."""
    result = Desired(domain=picture.domain)
    on_host = plane == "host"
    has_processes = "process" in picture.runtimes.values()
    # No stranger reaches this machine's ports, and they are not theirs to take: a browser shows them its cookies.
    at_node = on_host and not picture.within
    by_ingress = {name for ingress in picture.ingresses for _, _, name in _rules(ingress, picture)}
    for service in sorted(picture.services, key=_place):
        if service["spec"].get("type") == "ExternalName":
            result.aliases[_full_name(service, picture)] = service["spec"]["externalName"].removesuffix(".")
            continue
        every = endpoints_of(service, picture.slices.get(_place(service), []), picture.runtimes, picture.find_pod)
        found = [each for each in every if _may_lead_to(each.address, service, picture)]
        reached = [each for each in found if not each.runtime or each.runtime in REACHES[plane]]
        for port in tcp_ports(service):
            name = backend_name(service, port)
            backend = backend_of(service, port, found, reached)
            result.backends[name] = backend | ({"mode": WEB} if name in by_ingress else {})
            result.listeners += _listeners(service, port, name, at_node, own=not on_host or has_processes)
            if on_host and is_api(service) and picture.api:
                _pass_on_api(result, name, picture.api, picture.api_for_pods)
        _add_names(result, service, picture, reached)
        if on_host:
            result.hosts += _own_host(service, picture, result.backends)
    if on_host:
        _add_ingresses(result, picture)
    return vars(result)


def _place(obj: dict) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _may_lead_to(address: str, service: dict, picture: Picture) -> bool:
    """A stranger's Services lead to pods of theirs. In the first /24 of a network (`runtime/docker/places.py`)
    is none, but the machine itself, which the host's data plane asks from within, where no firewall stands: only the
    API's own Service leads there."""
    if not picture.within:
        return True
    place = ipaddress.IPv4Address(address)
    lab = ipaddress.IPv4Network(f"{picture.within.network_address}/{NOT_FOR_PODS}")
    return place in picture.within and (place not in lab or is_api(service))


def _full_name(service: dict, picture: Picture) -> str:
    namespace, name = _place(service)
    return f"{name}.{namespace}.svc.{picture.domain}"


def _listeners(service: dict, port: dict, backend: str, node_ports: bool, own: bool) -> Iterator[dict]:
    """Where a port of a Service is answered: at a port of the node, and at the Service's own address."""
    if node_ports and port.get("nodePort"):
        yield {"address": NODE_PORT_ADDRESS, "port": port["nodePort"], "backend": backend}
    if own and has_address(service):
        yield {"address": service["spec"]["clusterIP"], "port": port["port"], "backend": backend}


def _pass_on_api(result: Desired, name: str, api: Place, api_for_pods: list[Place]) -> None:
    """The API listens on the loopback. This machine's data plane stands at its addresses on the pods' networks, and
    passes connections on as they are: there as here one says by TLS who one is. Slices, which anybody may write who
    may write any, have no say in this."""
    server = {"address": api[0], "port": api[1], "weight": 1, "state": READY, "pod": "", "version": "", "node": ""}
    result.backends[name] = {"mode": "tcp", "affinitySeconds": 0, "servers": {"api": server}}
    for address, port in api_for_pods:
        ip = ipaddress.ip_address(address)
        if ip.is_private and not (ip.is_loopback or ip.is_unspecified):
            result.listeners.append({"address": address, "port": port, "backend": name, "nowhereElse": True})


def node_ports(service: dict) -> set[int]:
    return {port["nodePort"] for port in service["spec"].get("ports") or () if port.get("nodePort")}


def _add_names(result: Desired, service: dict, picture: Picture, reached: list[Endpoint]) -> None:
    """The Service's address, or, where it has none, those of its pods, each of which has a name then; and for each
    port that has a name, where it is (SRV: `_<port>._<protocol>` before the Service's name)."""
    name = _full_name(service, picture)
    ready: list[tuple[str, Endpoint]] = []
    if has_address(service):
        result.names[name] = [service["spec"]["clusterIP"]]
    else:
        ready = [(f"{each.hostname or each.address.replace('.', '-')}.{name}", each) for each in reached if each.ready]
        result.names[name] = sorted({each.address for _, each in ready})
        for own, each in ready:
            result.names.setdefault(own, []).append(each.address)
    for port in service["spec"].get("ports") or ():
        if port.get("name"):
            at = f"_{port['name']}._{port.get('protocol', 'TCP').lower()}.{name}"
            if has_address(service):
                result.services[at] = [(port["port"], name)]
            else:
                pods = ((each.ports.get(port["name"]), own) for own, each in ready)
                result.services[at] = [(number, own) for number, own in pods if number]


def _own_host(service: dict, picture: Picture, backends: dict[str, dict]) -> Iterator[dict]:
    """`<service>.<namespace>.<cluster>.localhost` leads to its first port that speaks HTTP; where there are several
    ports, `<port>.<service>…` leads to each that does, by its name, or its number if it has none."""
    names = [backend_name(service, port) for port in tcp_ports(service)]
    webs = [name for name in names if backends[name]["mode"] == WEB]
    namespace, name = _place(service)
    host = f"{name}.{namespace}.{picture.cluster}.localhost"
    hosts = [(host, backend) for backend in webs[:1]]
    if len(names) > 1:
        hosts += [(f"{backend.rpartition(':')[2]}.{host}", backend) for backend in webs]
    for host, backend in hosts:
        yield {"host": host, "path": "/", "match": "prefix", "backend": backend}


def _add_ingresses(result: Desired, picture: Picture) -> None:
    """Rules in the order in which they are to be tried: the exact path, then the longest."""
    rules = [rule for ingress in sorted(picture.ingresses, key=_place) for rule in _rules(ingress, picture)]
    for host, path, backend in sorted(rules, key=lambda rule: (rule[0], rule[1][1] != "exact", -len(rule[1][0]))):
        result.hosts.append({"host": host, "path": path[0], "match": path[1], "backend": backend})
        if backend not in result.backends:
            words = f"an Ingress leads to {backend}: there is no such Service or port, or it is but another name"
            result.backends[backend] = {"mode": WEB, "affinitySeconds": 0, "servers": {}, "note": words}


def _rules(ingress: dict, picture: Picture) -> Iterator[tuple[str, tuple[str, str], str]]:
    """(host, (path, prefix|exact), backend's name). What names no host answers to every host that nobody else has, and
    to the cluster's own name, for there may be other clusters behind the same door. A stranger's answers to that name
    alone: all others are somebody's mistake, or the machine's own, to which a browser shows its cookies."""
    own = f"{picture.cluster}.localhost"
    anywhere = (own,) if picture.within else ("", own)
    spec = ingress["spec"]
    rules = [rule for rule in spec.get("rules") or () if not (picture.within and rule.get("host") == MACHINE)]
    for rule in rules:
        for path in (rule.get("http") or {}).get("paths") or ():
            match = "exact" if path.get("pathType") == "Exact" else "prefix"
            backend = _target(ingress, path["backend"], picture.services)
            for host in (rule["host"],) if rule.get("host") else anywhere:
                yield host, (path.get("path") or "/", match), backend
    if spec.get("defaultBackend"):
        hosts = {rule["host"] for rule in rules if rule.get("host")}
        backend = _target(ingress, spec["defaultBackend"], picture.services)
        for host in (*anywhere, *sorted(hosts)):
            if not _answers_all(spec, host):
                yield host, ("/", "prefix"), backend


def _answers_all(spec: dict, host: str) -> bool:
    """Whether the rules for a host leave nothing for the default backend."""
    rules = (rule for rule in spec.get("rules") or () if rule.get("host", "") == host)
    paths = [path for rule in rules for path in (rule.get("http") or {}).get("paths") or ()]
    return any((path.get("path") or "/") == "/" and path.get("pathType") != "Exact" for path in paths)


def _target(ingress: dict, backend: dict, services: Iterable[dict]) -> str:
    """The name of the backend that a rule leads to, whether there is one or not."""
    told, namespace = backend.get("service") or {}, ingress["metadata"]["namespace"]
    port = told.get("port") or {}
    wanted = port.get("name") or port.get("number")
    service = next((each for each in services if _place(each) == (namespace, told.get("name"))), None)
    if service and (found := find_port(service, wanted)):
        return backend_name(service, found)
    return f"{namespace}/{told.get('name', '')}:{wanted}"
