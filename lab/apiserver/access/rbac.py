"""RBAC: rules add up, and nothing forbids. What no rule allows is refused.

Pure, over a view of the cluster. Sources: plugin/pkg/auth/authorizer/rbac, pkg/registry/rbac/validation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.apimachinery.kinds import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from lab.store import View

from .attributes import Attributes, refusal
from .user import User, account_name

ALL = "*"


@dataclass(frozen=True)
class Grant:
    """A binding that names the user, and the rules of its role: None where there is no such role."""

    binding: dict
    subject: dict
    rules: list[dict] | None


@dataclass(frozen=True)
class Decision:
    allowed: bool
    reason: str = ""


def authorize(view: View, user: User, asked: Attributes) -> Decision:
    """Whether the user may, and which binding says so; else which roles could not be found."""
    if user.is_master:
        return Decision(True)
    missing = []
    for grant in grants(view, user, asked.namespace):
        if grant.rules is None:
            missing.append(_missing(grant.binding["roleRef"]))
        elif any(allows(rule, asked) for rule in grant.rules):
            return Decision(True, f"RBAC: allowed by {_described(grant)}")
    listed = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
    return Decision(False, f"RBAC: {listed}" if missing else "")


def require(view: View, user: User, asked: Attributes) -> None:
    """Raises ApiError 403 unless the user may."""
    decision = authorize(view, user, asked)
    if not decision.allowed:
        raise refusal(user.name, asked, decision.reason)


def grants(view: View, user: User, namespace: str) -> Iterator[Grant]:
    """What counts for the user in a namespace: the bindings of the cluster, and those of the namespace, if any."""
    for kind in (CLUSTERROLEBINDINGS, ROLEBINDINGS) if namespace else (CLUSTERROLEBINDINGS,):
        home = namespace if kind is ROLEBINDINGS else ""
        for binding in view.list(kind.resource, home):
            subject = next((one for one in binding.get("subjects") or () if _is(user, one, home)), None)
            if subject:
                yield Grant(binding, subject, role_rules(view, binding["roleRef"], home))


def role_rules(view: View, ref: dict, namespace: str) -> list[dict] | None:
    """The rules of the role that a binding refers to; None if there is no such role."""
    kind, home = (ROLES, namespace) if ref["kind"] == ROLES.kind else (CLUSTERROLES, "")
    role = view.get(kind.resource, home, ref["name"])
    return None if role is None else role.get("rules") or []


def _is(user: User, subject: dict, namespace: str) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    if subject["kind"] == "ServiceAccount":
        return user.name == account_name(subject.get("namespace") or namespace, subject["name"])
    return user.name == subject["name"]


def allows(rule: dict, asked: Attributes) -> bool:
    """Whether one rule covers what is asked. One that names objects covers nothing that has no name yet."""
    verbs = rule.get("verbs") or ()
    if ALL not in verbs and asked.verb not in verbs:
        return False
    if not asked.resource:
        return any(_covers_path(url, asked.path) for url in rule.get("nonResourceURLs") or ())
    groups, named = rule.get("apiGroups") or (), rule.get("resourceNames") or ()
    if ALL not in groups and asked.group not in groups:
        return False
    if named and asked.name not in named:
        return False
    resources = rule.get("resources") or ()
    if ALL in resources or asked.combined in resources:
        return True
    # `*/scale` is the scale of everything that has one.
    return bool(asked.subresource) and f"{ALL}/{asked.subresource}" in resources


def _covers_path(url: str, path: str) -> bool:
    return url in (ALL, path) or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))


def _missing(ref: dict) -> str:
    return f'{ref["kind"].lower()}.{ref["apiGroup"]} "{ref["name"]}" not found'


def _described(grant: Grant) -> str:
    """`RoleBinding "read/default" of Role "reader" to ServiceAccount "robot/default"`, as Kubernetes says it."""
    meta, ref, subject = grant.binding["metadata"], grant.binding["roleRef"], grant.subject
    home = meta.get("namespace", "")
    name = f"{meta['name']}/{home}" if home else meta["name"]
    whom = subject["name"]
    if subject["kind"] == "ServiceAccount":
        whom = f"{whom}/{subject.get('namespace') or home}"
    return f'{grant.binding["kind"]} "{name}" of {ref["kind"]} "{ref["name"]}" to {subject["kind"]} "{whom}"'
