"""A Job's policies: which failures count as what, and which successes are enough.

Source: validatePodFailurePolicy and validateSuccessPolicy in kubernetes/pkg/apis/batch/validation/validation.go.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.jobs import parse_indexes

from .causes import duplicate, invalid, one_of, required, unlike

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
STATUSES = ("False", "True", "Unknown")
MOST_RULES = 20
MOST_EXIT_CODES = 255


def validate_failure_policy(spec: dict, path: str) -> Iterator[Cause]:
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > MOST_RULES:
        yield invalid(f"{path}.rules", len(rules), f"must have at most {MOST_RULES} items")
    for at, rule in enumerate(rules):
        here, action = f"{path}.rules[{at}]", rule.get("action")
        yield from one_of(f"{here}.action", action, ACTIONS)
        if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            yield invalid(f"{here}.action", action, "requires the backoffLimitPerIndex to be set")
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
        if codes is not None and conditions:
            yield invalid(here, rule, "specifying both OnExitCodes and OnPodConditions is not supported")
        elif codes is None and not conditions:
            yield invalid(here, rule, "specifying one of OnExitCodes and OnPodConditions is required")
        if codes is not None:
            yield from _validate_exit_codes(codes, spec["template"]["spec"], f"{here}.onExitCodes")
        for index, pattern in enumerate(conditions):
            place = f"{here}.onPodConditions[{index}]"
            yield from unlike(f"{place}.type", pattern.get("type", ""), names.qualified_name(pattern.get("type", "")))
            yield from one_of(f"{place}.status", pattern.get("status"), STATUSES)


def _validate_exit_codes(codes: dict, pod_spec: dict, path: str) -> Iterator[Cause]:
    operator, values = codes.get("operator"), codes.get("values") or []
    yield from one_of(f"{path}.operator", operator, ("In", "NotIn"))
    known = {c["name"] for field in ("containers", "initContainers") for c in pod_spec.get(field) or ()}
    if codes.get("containerName") is not None and codes["containerName"] not in known:
        words = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", codes["containerName"], words)
    if not values:
        yield invalid(f"{path}.values", values, "at least one value is required")
    elif len(values) > MOST_EXIT_CODES:
        yield invalid(f"{path}.values", len(values), f"must have at most {MOST_EXIT_CODES} items")
    for at, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(f"{path}.values[{at}]", value, "must not be 0 for the In operator")
        if value in values[:at]:
            yield duplicate(f"{path}.values[{at}]", value)
    if values != sorted(values):
        yield invalid(f"{path}.values", values, "must be ordered")


def validate_success_policy(spec: dict, path: str) -> Iterator[Cause]:
    rules, completions = spec["successPolicy"].get("rules") or (), spec.get("completions") or 0
    if not rules:
        yield required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    elif len(rules) > MOST_RULES:
        yield invalid(f"{path}.rules", len(rules), f"must have at most {MOST_RULES} items")
    for at, rule in enumerate(rules):
        here, enough, total = f"{path}.rules[{at}]", rule.get("succeededCount"), completions
        if enough is None and rule.get("succeededIndexes") is None:
            yield required(here, "at least one of succeededCount or succeededIndexes must be specified")
        if rule.get("succeededIndexes") is not None:
            indexes = _indexes(rule["succeededIndexes"], completions)
            if indexes is None:
                words = f"must be a list of indexes or of ranges of them below {completions}, in order, as in 1,3-5"
                yield invalid(f"{here}.succeededIndexes", rule["succeededIndexes"], words)
            else:
                total = len(indexes)
        if enough is not None and not 1 <= enough <= total:
            yield invalid(f"{here}.succeededCount", enough, f"must be between 1 and {total}")


def _indexes(text: str, completions: int) -> set[int] | None:
    try:
        found = parse_indexes(text)
    except ValueError:
        return None
    return found if found and max(found) < completions else None
