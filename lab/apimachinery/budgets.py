"""PodDisruptionBudgets as those see them who look for pods to remove: the scheduler, the cluster autoscaler. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from .meta import join_key, key_of
from .selectors import LabelSelector, parse_label_selector

Named = tuple[str, dict[str, str] | None]  # a pod: its key, and its labels


@dataclass(slots=True)
class Budget:
    """How many of the pods that it `selects` may still go."""

    key: str
    namespace: str
    selects: LabelSelector
    allowed: int
    going: frozenset[str]  # keys of pods that it has let go already

    def covers(self, pod: Named) -> bool:
        key, labels = pod
        return key.startswith(f"{self.namespace}/") and key not in self.going and self.selects.matches(labels)


def parse_budgets(objects: Iterable[dict]) -> list[Budget]:
    return [
        Budget(
            key_of(obj),
            obj["metadata"]["namespace"],
            parse_label_selector(obj["spec"].get("selector")),
            obj["status"]["disruptionsAllowed"],
            frozenset(join_key(obj["metadata"]["namespace"], name) for name in obj["status"].get("disruptedPods", ())),
        )
        for obj in objects
    ]


def beyond(budgets: Iterable[Budget], pods: Iterable[Named]) -> dict[str, str]:
    """If these pods go, in this order: the keys of those that a budget does not let go any more, each with the
    budget's."""
    left = [(budget, [budget.allowed]) for budget in budgets]
    broken: dict[str, str] = {}
    for pod in pods:
        for budget, allowed in left:
            if budget.covers(pod):
                allowed[0] -= 1
                if allowed[0] < 0:
                    broken.setdefault(pod[0], budget.key)
    return broken
