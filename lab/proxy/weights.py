"""How much of the traffic each server gets: the shares of versions as whole numbers, one for each server. Pure.

A Service says `orrery.io/weights: '{"<pod-template-hash>": 5, "<another>": 95}'`: percent by version, however many pods
each has. A proxy wants a weight for each server, 256 at most: so the largest number of parts is taken that keeps to
that, given to the versions by their shares, and within a version to its servers as evenly as whole parts can be.
"""

import json
from collections.abc import Mapping

from lab.apimachinery.labels import WEIGHTS

MOST = 256
EVEN = 1  # of every server where nobody has asked for shares


def shares_of(service: dict) -> dict[str, float]:
    """version → its share; {} where none are declared, or where what is declared cannot be read."""
    text = (service["metadata"].get("annotations") or {}).get(WEIGHTS)
    try:
        told = json.loads(text) if text else {}
        return {str(version): max(float(share), 0.0) for version, share in told.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def weights(shares: Mapping[str, float], versions: Mapping[str, str]) -> dict[str, int]:
    """server → its weight. `versions`: server → version, of those servers that are ready.

    A version that is not named gets nothing; one that is and has no server leaves its share to the others; if no named
    version has a server, there are no shares.
    """
    servers: dict[str, list[str]] = {}
    for server in sorted(versions):
        servers.setdefault(versions[server], []).append(server)
    wanted = {version: share for version, share in shares.items() if share > 0 and version in servers}
    if not wanted:
        return dict.fromkeys(versions, EVEN)
    scale = min(MOST * len(servers[version]) / share for version, share in wanted.items())
    found = dict.fromkeys(versions, 0)
    for version, share in wanted.items():
        each, more = divmod(max(round(share * scale), 1), len(servers[version]))
        for at, server in enumerate(servers[version]):
            found[server] = each + (at < more)
    return found
