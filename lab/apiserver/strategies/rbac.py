"""Role, ClusterRole and their bindings: what may be done, and who may. Source: pkg/apis/rbac/validation."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import RBAC

from .base import Strategy
from .causes import invalid, must_be_named, required, unlike, unsupported
from .podspec.selectors import validate_label_selector

GROUP_OF = {"ServiceAccount": "", "User": RBAC, "Group": RBAC}  # kind of a subject → its apiGroup


class RoleStrategy(Strategy):
    name_rule = staticmethod(names.path_segment)
    has_status = False

    def validate(self, obj: dict) -> Iterator[Cause]:
        for at, rule in enumerate(obj.get("rules") or ()):
            yield from _validate_rule(rule, f"rules[{at}]", self.kind.namespaced)


class ClusterRoleStrategy(RoleStrategy):
    def validate(self, obj: dict) -> Iterator[Cause]:
        yield from super().validate(obj)
        if obj.get("aggregationRule") is not None:
            path, selectors = "aggregationRule.clusterRoleSelectors", obj["aggregationRule"].get("clusterRoleSelectors")
            if not selectors:
                yield required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
            for at, selector in enumerate(selectors or ()):
                yield from validate_label_selector(selector, f"{path}[{at}]")


def _validate_rule(rule: dict, path: str, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            yield invalid(f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            words = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{path}.nonResourceURLs", urls, words)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


class ClusterRoleBindingStrategy(Strategy):
    name_rule = staticmethod(names.path_segment)
    has_status = False
    role_kinds: tuple[str, ...] = ("ClusterRole",)

    def default(self, obj: dict) -> None:
        ref = obj.get("roleRef")
        if ref and not ref.get("apiGroup"):
            ref["apiGroup"] = RBAC
        for subject in obj.get("subjects") or ():
            if not subject.get("apiGroup") and GROUP_OF.get(subject.get("kind", "")):
                subject["apiGroup"] = GROUP_OF[subject["kind"]]

    def validate(self, obj: dict) -> Iterator[Cause]:
        ref = obj.get("roleRef") or {}
        if ref.get("apiGroup") != RBAC:
            yield unsupported("roleRef.apiGroup", ref.get("apiGroup", ""), (RBAC,))
        if ref.get("kind") not in self.role_kinds:
            yield unsupported("roleRef.kind", ref.get("kind", ""), self.role_kinds)
        yield from must_be_named("roleRef.name", ref.get("name"), names.path_segment)
        for at, subject in enumerate(obj.get("subjects") or ()):
            yield from _validate_subject(subject, f"subjects[{at}]")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """Whom a role is given to may change; another role is another binding."""
        yield from self.validate(new)
        if new.get("roleRef") != old.get("roleRef"):
            yield invalid("roleRef", new.get("roleRef"), "cannot change roleRef")


class RoleBindingStrategy(ClusterRoleBindingStrategy):
    role_kinds = ("ClusterRole", "Role")


def _validate_subject(subject: dict, path: str) -> Iterator[Cause]:
    kind, name = subject.get("kind", ""), subject.get("name", "")
    if not name:
        yield required(f"{path}.name")
    if kind not in GROUP_OF:
        yield unsupported(f"{path}.kind", kind, GROUP_OF)
        return
    if subject.get("apiGroup", "") != GROUP_OF[kind]:
        yield unsupported(f"{path}.apiGroup", subject.get("apiGroup", ""), (GROUP_OF[kind],))
    if kind == "ServiceAccount":
        if name:
            yield from unlike(f"{path}.name", name, names.dns_subdomain(name))
        if not subject.get("namespace"):
            yield required(f"{path}.namespace")
