"""kube-scheduler's filters once more, as plainly as can be: from the objects themselves, all counted anew each time.

What the scheduler keeps as running sums, this works out from scratch; a test lets both judge the same clusters.
"""

from lab.apimachinery.quantity import milli_value

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


class Model:
    """Nodes, and pods that have one."""

    def __init__(self, nodes: list[dict], pods: list[dict]):
        self.nodes = {node["metadata"]["name"]: node for node in nodes}
        self.placed = [(pod, pod["spec"]["nodeName"]) for pod in pods if pod["spec"].get("nodeName")]

    def place(self, pod: dict, name: str) -> None:
        self.placed.append((pod, name))

    def feasible(self, pod: dict) -> set[str]:
        return {name for name in self.nodes if self.fits(pod, name)}

    def fits(self, pod: dict, name: str) -> bool:
        return (
            self._room(pod, name)
            and self._selected(pod, name)
            and all(self._spread(pod, name, each) for each in pod["spec"].get("topologySpreadConstraints", ()))
            and self._near(pod, name)
            and self._apart(pod, name)
        )

    def _room(self, pod: dict, name: str) -> bool:
        here = [other for other, where in self.placed if where == name]
        offered = self.nodes[name]["status"]["allocatable"]
        cpu = sum(map(_cpu, here)) + _cpu(pod)
        return (cpu <= milli_value(offered["cpu"]) or not _cpu(pod)) and len(here) < int(offered["pods"])

    def _selected(self, pod: dict, name: str) -> bool:
        return pod["spec"].get("nodeSelector", {}).items() <= self._labels(name).items()

    def _labels(self, name: str) -> dict[str, str]:
        return self.nodes[name]["metadata"]["labels"]

    def _spread(self, pod: dict, name: str, constraint: dict) -> bool:
        key, selects = constraint["topologyKey"], constraint["labelSelector"]["matchLabels"]
        if constraint["whenUnsatisfiable"] != "DoNotSchedule":
            return True
        if key not in self._labels(name):
            return False
        asked = {
            c["topologyKey"]
            for c in pod["spec"]["topologySpreadConstraints"]
            if c["whenUnsatisfiable"] != "ScheduleAnyway"
        }
        counted = [each for each in self.nodes if self._selected(pod, each) and asked <= self._labels(each).keys()]
        counts = {self._labels(each)[key]: 0 for each in counted}
        for other, where in self.placed:
            if where in counted and selects.items() <= other["metadata"]["labels"].items():
                counts[self._labels(where)[key]] += 1
        fewest = min(counts.values(), default=0) if len(counts) >= constraint.get("minDomains", 1) else 0
        own = int(selects.items() <= pod["metadata"]["labels"].items())
        return counts.get(self._labels(name)[key], 0) + own - fewest <= constraint["maxSkew"]

    def _near(self, pod: dict, name: str) -> bool:
        terms = _terms(pod, "podAffinity")
        wanted = [(o, w) for o, w in self.placed if all(_means(term, o) for term in terms)]
        shared = [t for t in terms if any(self._together(t["topologyKey"], name, where) for _, where in wanted)]
        if len(shared) == len(terms):
            return True
        anywhere = any(term["topologyKey"] in self._labels(where) for term in terms for _, where in wanted)
        return (
            not anywhere
            and all(_means(term, pod) for term in terms)
            and all(term["topologyKey"] in self._labels(name) for term in terms)
        )

    def _apart(self, pod: dict, name: str) -> bool:
        return not any(
            self._together(term["topologyKey"], name, where)
            for other, where in self.placed
            for mine, whom in ((pod, other), (other, pod))
            for term in _terms(mine, "podAntiAffinity")
            if _means(term, whom)
        )

    def _together(self, key: str, one: str, other: str) -> bool:
        return key in self._labels(one) and self._labels(one)[key] == self._labels(other).get(key)


def _cpu(pod: dict) -> int:
    return milli_value(pod["spec"]["containers"][0]["resources"]["requests"].get("cpu", "0"))


def _terms(pod: dict, kind: str) -> list[dict]:
    affinity = pod["spec"].get("affinity", {}).get(kind, {})
    return affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])


def _means(term: dict, pod: dict) -> bool:
    return term["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
