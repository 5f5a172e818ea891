"""What a whole pod asks for, or may take at most: the sum over its containers.

Source: PodRequests and PodLimits in k8s.io/component-helpers/resource.
"""

from collections.abc import Callable, Mapping


def pod_resources(
    spec: dict, which: str, amounts: Callable[[dict | None], dict], assumed: Mapping = {}
) -> dict:  # fmt: skip
    """Resource → how much, of `which`: "requests" or "limits".

    Containers run together, so they add up. Init containers run one after the other, before them, so only the
    greediest counts; except those with restartPolicy Always (sidecars), which stay. `amounts` reads quantities into
    whatever can be added and compared; `assumed`: what a container counts for that does not say.
    """

    def of(container: dict) -> dict:
        return {**assumed, **amounts((container.get("resources") or {}).get(which))}

    total: dict = {}
    for container in spec.get("containers", ()):
        _add(total, of(container))
    sidecars: dict = {}
    peak: dict = {}
    for container in spec.get("initContainers") or ():
        own = of(container)
        if is_sidecar(container):
            _add(total, own)
            _add(sidecars, own)
            own = sidecars
        else:
            _add(own, sidecars)
        _raise_to(peak, own)
    _raise_to(total, peak)
    total.update(amounts((spec.get("resources") or {}).get(which)))
    overhead = amounts(spec.get("overhead"))
    # What has no limit gets none from the overhead.
    _add(total, overhead if which == "requests" else {name: overhead[name] for name in overhead.keys() & total.keys()})
    return total


def is_sidecar(container: dict) -> bool:
    """An init container that stays: it runs beside the others, and must be there before them."""
    return container.get("restartPolicy") == "Always"


def staying_containers(pod: dict) -> list[dict]:
    """Its containers, and the sidecars beside them."""
    return [*pod["spec"]["containers"], *filter(is_sidecar, pod["spec"].get("initContainers") or ())]


def _add(total: dict, more: dict) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _raise_to(total: dict, least: dict) -> None:
    for name, amount in least.items():
        total[name] = max(total[name], amount) if name in total else amount
