"""Lines of the kinds that say how much, how important and how many at once. A LimitRange has no columns of its own."""

from .cells import age


def poddisruptionbudget_cells(budget: dict, now: float) -> list:
    spec = budget["spec"]
    shares = [spec.get(field) for field in ("minAvailable", "maxUnavailable")]
    return [
        budget["metadata"]["name"],
        *("N/A" if share is None else str(share) for share in shares),
        budget.get("status", {}).get("disruptionsAllowed", 0),
        age(budget, now),
    ]


def resourcequota_cells(quota: dict, now: float) -> list:
    """What is used of what is there: limits in one column, all else in the other."""
    status = quota.get("status", {})
    hard, used = status.get("hard", {}), status.get("used", {})
    told = [(name, f"{name}: {used.get(name, 0)}/{hard[name]}") for name in sorted(hard)]
    requests = ", ".join(text for name, text in told if not name.startswith("limits."))
    limits = ", ".join(text for name, text in told if name.startswith("limits."))
    return [quota["metadata"]["name"], requests, limits, age(quota, now)]


def priorityclass_cells(priority_class: dict, now: float) -> list:
    return [
        priority_class["metadata"]["name"],
        priority_class.get("value", 0),
        priority_class.get("globalDefault", False),
        age(priority_class, now),
        priority_class.get("preemptionPolicy", ""),
    ]
