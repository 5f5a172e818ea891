"""Whom a pod asks for names. Source: validatePodDNSConfig in kubernetes/pkg/apis/core/validation/validation.go."""

import ipaddress
from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from ..causes import invalid, one_of, required

DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
MOST_NAMESERVERS, MOST_SEARCHES = 3, 32  # what a resolver reads of /etc/resolv.conf


def validate_dns(spec: dict, path: str) -> Iterator[Cause]:
    policy, given = spec.get("dnsPolicy"), spec.get("dnsConfig") is not None
    config = spec.get("dnsConfig") or {}
    yield from one_of(f"{path}.dnsPolicy", policy, DNS_POLICIES)
    here = f"{path}.dnsConfig"
    if policy == "None" and not given:
        yield required(here, "must provide `dnsConfig` when `dnsPolicy` is None")
    elif policy == "None" and not config.get("nameservers"):
        words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{here}.nameservers", words)
    elif config:
        yield from _validate_config(config, here)


def _validate_config(config: dict, path: str) -> Iterator[Cause]:
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > MOST_NAMESERVERS:
        yield invalid(f"{path}.nameservers", servers, f"must not have more than {MOST_NAMESERVERS} nameservers")
    for at, server in enumerate(servers):
        yield from validate_address(server, f"{path}.nameservers[{at}]")
    if len(searches) > MOST_SEARCHES:
        yield invalid(f"{path}.searches", searches, f"must not have more than {MOST_SEARCHES} search paths")
    for at, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{at}]", "must not be empty")


def validate_address(text: str, path: str) -> Iterator[Cause]:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        yield invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
