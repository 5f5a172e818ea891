"""How fast the number of replicas may follow what the metrics ask for: stabilization and policies. Pure.

Metrics flutter; pods are slow to come and go. So a HorizontalPodAutoscaler goes down only to the highest number that
was recommended lately (5 minutes), and in one step not further than its policies allow. For that it has to remember.
Kubernetes' controller does so in its memory, and begins anew after a restart; here what is remembered stands in an
annotation of the object, written together with its status, so that whoever takes over goes on where the other stopped.

Source: normalizeDesiredReplicas… and convertDesiredReplicas… in pkg/controller/podautoscaler/horizontal.go.
"""

import math
from dataclasses import dataclass, replace

UP_FACTOR, UP_LEAST = 2, 4  # without `behavior`, in one step: to the double, or to four
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_FAST_UP = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_FAST_DOWN = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
READY = ("ReadyForNewScale", "recommended size matches current size")
STABLE_UP = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
STABLE_DOWN = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)

Stamped = tuple[float, int]  # seconds since the epoch, a number


def _stamp(now: float) -> float:
    """Never rounded up: it would lie in the future."""
    return math.floor(now * 10) / 10


@dataclass(frozen=True)
class Memory:
    """What was recommended, each number since when until the next (Kubernetes keeps one for each look, which comes to
    the same), and by how much the target was scaled, when. Oldest first."""

    recommendations: tuple[Stamped, ...] = ()
    scalings: tuple[Stamped, ...] = ()

    @classmethod
    def of(cls, data: dict) -> "Memory":
        return cls(*(tuple((float(t), int(n)) for t, n in data.get(f, ())) for f in ("recommendations", "scalings")))

    def data(self) -> dict:
        return {field: [list(each) for each in held] for field, held in vars(self).items()}

    def since(self, cutoff: float) -> list[int]:
        """The numbers that were recommended at any time after `cutoff`."""
        ends = [time for time, _ in self.recommendations[1:]] + [math.inf]
        return [number for (_, number), end in zip(self.recommendations, ends, strict=True) if end > cutoff]

    def until(self, now: float) -> "Memory":
        """Without what lies in the future: the clock was set back, and it would count for ever."""
        return replace(self, recommendations=tuple(each for each in self.recommendations if each[0] <= now))

    def recommend(self, number: int, now: float, keep: float) -> "Memory":
        """With what is recommended now, without what is older than `keep` seconds."""
        known = list(self.recommendations)
        if not known or known[-1][1] != number:
            known.append((_stamp(now), number))
        outdated = sum(end <= now - keep for end, _ in known[1:])
        return replace(self, recommendations=tuple(known[outdated:]))

    def scale(self, change: int, now: float, keep: float) -> "Memory":
        kept = [each for each in self.scalings if now - keep < each[0] <= now]
        return replace(self, scalings=(*kept, (_stamp(now), change)))

    def change(self, period: float, now: float, sign: int) -> int:
        """By how many replicas it was scaled up (1) or down (-1) in the last `period` seconds."""
        return sum(sign * n for time, n in self.scalings if now - period < time <= now and sign * n > 0)


@dataclass(frozen=True)
class Step:
    """What is done about a recommendation: to how many, and which two rules had a say (reason, message)."""

    replicas: int
    stable: tuple[str, str]
    limit: tuple[str, str]
    limited: bool
    memory: Memory
    why: dict


@dataclass(frozen=True)
class Bounds:
    current: int
    least: int
    most: int


