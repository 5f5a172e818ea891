"""ResourceQuota: how much a namespace may have. Source: ValidateResourceQuota in
pkg/apis/core/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery import names, quota
from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import canonical, milli_value

from .base import Strategy
from .causes import NOT_NEGATIVE, invalid, required, unchanged, unlike
from .podspec.resources import HUGE, canonicalise

OF_PODS = ("pods", *quota.EXPLICIT)
WHOLE = ("pods", *quota.COUNTED, "services.loadbalancers", "services.nodeports")
STANDARD = (
    *WHOLE,
    *quota.COMPUTE,
    *(f"{which}.{name}" for which in ("requests", "limits") for name in quota.COMPUTE),
    quota.STORAGE,
)
SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
)
OPPOSITES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
OUT_OF_PLACE = "unsupported scope applied to resource"
ONLY_EXISTS = (
    "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


class ResourceQuotaStrategy(Strategy):
    first_status = {}

    def default(self, obj: dict) -> None:
        canonicalise(obj.setdefault("spec", {}).get("hard"))

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        for name, quantity in (spec.get("hard") or {}).items():
            yield from _validate_hard(name, quantity, f"spec.hard[{name}]")
        scopes = spec.get("scopes") or []
        if not set(scopes) <= set(SCOPES):
            yield invalid("spec.scopes", scopes, "unsupported scope")
        if any(_is_out_of_place(scope, spec) for scope in scopes):
            yield invalid("spec.scopes", scopes, OUT_OF_PLACE)
        if any(pair <= set(scopes) for pair in OPPOSITES):
            yield invalid("spec.scopes", scopes, "conflicting scopes")
        for term in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
            yield from _validate_term(term, spec)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self.validate(new)
        yield from unchanged("spec.scopes", new["spec"].get("scopes"), old["spec"].get("scopes"))


def _validate_hard(name: str, quantity: str, path: str) -> Iterator[Cause]:
    yield from unlike(path, name, names.qualified_name(name))
    bare = name.removeprefix("requests.")
    if "/" not in name and name not in STANDARD and not bare.startswith(HUGE):
        yield invalid(path, name, "must be a standard resource for quota")
    if milli_value(quantity) < 0:
        yield invalid(path, canonical(quantity), NOT_NEGATIVE)
    elif (name in WHOLE or name.startswith(quota.COUNT)) and milli_value(quantity) % 1000:
        yield invalid(path, canonical(quantity), "must be an integer")


def _is_out_of_place(scope: str, spec: dict) -> bool:
    """Whether the quota counts what has no such scope: nothing has but pods, and the best effort asks for nothing."""
    fitting = ("pods",) if scope == "BestEffort" else OF_PODS
    return any(name in STANDARD and name not in fitting for name in spec.get("hard") or ())


def _validate_term(term: dict, spec: dict) -> Iterator[Cause]:
    path, scope, operator = "spec.scopeSelector.matchExpressions", term.get("scopeName", ""), term.get("operator", "")
    if scope not in SCOPES:
        yield invalid(f"{path}.scopeName", scope, "unsupported scope")
    if _is_out_of_place(scope, spec):
        yield invalid(path, spec["scopeSelector"], OUT_OF_PLACE)
    if scope in SCOPES and scope != "PriorityClass" and operator != "Exists":
        yield invalid(f"{path}.operator", operator, ONLY_EXISTS)
    values = term.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            words = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(f"{path}.values", words)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{path}.values", values, words)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
