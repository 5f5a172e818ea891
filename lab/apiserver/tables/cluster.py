"""Lines of the kinds that make up a cluster around its workloads: nodes, services, events and the rest."""

from .cells import NONE, UNKNOWN, age, label_selector, since

ROLE_PREFIX = "node-role.kubernetes.io/"


def node_cells(node: dict, now: float) -> list:
    info = node.get("status", {}).get("nodeInfo", {})
    return [
        node["metadata"]["name"],
        _node_status(node),
        ",".join(_roles(node)) or NONE,
        age(node, now),
        info.get("kubeletVersion", ""),
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(node: dict) -> str:
    conditions = node.get("status", {}).get("conditions") or ()
    ready = next((c["status"] for c in conditions if c["type"] == "Ready"), "")
    # "Unknown" prints as NotReady: what counts for a reader is that the node cannot be relied on.
    word = ("Ready" if ready == "True" else "NotReady") if ready else "Unknown"
    return word + (",SchedulingDisabled" if node.get("spec", {}).get("unschedulable") else "")


def _roles(node: dict) -> list[str]:
    labels = node["metadata"].get("labels") or {}
    found = {key.removeprefix(ROLE_PREFIX) for key in labels if key.startswith(ROLE_PREFIX)}
    return sorted((found | {labels.get("kubernetes.io/role", "")}) - {""})


def _address(node: dict, kind: str) -> str:
    addresses = node.get("status", {}).get("addresses") or ()
    return next((a["address"] for a in addresses if a["type"] == kind), NONE)


def service_cells(service: dict, now: float) -> list:
    spec = service["spec"]
    ports = [
        f"{port['port']}:{port['nodePort']}/{port.get('protocol', 'TCP')}"
        if port.get("nodePort")
        else f"{port['port']}/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or ()
    ]
    return [
        service["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or NONE,
        _external_addresses(service),
        ",".join(ports) or NONE,
        age(service, now),
        label_selector({"matchLabels": spec.get("selector") or {}}),
    ]


def _external_addresses(service: dict) -> str:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or NONE
    addresses = list(spec.get("externalIPs") or ())
    if spec.get("type") == "LoadBalancer":
        given = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
        addresses = [entry.get("ip") or entry.get("hostname", "") for entry in given] + addresses
        return ",".join(addresses) or "<pending>"
    return ",".join(addresses) or NONE


def namespace_cells(namespace: dict, now: float) -> list:
    phase = namespace.get("status", {}).get("phase", "")
    return [namespace["metadata"]["name"], phase, age(namespace, now)]


def event_cells(event: dict, now: float) -> list:
    series = event.get("series") or {}
    first = since(event.get("firstTimestamp") or event.get("eventTime"), now)
    last = series.get("lastObservedTime") or event.get("lastTimestamp")
    involved = event.get("involvedObject") or {}
    target = involved.get("kind", "").lower() + (f"/{involved['name']}" if involved.get("name") else "")
    return [
        since(last, now) if last else first,
        event.get("type", ""),
        event.get("reason", ""),
        target,
        involved.get("fieldPath", ""),
        _event_source(event),
        event.get("message", "").strip(),
        first,
        series.get("count") or event.get("count") or 1,
        event["metadata"]["name"],
    ]


def _event_source(event: dict) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    host = source.get("host") or event.get("reportingInstance") or ""
    return ", ".join(part for part in (component, host) if part)


def configmap_cells(configmap: dict, now: float) -> list:
    keys = len(configmap.get("data") or {}) + len(configmap.get("binaryData") or {})
    return [configmap["metadata"]["name"], keys, age(configmap, now)]


def secret_cells(secret: dict, now: float) -> list:
    return [secret["metadata"]["name"], secret.get("type", ""), len(secret.get("data") or {}), age(secret, now)]


def lease_cells(lease: dict, now: float) -> list:
    holder = lease.get("spec", {}).get("holderIdentity") or ""
    return [lease["metadata"]["name"], holder, age(lease, now)]