def step(recommended: int, bounds: Bounds, behavior: dict | None, memory: Memory, now: float, window: float) -> Step:
    """`window`: --horizontal-pod-autoscaler-downscale-stabilization, where the spec does not say."""
    up, down = (dict((behavior or {}).get(way) or {}) for way in ("scaleUp", "scaleDown"))
    windows = up.get("stabilizationWindowSeconds") or 0, down.get("stabilizationWindowSeconds", window)
    memory = memory.until(now)
    if not memory.recommendations:  # the first one: what there is was right until now
        memory = memory.recommend(bounds.current, now, max(windows))
    # What lies beyond the bounds comes to the same as the bound, and would only make the memory flutter.
    bounded = min(max(recommended, bounds.least), bounds.most)
    if behavior is None:
        stable = max([bounded, *memory.since(now - window)])
        limits = _plain_limits(bounds)
        reason = STABLE_DOWN
    else:
        stable = _stabilized(bounded, bounds.current, windows, memory, now)
        limits = _limits_by_policy(bounds, up, down, memory, now)
        reason = STABLE_UP if recommended >= bounds.current else STABLE_DOWN
    stable = recommended if stable == bounded else stable
    replicas, limit = _within(stable, bounds, limits, plain=behavior is None)
    why: dict = {"recommended": recommended}
    if stable != recommended:
        why["stabilized"] = {"to": stable, "by": reason[0], "recent": sorted(set(memory.since(now - max(windows))))}
    if replicas != stable:
        why["limited"] = {"to": replicas, "by": limit[0]}
    memory = memory.recommend(bounded, now, max(windows))
    return Step(replicas, READY if stable == recommended else reason, limit, replicas != stable, memory, why)


def _stabilized(recommended: int, current: int, windows: tuple[float, float], memory: Memory, now: float) -> int:
    """Up to the lowest number recommended lately, down to the highest; in between it stays as it is."""
    lowest = min([recommended, *(memory.since(now - windows[0]) if windows[0] else ())])
    highest = max([recommended, *(memory.since(now - windows[1]) if windows[1] else ())])
    return min(max(current, lowest), highest)


Limit = tuple[int, tuple[str, str]]


def _plain_limits(bounds: Bounds) -> tuple[Limit, Limit]:
    fast = max(UP_FACTOR * bounds.current, UP_LEAST)
    return (bounds.least, TOO_FEW), (fast, TOO_FAST_UP) if bounds.most > fast else (bounds.most, TOO_MANY)


def _limits_by_policy(bounds: Bounds, up: dict, down: dict, memory: Memory, now: float) -> tuple[Limit, Limit]:
    fastest_up = max(_reach(bounds.current, up, memory, now, 1), bounds.current)
    fastest_down = min(_reach(bounds.current, down, memory, now, -1), bounds.current)
    lower = (fastest_down, TOO_FAST_DOWN) if bounds.least < fastest_down else (bounds.least, TOO_FEW)
    upper = (fastest_up, TOO_FAST_UP) if bounds.most > fastest_up else (bounds.most, TOO_MANY)
    return lower, upper


def _reach(current: int, rules: dict, memory: Memory, now: float, sign: int) -> int:
    """How far the policies let it go, up (1) or down (-1)."""
    select = rules.get("selectPolicy", "Max")
    if select == "Disabled":
        return current
    reached = []
    for policy in rules.get("policies") or ():
        period, value = policy["periodSeconds"], policy["value"]
        began = current - memory.change(period, now, 1) + memory.change(period, now, -1)
        if policy["type"] == "Pods":
            reached.append(began + sign * value)
        else:  # rounded away from where it began, or one pod would never become two
            reached.append(math.ceil(began * (1 + value / 100)) if sign > 0 else int(began * (1 - value / 100)))
    farthest, nearest = (max, min) if sign > 0 else (min, max)
    return (nearest if select == "Min" else farthest)(reached, default=current)


def _within(stable: int, bounds: Bounds, limits: tuple[Limit, Limit], plain: bool) -> tuple[int, tuple[str, str]]:
    (lower, too_low), (upper, too_high) = limits
    if stable < lower and (plain or stable < bounds.current):
        return lower, too_low
    if stable > upper and (plain or stable > bounds.current):
        return upper, too_high
    return stable, WITHIN


def longest_period(behavior: dict | None) -> float:
    """For how long scalings matter."""
    rules = ((behavior or {}).get(way) or {} for way in ("scaleUp", "scaleDown"))
    return max((p["periodSeconds"] for rule in rules for p in rule.get("policies") or ()), default=0.0)
