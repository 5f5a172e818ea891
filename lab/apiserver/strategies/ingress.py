"""Ingress: which host and path of the front door lead to which Service.

Source: kubernetes/pkg/apis/networking/validation/validation.go.
"""

import ipaddress
from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import forbidden, invalid, must_be_named, named, one_of, required, unlike
from .podspec.probes import validate_port

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
NOT_AT_THE_END = ("/..", "/.")


class IngressStrategy(Strategy):
    has_generation = True
    first_status = {"loadBalancer": {}}

    def warnings(self, obj: dict) -> Iterator[str]:
        if obj["spec"].get("ingressClassName"):
            yield "spec.ingressClassName is ignored here: there are no classes, the front door serves every Ingress"
        if obj["spec"].get("tls"):
            yield "spec.tls is ignored here: the front door speaks plain HTTP"

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj.get("spec") or {}
        rules = spec.get("rules") or ()
        if not rules and spec.get("defaultBackend") is None:
            yield invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")
        if spec.get("defaultBackend") is not None:
            yield from _validate_backend(spec["defaultBackend"], "spec.defaultBackend")
        for at, rule in enumerate(rules):
            where = f"spec.rules[{at}]"
            if rule.get("host"):
                yield from _validate_host(rule["host"], f"{where}.host")
            if "http" in rule and not rule["http"].get("paths"):
                yield required(f"{where}.http.paths")
            for nth, path in enumerate((rule.get("http") or {}).get("paths") or ()):
                yield from _validate_path(path, f"{where}.http.paths[{nth}]")
        for at, tls in enumerate(spec.get("tls") or ()):
            for host in tls.get("hosts") or ():
                yield from unlike(f"spec.tls[{at}].hosts", host, names.host_pattern(host))
            yield from named(f"spec.tls[{at}].secretName", tls.get("secretName"), names.dns_subdomain)
        yield from named("spec.ingressClassName", spec.get("ingressClassName"), names.dns_subdomain)


def _validate_host(host: str, where: str) -> Iterator[Cause]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        yield from unlike(where, host, names.host_pattern(host))
    else:
        yield invalid(where, host, "must be a DNS name, not an IP address")


def _validate_path(path: dict, where: str) -> Iterator[Cause]:
    kind, text = path.get("pathType"), path.get("path", "")
    if not kind:
        yield required(f"{where}.pathType", "pathType must be specified")
    else:
        yield from one_of(f"{where}.pathType", kind, PATH_TYPES)
    if (text or kind in ("Exact", "Prefix")) and not text.startswith("/"):
        yield invalid(f"{where}.path", text, "must be an absolute path")
    if kind in ("Exact", "Prefix"):
        for wrong in NOT_IN_PATHS:
            if wrong in text:
                yield invalid(f"{where}.path", text, f"must not contain '{wrong}'")
        for wrong in NOT_AT_THE_END:
            if text.endswith(wrong):
                yield invalid(f"{where}.path", text, f"cannot end with '{wrong}'")
    yield from _validate_backend(path.get("backend") or {}, f"{where}.backend")


def _validate_backend(backend: dict, where: str) -> Iterator[Cause]:
    if backend.get("resource"):
        yield forbidden(f"{where}.resource", "the front door leads to Services only")
        return
    if backend.get("service") is None:
        yield invalid(where, "", "resource or service backend is required")
        return
    service = backend["service"]
    name, port = service.get("name", ""), service.get("port") or {}
    yield from must_be_named(f"{where}.service.name", name, names.dns1035_label)
    if port.get("name") and port.get("number"):
        yield invalid(where, "", "cannot set both port name & port number")
    elif port.get("name"):
        yield from unlike(f"{where}.service.port.name", port["name"], names.port_name(port["name"]))
    elif port.get("number"):
        yield from validate_port(port["number"], f"{where}.service.port.number")
    else:
        yield required(where, "port name or number is required")
