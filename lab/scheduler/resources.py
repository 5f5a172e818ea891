"""What a pod takes of its node: amounts of resources, and ports. Source: k8s.io/component-helpers/resource."""

from lab.apimachinery.quantity import milli_value, value

# A container that asks for nothing is counted as a small one when nodes are compared, or a hundred of them would look
# free. Source: k8s.io/kubernetes/pkg/scheduler/util, DefaultMilliCPURequest and DefaultMemoryRequest.
DEFAULT_CPU_MILLIS = 100
DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024


def resource_requests(spec: dict, shown: bool = False) -> dict[str, int]:
    """What a pod takes of each resource: CPU in millis, everything else in whole units.

    Containers run together, so they add up. Init containers run one after the other, before them, so only the
    greediest counts; except those with restartPolicy Always (sidecars), which stay. Source:
    k8s.io/component-helpers/resource, PodRequests. `shown`: with the defaults for those that ask for nothing.
    """
    total: dict[str, int] = {}
    for container in spec.get("containers", ()):
        _add(total, _requests(container, shown))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        own = _requests(container, shown)
        if is_sidecar(container):
            _add(total, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        _raise_to(peak, own)
    _raise_to(total, peak)
    total.update(_amounts((spec.get("resources") or {}).get("requests")))
    _add(total, _amounts(spec.get("overhead")))
    return total


def is_sidecar(container: dict) -> bool:
    """An init container that stays: it runs beside the others, and must be there before them."""
    return container.get("restartPolicy") == "Always"


def _requests(container: dict, shown: bool) -> dict[str, int]:
    amounts = _amounts((container.get("resources") or {}).get("requests"))
    if shown:
        amounts.setdefault("cpu", DEFAULT_CPU_MILLIS)
        amounts.setdefault("memory", DEFAULT_MEMORY_BYTES)
    return amounts


def _amounts(quantities: dict | None) -> dict[str, int]:
    return {name: amount_of(name, text) for name, text in (quantities or {}).items()}


def amount_of(resource: str, quantity: str | int) -> int:
    """A quantity as the integer the scheduler counts in, rounded up: thousandths for CPU, units for the rest."""
    return milli_value(quantity) if resource == "cpu" else value(quantity)


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: dict[str, int], least: dict[str, int]) -> None:
    for name, amount in least.items():
        total[name] = max(total.get(name, 0), amount)


def host_ports(spec: dict) -> frozenset[tuple[str, str, int]]:
    """The ports of its node that a pod takes: address (0.0.0.0: all), protocol, number."""
    sidecars = [container for container in spec.get("initContainers") or () if is_sidecar(container)]
    return frozenset(
        (port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"])
        for container in (*spec.get("containers", ()), *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )
