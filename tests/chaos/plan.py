"""What is done, in which order: from a seed, and from nothing else. Pure.

The plan keeps in mind what it has declared, so that it scales what exists. `where`, from 0 to below 1, chooses a
victim among those that there will be.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

GOOD_IMAGES = ("orrery/hello:v1", "orrery/hello:v2", "orrery/hello:v3")
BROKEN_IMAGE = "orrery/hello:broken"
FRONT = "front"  # the Deployment that visitors ask; it is never deleted, nor given a broken image


@dataclass(frozen=True)
class Step:
    """`verb` is a method of `Hands` or a fault of `faults.names_of`; `pause` is the seconds to let pass before it."""

    verb: str
    arguments: dict = field(default_factory=dict)
    pause: float = 0.0

    def __str__(self) -> str:
        words = " ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"+{self.pause:.1f}s {self.verb} {words}".rstrip()


class Plan:
    """`faults`: names of those that this run can have."""

    def __init__(self, seed: int, faults: tuple[str, ...]):
        self._seed, self._faults = seed, faults
        self._sizes = {
            "deployment": 3,
            "statefulset": 2,
            "daemonset": 1,
            "job": 3,
            "cronjob": 2,
            "autoscaler": 1,
            "service": 2,
            "namespace": 2,
        }  # most of each
        self._there: dict[str, dict[str, dict]] = {kind: {} for kind in self._sizes}
        self._jobs = 0

    def storm(self, number: int, steps: int = 20) -> Iterator[Step]:
        """The steps of a round, counted from 0; rounds must be asked for in order."""
        dice = random.Random(f"{self._seed}/{number}")
        for _ in range(steps):
            pause = round(dice.choice((0.0, 0.1, 0.5, 1.0, 2.0)) * dice.random(), 2)
            step = self._fault(dice) if dice.random() < 0.5 else self._change(dice)
            yield Step(step.verb, step.arguments, pause)
        # What never becomes ready would never be quiet.
        for name, known in self._there["deployment"].items():
            if known["image"] == BROKEN_IMAGE:
                known["image"] = known["before"]
                yield Step("undo_deployment", {"name": name})

    def calm(self, number: int) -> Iterator[Step]:
        """An operator's day, of which visitors notice nothing."""
        dice = random.Random(f"{self._seed}/{number}/calm")
        days = [
            Step("release_deployment", {"name": FRONT, "image": dice.choice(GOOD_IMAGES)}),
            Step("scale_deployment", {"name": FRONT, "replicas": dice.randint(2, 5)}),
            Step("drain_node", {"where": _where(dice), "seconds": 3.0}),
            Step("restart_deployment", {"name": FRONT, "mark": str(number)}),
        ]
        for step in dice.sample(days, 2):
            yield Step(step.verb, step.arguments, round(dice.random(), 2))

    def _fault(self, dice: random.Random) -> Step:
        return Step(dice.choice(self._faults), {"where": _where(dice), "seconds": round(dice.uniform(0.5, 12.0), 1)})

    def _change(self, dice: random.Random) -> Step:
        kind = dice.choice(OFTEN)
        there = self._there[kind]
        if len(there) < self._sizes[kind] and (not there or dice.random() < 0.4):
            return self._create(dice, kind)
        name = dice.choice(sorted(there))
        verb = dice.choice(_CHANGES[kind])
        if verb == "delete":
            del there[name]
            ways = ("Background", "Foreground")
            return Step("delete", {"kind": kind, "name": name, "propagation": dice.choice(ways)})
        if verb == "readopt":
            return Step("readopt", {"kind": kind, "name": name})
        if verb == "scale":
            # At 0 an autoscaler is switched off.
            return Step(f"scale_{kind}", {"name": name, "replicas": dice.randint(kind == "autoscaler", 4)})
        if verb == "resize":
            return Step("resize_autoscaler", {"name": name, **_bounds(dice)})
        image = dice.choice((*GOOD_IMAGES, BROKEN_IMAGE) if kind == "deployment" else GOOD_IMAGES)
        if there[name]["image"] != BROKEN_IMAGE:
            there[name]["before"] = there[name]["image"]
        there[name]["image"] = image
        return Step(f"release_{kind}", {"name": name, "image": image})

    def _create(self, dice: random.Random, kind: str) -> Step:
        self._jobs += kind == "job"
        free = [f"{kind[:3]}-{n}" for n in range(9) if f"{kind[:3]}-{n}" not in self._there[kind]]
        name = f"job-{self._jobs}" if kind == "job" else free[0]
        image = dice.choice(GOOD_IMAGES)
        self._there[kind][name] = {"image": image, "before": image}
        shapes = {
            "deployment": lambda: {
                "replicas": dice.randint(1, 4),
                "image": image,
                "strategy": dice.choice(("RollingUpdate", "RollingUpdate", "Recreate")),
            },
            "statefulset": lambda: {
                "replicas": dice.randint(1, 3),
                "image": image,
                "policy": dice.choice(("OrderedReady", "Parallel")),
            },
            "daemonset": lambda: {"image": image},
            "job": lambda: {
                "completions": dice.randint(1, 5),
                "parallelism": dice.randint(1, 3),
                "work": round(dice.uniform(0.2, 3.0), 1),
                "mode": dice.choice(("NonIndexed", "Indexed")),
                "restart": dice.choice(("Never", "OnFailure")),
            },
            "cronjob": lambda: {
                "policy": dice.choice(("Allow", "Forbid", "Replace")),
                "work": dice.choice((0.5, 3.0, 70.0)),  # seconds, of the minute until the next
            },
            "autoscaler": lambda: {"image": image, **_bounds(dice), "each": dice.choice((3, 6, 20))},
            "service": lambda: {"app": f"dep-{dice.randint(0, 2)}"},
            "namespace": lambda: {},
        }
        return Step(f"create_{kind}", {"name": name, **shapes[kind]()})


OFTEN = (
    ("deployment",) * 4 + ("statefulset", "job", "cronjob", "autoscaler") * 2 + ("daemonset", "service", "namespace")
)
_CHANGES = {
    "deployment": ("scale", "scale", "release", "release", "readopt", "delete"),
    "statefulset": ("scale", "release", "readopt", "delete"),
    "daemonset": ("release", "release", "readopt", "delete"),
    "job": ("delete",),
    "cronjob": ("delete",),
    "autoscaler": ("scale", "resize", "resize", "release", "delete"),
    "service": ("delete",),
    "namespace": ("delete",),
}


def _where(dice: random.Random) -> float:
    return int(dice.random() * 1000) / 1000  # never 1: it is a place in a list


def _bounds(dice: random.Random) -> dict[str, int]:
    least = dice.randint(1, 2)
    return {"least": least, "most": least + dice.randint(0, 2)}
