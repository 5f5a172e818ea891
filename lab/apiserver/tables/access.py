"""Lines of the kinds that say who may do what. Roles have no columns of their own in Kubernetes: a date, not an age."""

from .cells import age


def serviceaccount_cells(account: dict, now: float) -> list:
    return [account["metadata"]["name"], len(account.get("secrets") or ()), age(account, now)]


def binding_cells(binding: dict, now: float) -> list:
    """Who is bound goes by the kind of subject, each in a column of its own."""
    ref = binding.get("roleRef") or {}
    named: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in binding.get("subjects") or ():
        home = f"{subject['namespace']}/" if subject["kind"] == "ServiceAccount" else ""
        named[subject["kind"]].append(home + subject["name"])
    columns = [", ".join(names) for names in named.values()]
    return [binding["metadata"]["name"], f"{ref.get('kind', '')}/{ref.get('name', '')}", age(binding, now), *columns]
