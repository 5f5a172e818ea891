"""One bridge network a cluster, with a /16 of its own: 255 nodes of 254 pods, as Kubernetes divides a pod CIDR."""

import ipaddress
import logging
import threading
import zlib
from pathlib import Path

from docker.errors import APIError

from lab.runtime import RuntimeFailure

from . import labels
from .configs import SERVICES, network_name
from .engine import Engine, failing_as, words
from .firewall import bridge_name
from .places import Places, places, slot_of

logger = logging.getLogger(__name__)

# What the engine gives containers as their default route, if a network says so under this name.
ROUTER = "DefaultGatewayIPv4"
BRIDGE, MASQUERADE = "com.docker.network.bridge.name", "com.docker.network.bridge.enable_ip_masquerade"
FIRST, COUNT = 64, 160  # 10.64.0.0/16 … 10.223.0.0/16: home and office networks sit mostly below and above
SHARES = 4  # engines that make networks at once do not want the same range; of one lab's, the front door joins all
ROUTES = Path("/proc/net/route")


class Networks:
    def __init__(self, engine: Engine, lab_id: str, name: str):
        self._engine = engine
        self._lab_id = lab_id
        self.engine = name  # among the lab's
        self._lock = threading.Lock()
        self._rows: dict[str, dict] = {}  # cluster → its network, as the engine told of it last

    def ensure(self, cluster: str, closed: bool = False, wanted: str = "") -> str:
        """The range of the cluster's network, which is made if it is missing, in the range that is `wanted` if one is.
        `closed`: see `firewall.py`."""
        name = network_name(self._lab_id, cluster)
        with self._lock, failing_as("NetworkNotReady"):
            found = self._find(name)
            if found and not _is_fit(found):
                found = self._made_anew(found)
            self._rows[cluster] = found = found or self._create(name, cluster, closed, wanted)
            return _subnet(found)

    def places(self, cluster: str, closed: bool = False) -> Places | None:
        """The gateway's addresses; None in a network without any."""
        if cluster not in self._rows:
            self.ensure(cluster, closed)
        return _places(self._row(cluster))

    def id_of(self, cluster: str) -> str:
        return self._row(cluster)["Id"]

    def _row(self, cluster: str) -> dict:
        """Another thread may remove it at any time. Raises RuntimeFailure."""
        if row := self._rows.get(cluster):
            return row
        raise RuntimeFailure("NetworkNotReady", f"the network of {cluster} has been removed")

    def _made_anew(self, found: dict) -> dict | None:
        """A network of an older lab in which no gateway can do its work: removed if nobody is in it, else used as it
        is."""
        if self._engine.client.inspect_network(found["Id"])["Containers"]:
            logger.warning(
                "network %s is of an older lab: Services have no names in it until its pods end", found["Name"]
            )
            return found
        self._engine.client.remove_network(found["Id"])
        return None

    def remove(self, name: str) -> None:
        """Best effort: the engine can leak an endpoint and then refuse; the network is reused by its name later."""
        self._rows = {cluster: row for cluster, row in self._rows.items() if row["Name"] != name}
        try:
            with failing_as("NetworkNotReady", gone_is_fine=True):
                self._engine.client.remove_network(name)
        except RuntimeFailure as failure:
            logger.warning("network %s stays: %s", name, failure.message)

    def names(self) -> list[str]:
        with failing_as("NetworkNotReady"):
            return [row["Name"] for row in self._engine.client.networks(filters=labels.filter_of(self._lab_id))]

    def clusters(self) -> list[str]:
        with failing_as("NetworkNotReady"):
            rows = self._engine.client.networks(filters=labels.filter_of(self._lab_id))
        return [row["Labels"][labels.CLUSTER] for row in rows]

    def has_closed(self) -> bool:
        with failing_as("NetworkNotReady"):
            rows = self._engine.client.networks(filters=labels.filter_of(self._lab_id))
        return any(BRIDGE in (row["Options"] or {}) for row in rows)

    def _find(self, name: str) -> dict | None:
        # The engine's own filter by name finds parts of names too. Two of one name (the engine allows it): the oldest.
        same = [row for row in self._engine.client.networks(names=[name]) if row["Name"] == name]
        return min(same, key=lambda row: (row["Created"], row["Id"]), default=None)

    def _free(self, cluster: str) -> list[ipaddress.IPv4Network]:
        taken = _routed() + [
            ipaddress.ip_network(pool["Subnet"], strict=False)
            for row in self._engine.client.networks()
            for pool in (row["IPAM"]["Config"] or [])
            if pool.get("Subnet")
        ]
        return candidates(f"{self._lab_id}/{cluster}", taken, slot_of(self.engine))

    def _create(self, name: str, cluster: str, closed: bool, wanted: str) -> dict:
        client = self._engine.client
        about = {labels.LAB: self._lab_id, labels.CLUSTER: cluster}
        for subnet in [ipaddress.IPv4Network(wanted)] if wanted else self._free(cluster):
            own = places(str(subnet), self.engine)
            pool = {"Subnet": str(subnet), "Gateway": own.bridge, "AuxiliaryAddresses": {ROUTER: own.router}}
            ipam = {"Driver": "default", "Config": [pool]}
            # By its range's second number: no two networks have the same range.
            number = subnet.network_address.packed[1]
            options = {BRIDGE: bridge_name(self._lab_id, number), MASQUERADE: "false"} if closed else None
            try:
                created = client.create_network(
                    name, driver="bridge", options=options, ipam=ipam, labels=about, check_duplicate=True
                )
            except APIError as error:
                if "already exists" in words(error):
                    break  # another worker was faster
                if "overlap" not in words(error).lower():
                    raise
                continue
            first = self._find(name)
            if first and first["Id"] != created["Id"]:
                client.remove_network(created["Id"])
            break
        found = self._find(name)
        if not found:
            none = f"{wanted} is in use here" if wanted else "no range of 10.64.0.0–10.223.255.255 is free"
            raise RuntimeFailure("NetworkNotReady", f"{none}: the cluster has no network")
        return found


