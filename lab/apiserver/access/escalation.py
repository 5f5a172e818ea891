"""Nobody gives what they have not: who writes a role or a binding must hold every right that it grants.

Or be allowed to `escalate` that role, or to `bind` it. Sources: pkg/registry/rbac/role/policybased and beside it.
"""

from collections.abc import Iterator

from lab.apimachinery import errors
from lab.apimachinery.kinds import CLUSTERROLES, RBAC, ROLES, Kind
from lab.store import View

from .attributes import Attributes
from .rbac import allows, authorize, grants, role_rules
from .user import User

EVERYTHING = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]
BOOKKEEPING = ("finalizers", "generation", "managedFields", "ownerReferences", "resourceVersion")


def check(view: View, user: User, kind: Kind, obj: dict, old: dict | None) -> None:
    """Raises ApiError 403 for rights that the user has not, 404 for a role that there is not.

    A label counts too: by it another role may gather the rules of this one."""
    if user.is_master or old is not None and _but_for_bookkeeping(old) == _but_for_bookkeeping(obj):
        return
    meta, is_role = obj["metadata"], kind in (ROLES, CLUSTERROLES)
    namespace = meta.get("namespace", "")
    if is_role:
        asked = Attributes("escalate", RBAC, kind.plural, namespace=namespace, name=meta.get("name", ""))
        granted = obj.get("rules") or []
    else:
        ref = obj["roleRef"]
        role_kind = ROLES if ref["kind"] == ROLES.kind else CLUSTERROLES
        asked = Attributes("bind", RBAC, role_kind.plural, namespace=namespace, name=ref["name"])
        granted = role_rules(view, ref, namespace)
    if authorize(view, user, asked).allowed:
        return
    if granted is None:
        raise errors.not_found(role_kind, ref["name"])
    lacking = _lacking(view, user, namespace, granted)
    if lacking:
        groups = " ".join(f'"{group}"' for group in user.groups)
        words = f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:'
        raise errors.forbidden(kind, meta.get("name", ""), "\n".join((words, *_compact(lacking))))
    gathers = obj.get("aggregationRule") or (old or {}).get("aggregationRule")  # it may gather anything
    if gathers and _lacking(view, user, "", EVERYTHING):
        words = "must have cluster-admin privileges to use the aggregationRule"
        raise errors.forbidden(kind, meta.get("name", ""), words)


def _but_for_bookkeeping(obj: dict) -> dict:
    """What is compared: all but what the collector of garbage, and the server itself, keep in an object."""
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key not in BOOKKEEPING}}


def _lacking(view: View, user: User, namespace: str, granted: list[dict]) -> list[Attributes]:
    """What the rules allow and the user may not."""
    own = [rule for grant in grants(view, user, namespace) for rule in grant.rules or ()]
    return [asked for rule in granted for asked in _each(rule) if not any(allows(one, asked) for one in own)]


def _each(rule: dict) -> Iterator[Attributes]:
    """All that a rule allows, one by one."""
    for verb in rule.get("verbs") or ():
        for url in rule.get("nonResourceURLs") or ():
            yield Attributes(verb, path=url)
    for group in rule.get("apiGroups") or ():
        for combined in rule.get("resources") or ():
            resource, _, subresource = combined.partition("/")
            for verb in rule.get("verbs") or ():
                for name in rule.get("resourceNames") or ("",):
                    yield Attributes(verb, group, resource, subresource, name=name)


def _compact(lacking: list[Attributes]) -> list[str]:
    """One line for each thing, with all verbs: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`."""
    verbs: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for asked in lacking:
        about = [("NonResourceURLs", asked.path)] if asked.path else [("APIGroups", asked.group)]
        if asked.resource:
            about.append(("Resources", asked.combined))
        if asked.name:
            about.append(("ResourceNames", asked.name))
        verbs.setdefault(tuple(about), []).append(asked.verb)
    lines = []
    for thing, named in verbs.items():
        listed = " ".join(f'"{verb}"' for verb in dict.fromkeys(named))
        parts = [f'{field}:["{value}"]' for field, value in thing]
        lines.append("{" + ", ".join((*parts, f"Verbs:[{listed}]")) + "}")
    return sorted(lines)
