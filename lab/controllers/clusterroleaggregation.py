"""ClusterRoles that are made of others: their rules are those of all that carry the labels which they ask for.

So `view` learns to read a new kind when somebody labels a role for it `rbac.authorization.k8s.io/aggregate-to-view`.
Source: pkg/controller/clusterroleaggregation.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import CLUSTERROLES
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Change, Client
from lab.client.reconcile import Controller

ALL = "clusterroles"


class ClusterRoleAggregationController(Controller):
    """Has one key: any role may be part of any other."""

    name = "clusterroleaggregation"
    author = "clusterrole-aggregation-controller"
    watches = (CLUSTERROLES.resource,)

    def keys(self, change: Change) -> Iterable[str]:
        return (ALL,)

    def all_keys(self, client: Client) -> Iterable[str]:
        return (ALL,)

    def sync(self, client: Client, key: str) -> float | None:
        roles = sorted(client.list(CLUSTERROLES), key=lambda role: role["metadata"]["name"])
        for role in roles:
            if role.get("aggregationRule") and not is_deleting(role):
                rules = gathered(role, roles)
                if rules != (role.get("rules") or []):
                    client.update(CLUSTERROLES, {**role, "rules": rules})
        return None


def gathered(role: dict, roles: list[dict]) -> list[dict]:
    """The rules that a role is to have, each once, in the order of its selectors and of the names of `roles`."""
    rules: list[dict] = []
    for asked in role["aggregationRule"].get("clusterRoleSelectors") or ():
        selector = parse_label_selector(asked)
        for other in roles:
            if other is not role and selector.matches(other["metadata"].get("labels")):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
    return rules
