"""What is wanted of the data plane, checked and merged from all scopes (clusters) into one plan. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

WEIGHT_MOST = 256


@dataclass(frozen=True)
class Server:
    """One pod's port. `weight` 0: no new request; it finishes what it has."""

    key: str
    address: str
    port: int
    weight: int
    pod: str = ""
    version: str = ""


@dataclass(frozen=True)
class Backend:
    """A port of a Service and who serves it. `affinity`: seconds for which a client stays with its server; `note`: why
    nobody serves it, if it is known."""

    scope: str
    name: str
    mode: str
    affinity: int
    servers: dict[str, Server]
    note: str = ""

    @property
    def service(self) -> str:
        """`Service hello in namespace default of cluster west, port http`, from `default/hello:http`."""
        namespace, _, rest = self.name.partition("/")
        service, _, port = rest.partition(":")
        words = f"Service {service} in namespace {namespace} of cluster {self.scope}" if service else self.name
        return f"{words}, port {port}" if port else words


@dataclass(frozen=True)
class Host:
    """What the front door sends where: `host` may be "" (any) or begin with `*.`."""

    host: str
    path: str
    exact: bool
    backend: str


@dataclass
class Plan:
    backends: dict[str, Backend] = field(default_factory=dict)  # by id: scope and name
    listeners: dict[tuple[str, int], str] = field(default_factory=dict)  # (address, port) → id of the backend
    nowhere_else: set[tuple[str, int]] = field(default_factory=set)  # of these, those that nothing can stand in for
    hosts: list[Host] = field(default_factory=list)
    names: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # scope → name → addresses
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)  # scope → name → another name
    # scope → `_port._protocol.` and a Service's name → (port, name that has it)
    services: dict[str, dict[str, list[tuple[int, str]]]] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)  # scope → the domain that it alone answers for


def backend_id(scope: str, name: str) -> str:
    return f"{scope}/{name}"


def merge(scopes: Mapping[str, dict]) -> Plan:
    """One plan of what each scope wants. Raises ValueError, in words, for what cannot be done."""
    plan = Plan()
    for scope in sorted(scopes):
        try:
            _add(plan, scope, scopes)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"scope {scope}: {type(error).__name__} {error}") from error
    return plan


def _add(plan: Plan, scope: str, scopes: Mapping[str, dict]) -> None:
    desired = scopes[scope]
    for name, told in desired.get("backends", {}).items():
        servers = {key: _server(key, each) for key, each in told.get("servers", {}).items()}
        mode = told.get("mode", "http")
        if mode not in ("http", "tcp"):
            raise ValueError(f"backend {name}: mode is http or tcp, not {mode}")
        affinity, note = int(told.get("affinitySeconds") or 0), str(told.get("note") or "")
        plan.backends[backend_id(scope, name)] = Backend(scope, name, mode, affinity, servers, note)
    for told in desired.get("listeners", ()):
        place = (str(ipaddress.ip_address(told["address"])), _port(told["port"]))
        # Two clusters that want the same address and port: the first keeps it.
        plan.listeners.setdefault(place, _known(plan, scope, told["backend"]))
        if told.get("nowhereElse"):
            plan.nowhere_else.add(place)
    for told in desired.get("hosts", ()):
        backend = _known(plan, scope, told["backend"])
        host, path = told["host"].lower(), told.get("path") or "/"
        # A space is in no host or path that a request can ask for.
        if (
            plan.backends[backend].mode == "http"
            and not re.search(r"\s", host + path)
            and _is_theirs(host, scope, scopes)
        ):
            plan.hosts.append(Host(host, path, told.get("match") == "exact", backend))
    plan.names[scope] = {name.lower(): list(found) for name, found in desired.get("names", {}).items()}
    plan.aliases[scope] = {name.lower(): other.lower() for name, other in desired.get("aliases", {}).items()}
    plan.services[scope] = {
        name.lower(): [(_port(port), other.lower()) for port, other in found]
        for name, found in desired.get("services", {}).items()
    }
    plan.domains[scope] = desired.get("domain", "cluster.local").lower()


def _is_theirs(host: str, scope: str, scopes: Mapping[str, dict]) -> bool:
    """What ends in `<cluster>.localhost` is that cluster's, whatever an Ingress of another one says."""
    *_, cluster, last = ["", *host.split(".")]
    return last != "localhost" or cluster == scope or cluster not in scopes


def _known(plan: Plan, scope: str, name: str) -> str:
    found = backend_id(scope, name)
    if found not in plan.backends:
        raise ValueError(f"scope {scope}: there is no backend {name}")
    return found


def _server(key: str, told: dict) -> Server:
    weight = int(told.get("weight", 1))
    if not 0 <= weight <= WEIGHT_MOST:
        raise ValueError(f"server {key}: a weight is 0 to {WEIGHT_MOST}, not {weight}")
    if told.get("state", "ready") != "ready":
        weight = 0
    address = str(ipaddress.ip_address(told["address"]))
    return Server(key, address, _port(told["port"]), weight, told.get("pod") or key, told.get("version") or "")


def _port(told: str | int) -> int:
    port = int(told)
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")
    return port


class Routes:
    """The front door's rules, for finding the backend of a host and a path, as Ingress has it: the exact path before
    the longest prefix, and a prefix ends where a path element does."""

    def __init__(self, hosts: list[Host]):
        self._exact: dict[tuple[str, str], str] = {}
        self._prefixes: dict[str, list[tuple[str, str]]] = {}
        for each in hosts:
            if each.exact:
                self._exact.setdefault((each.host, each.path), each.backend)
            else:
                prefix = each.path.rstrip("/") + "/"
                self._prefixes.setdefault(each.host, []).append((prefix, each.backend))
        for rules in self._prefixes.values():
            rules.sort(key=lambda rule: -len(rule[0]))

    def find(self, host: str, path: str) -> str | None:
        """The id of the backend. `host` without its port, in small letters; `path` without its query."""
        for name in (host, "*." + host.partition(".")[2], ""):
            found = self._exact.get((name, path))
            if found:
                return found
            for prefix, backend in self._prefixes.get(name, ()):
                if prefix == "/" or f"{path}/".startswith(prefix):
                    return backend
        return None