def candidates(
    seed: str, taken: list[ipaddress.IPv4Network | ipaddress.IPv6Network], slot: int = 0
) -> list[ipaddress.IPv4Network]:
    """The ranges that overlap nothing in `taken`, starting where `seed` says, so that two labs seldom want the same;
    those of an engine's share first. Never the Services' own: their gateway answers for all of it, so whoever has an
    address in there gets no answer from it."""
    start = zlib.crc32(seed.encode()) % COUNT
    numbers = [(start + step) % COUNT for step in range(COUNT)]
    numbers.sort(key=lambda number: number % SHARES != slot % SHARES)
    ranges = [ipaddress.IPv4Network(f"10.{FIRST + number}.0.0/16") for number in numbers]
    others = [ipaddress.IPv4Network(SERVICES), *(network for network in taken if network.version == 4)]
    return [candidate for candidate in ranges if not any(candidate.overlaps(other) for other in others)]


def _is_fit(row: dict) -> bool:
    within = ipaddress.IPv4Network(_subnet(row))
    return _places(row) is not None and not within.overlaps(ipaddress.IPv4Network(SERVICES))


def _subnet(row: dict) -> str:
    return row["IPAM"]["Config"][0]["Subnet"]


def _places(row: dict) -> Places | None:
    pool = row["IPAM"]["Config"][0]
    router = (pool.get("AuxiliaryAddresses") or {}).get(ROUTER)
    if not router:
        return None
    gateway = ipaddress.IPv4Address(router) + 1
    return Places(
        pool["Gateway"], router, str(gateway), str(gateway + 1), ipaddress.IPv4Network(pool["Subnet"]).prefixlen
    )


def _routed() -> list[ipaddress.IPv4Network]:
    """What this host already reaches by its routing table, but for the default route; [] where it cannot be read."""
    try:
        rows = [line.split() for line in ROUTES.read_text().splitlines()[1:]]
    except OSError:
        return []
    # Each is a hexadecimal number with its bytes turned round.
    pairs = [(bytes.fromhex(row[1])[::-1], bytes.fromhex(row[7])[::-1]) for row in rows]
    return [
        ipaddress.IPv4Network((destination, ipaddress.IPv4Address(mask).exploded), strict=False)
        for destination, mask in pairs
        if any(mask)
    ]
