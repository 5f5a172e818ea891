"""Probes and hooks: how the kubelet asks a container how it is, and what it does at its start and end."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import forbidden, invalid, not_negative, required, unlike, unsupported

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
SCHEMES = ("HTTP", "HTTPS")
OWN_ADDRESS = "a pod is asked at its own address: elsewhere it would be the machine that asks, in the pod's place"
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
# Zero means "not set" for these, as Go cannot tell the two apart.
DEFAULTS = (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3))
COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def default_probes(container: dict) -> None:
    for name in PROBES:
        probe = container.get(name)
        if probe is not None:
            for field, value in DEFAULTS:
                if not probe.get(field):
                    probe[field] = value
            _default_handler(probe)
    lifecycle = container.get("lifecycle") or {}
    for name in HOOKS:
        if lifecycle.get(name):
            _default_handler(lifecycle[name])


def _default_handler(handler: dict) -> None:
    http = handler.get("httpGet")
    if http is not None:
        if not http.get("path"):
            http["path"] = "/"
        if not http.get("scheme"):
            http["scheme"] = "HTTP"
    if handler.get("grpc") is not None:
        handler["grpc"].setdefault("service", "")


def validate_probes(container: dict, path: str) -> Iterator[Cause]:
    for name in PROBES:
        if container.get(name) is not None:
            yield from _validate_probe(container[name], name, f"{path}.{name}")
    lifecycle = container.get("lifecycle") or {}
    for name in HOOKS:
        if lifecycle.get(name) is not None:
            yield from _validate_handler(lifecycle[name], HOOK_HANDLERS, f"{path}.lifecycle.{name}")


def _validate_probe(probe: dict, name: str, path: str) -> Iterator[Cause]:
    yield from _validate_handler(probe, HANDLERS, path)
    for field in COUNTS:
        yield from not_negative(f"{path}.{field}", probe.get(field))
    grace = probe.get("terminationGracePeriodSeconds")
    if name == "readinessProbe" and grace is not None:
        words = "must not be set for readinessProbes"
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, words)
    elif grace is not None and grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _validate_handler(handler: dict, known: tuple[str, ...], path: str) -> Iterator[Cause]:
    given = [name for name in known if handler.get(name) is not None]
    if not given:
        yield required(path, "must specify a handler type")
    for name in given[1:]:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")
    if given:
        yield from _validate_action(given[0], handler[given[0]], f"{path}.{given[0]}")


def _validate_action(name: str, action: dict, path: str) -> Iterator[Cause]:
    if name == "exec":
        if not action.get("command"):
            yield required(f"{path}.command")
    elif name == "sleep":
        if action.get("seconds", 0) < 0:
            yield invalid(f"{path}.seconds", action["seconds"], "must be non-negative")
    elif name == "grpc":
        yield from validate_port(action.get("port", 0), f"{path}.port")
    else:
        yield from _validate_port_or_name(action.get("port", 0), f"{path}.port")
    if action.get("host"):  # the Pod Security Standards' level "baseline" since 1.34, as the rules of `security`
        yield forbidden(f"{path}.host", OWN_ADDRESS)
    if name == "httpGet":
        if not action.get("path"):
            yield required(f"{path}.path")
        if action.get("scheme") not in SCHEMES:
            yield unsupported(f"{path}.scheme", action.get("scheme", ""), SCHEMES)


def validate_port(port: int, path: str) -> Iterator[Cause]:
    if not 1 <= port <= 65535:
        yield invalid(path, port, names.out_of_range(1, 65535))


def _validate_port_or_name(port: int | str, path: str) -> Iterator[Cause]:
    if isinstance(port, str):
        yield from unlike(path, port, names.port_name(port))
    else:
        yield from validate_port(port, path)
