"""What a pod takes of its node: amounts of resources, and ports."""

from lab.apimachinery.podresources import is_sidecar, pod_resources
from lab.apimachinery.quantity import milli_value, value

# A container that asks for nothing is counted as a small one when nodes are compared, or a hundred of them would look
# free. Source: k8s.io/kubernetes/pkg/scheduler/util, DefaultMilliCPURequest and DefaultMemoryRequest.
DEFAULT_CPU_MILLIS = 100
DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024
SHOWN = {"cpu": DEFAULT_CPU_MILLIS, "memory": DEFAULT_MEMORY_BYTES}


def resource_requests(spec: dict, shown: bool = False) -> dict[str, int]:
    """What a pod takes of each resource: CPU in millis, everything else in whole units. `shown`: with the defaults for
    those that ask for nothing."""
    return pod_resources(spec, "requests", _amounts, SHOWN if shown else {})


def _amounts(quantities: dict | None) -> dict[str, int]:
    return {name: amount_of(name, text) for name, text in (quantities or {}).items()}


def amount_of(resource: str, quantity: str | int) -> int:
    """A quantity as the integer the scheduler counts in, rounded up: thousandths for CPU, units for the rest."""
    return milli_value(quantity) if resource == "cpu" else value(quantity)


def host_ports(spec: dict) -> frozenset[tuple[str, str, int]]:
    """The ports of its node that a pod takes: address (0.0.0.0: all), protocol, number."""
    sidecars = [container for container in spec.get("initContainers") or () if is_sidecar(container)]
    return frozenset(
        (port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"])
        for container in (*spec.get("containers", ()), *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )
