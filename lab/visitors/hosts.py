"""Whom the visitors ask for: a Service by its name at the front door. Pure."""


def service_and_port(visitors: dict) -> tuple[str, str]:
    """`hello:http` → ("hello", "http"); without a port the second is empty."""
    name, _, port = visitors["spec"]["service"].partition(":")
    return name, port


def host_of(cluster: str, visitors: dict, service: dict | None) -> str:
    """The name at the front door; with the port before it where the Service has several (`lab/proxy/desired.py`)."""
    name, wanted = service_and_port(visitors)
    host = f"{name}.{visitors['metadata']['namespace']}.{cluster}.localhost"
    ports = _ports(service) if service and wanted else []
    port = _find(ports, wanted)
    return f"{port.get('name') or port['port']}.{host}" if port and len(ports) > 1 else host


def what_is_missing(visitors: dict, service: dict | None) -> str:
    """Why nobody can be visited, or nothing."""
    name, wanted = service_and_port(visitors)
    if service is None:
        return f'there is no Service "{name}" in namespace {visitors["metadata"]["namespace"]}'
    if wanted and not _find(_ports(service), wanted):
        return f'Service "{name}" has no TCP port "{wanted}"'
    return ""


def _ports(service: dict) -> list[dict]:
    return [port for port in service["spec"].get("ports") or () if port.get("protocol", "TCP") == "TCP"]


def _find(ports: list[dict], wanted: str) -> dict | None:
    return next((port for port in ports if wanted in (port.get("name"), str(port["port"]))), None)
