"""What the LimitRanges of a namespace give to containers that do not say, and what they let nobody have.

Source: plugin/pkg/admission/limitranger.
"""

from collections.abc import Iterator

from lab.apimachinery import errors
from lab.apimachinery.kinds import LIMITRANGES, PERSISTENTVOLUMECLAIMS, PODS, Kind
from lab.apimachinery.podresources import pod_resources
from lab.apimachinery.quantity import Amount
from lab.apimachinery.quota import Usage, amounts
from lab.store import View

ANNOTATION = "kubernetes.io/limit-ranger"
CONTAINERS = (("containers", "container"), ("initContainers", "init container"))


def fill_in(view: View, pod: dict) -> None:
    """Give each container the requests and limits that it lacks, and note which."""
    for limit_range in _of(view, pod):
        told: list[str] = []
        for item in limit_range["spec"]["limits"]:
            if item["type"] == "Container":
                for field, called in CONTAINERS:
                    for container in pod["spec"].get(field) or ():
                        told += _merge(container, item, called)
        if told:
            annotations = pod["metadata"].get("annotations") or {}
            pod["metadata"]["annotations"] = annotations | {ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}


def _merge(container: dict, item: dict, called: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for which, field, word in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        has = resources.get(which) or {}
        lacking = {name: quantity for name, quantity in (item.get(field) or {}).items() if name not in has}
        if lacking:
            resources[which] = has | lacking
            yield f"{', '.join(sorted(lacking))} {word} for {called} {container.get('name', '')}"


def check_pod(view: View, pod: dict) -> None:
    """Raises ApiError 403 with all that is wrong."""
    wrong: list[str] = []
    for item in _items(view, pod):
        if item["type"] == "Container":
            for container in (each for field, _ in CONTAINERS for each in pod["spec"].get(field) or ()):
                resources = container.get("resources") or {}
                wrong += _broken(item, amounts(resources.get("requests")), amounts(resources.get("limits")))
        elif item["type"] == "Pod":
            wrong += _broken(item, *(pod_resources(pod["spec"], which, amounts) for which in ("requests", "limits")))
    _refuse(PODS, pod, wrong)


def check_claim(view: View, claim: dict) -> None:
    """Raises ApiError 403 with all that is wrong."""
    asked = amounts((claim["spec"].get("resources") or {}).get("requests"))
    wrong: list[str] = []
    for item in _items(view, claim):
        if item["type"] == "PersistentVolumeClaim":
            for name, least in _bounds(item, "min"):
                wrong += _too_little(name, item["type"], least, asked.get(name), None)
            for name, most in _bounds(item, "max"):
                wrong += _too_much(name, item["type"], most, {"request": asked.get(name)}, "request")
    _refuse(PERSISTENTVOLUMECLAIMS, claim, wrong)


def _of(view: View, obj: dict) -> list[dict]:
    found = view.list(LIMITRANGES.resource, obj["metadata"]["namespace"])
    return sorted(found, key=lambda each: each["metadata"]["name"])


def _items(view: View, obj: dict) -> Iterator[dict]:
    for limit_range in _of(view, obj):
        yield from limit_range["spec"]["limits"]


def _refuse(kind: Kind, obj: dict, wrong: list[str]) -> None:
    wrong = list(dict.fromkeys(wrong))
    if wrong:
        why = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
        raise errors.forbidden(kind, obj["metadata"].get("name", ""), why)


def _bounds(item: dict, bound: str) -> list[tuple[str, Amount]]:
    return sorted(amounts(item.get(bound)).items())


def _broken(item: dict, requests: Usage, limits: Usage) -> Iterator[str]:
    """What of one entry a container or pod does not keep to."""
    for name, least in _bounds(item, "min"):
        yield from _too_little(name, item["type"], least, requests.get(name), limits.get(name))
    for name, most in _bounds(item, "max"):
        both = {"limit": limits.get(name), "request": requests.get(name)}
        yield from _too_much(name, item["type"], most, both, "limit")
    for name, ratio in _bounds(item, "maxLimitRequestRatio"):
        yield from _too_far(name, item["type"], ratio, requests.get(name), limits.get(name))


def _too_little(name: str, kind: str, least: Amount, request: Amount | None, limit: Amount | None) -> Iterator[str]:
    words = f"minimum {name} usage per {kind} is {least}"
    if request is None:
        yield f"{words}.  No request is specified"
    elif request < least:
        yield f"{words}, but request is {request}"
    elif limit is not None and limit < least:
        yield f"{words}, but limit is {limit}"


def _too_much(name: str, kind: str, most: Amount, asked: dict[str, Amount | None], needed: str) -> Iterator[str]:
    """`asked`: by what it is called; of `needed` there has to be one."""
    words = f"maximum {name} usage per {kind} is {most}"
    if asked[needed] is None:
        yield f"{words}.  No {needed} is specified"
        return
    for called, amount in asked.items():
        if amount is not None and amount > most:
            yield f"{words}, but {called} is {amount}"
            return


def _too_far(name: str, kind: str, ratio: Amount, request: Amount | None, limit: Amount | None) -> Iterator[str]:
    words = f"{name} max limit to request ratio per {kind} is {ratio}"
    if request is None or not request.number:
        yield f"{words}, but no request is specified or request is 0"
    elif limit is None or not limit.number:
        yield f"{words}, but no limit is specified or limit is 0"
    elif (provided := limit.number / request.number) > ratio.number:
        yield f"{words}, but provided ratio is {provided:.6f}"
