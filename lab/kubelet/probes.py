"""What a row of probe results means: thresholds, and what each kind of probe begins with. Pure.

Source: pkg/kubelet/prober/worker.go.
"""

from dataclasses import dataclass

STARTUP, LIVENESS, READINESS = "startup", "liveness", "readiness"
KINDS = (STARTUP, LIVENESS, READINESS)
HOOK = "hook"  # a lifecycle hook is asked in the same ways
EAGER_FIRST, EAGER_GROWTH = 0.02, 1.4  # seconds; a program in a container needs some 50 ms to answer
HELD_UP_SECONDS = 0.1
EAGER_EXEC = 0.25  # a command costs two hundred times what a request does


@dataclass
class Tally:
    """Counts results in a row until they are enough to change the verdict.

    `verdict` is True, False, or None while nothing is known: a container is taken for alive until proved dead, and
    for unready until proved ready.
    """

    success_threshold: int
    failure_threshold: int
    verdict: bool | None = None
    _last: bool | None = None
    run: int = 0

    def add(self, success: bool) -> bool:
        """Count one result; whether it changed the verdict."""
        self.run = self.run + 1 if success == self._last else 1
        self._last = success
        if self.run < self._threshold(success):
            return False
        changed = self.verdict is not success
        self.verdict = success
        return changed

    def settled(self, success: bool) -> bool:
        """Whether more of the same results would change nothing."""
        return self.verdict is success and self._last is success and self.run >= self._threshold(success)

    def _threshold(self, success: bool) -> int:
        return self.success_threshold if success else self.failure_threshold


def timeout_of(probe: dict) -> float:
    return float(probe.get("timeoutSeconds", 1))


def is_evidence(probe: dict, took: float) -> bool:
    """Whether a failure that is known after so many seconds says anything of the container. A kubelet that hears of a
    timeout only long after it was held up itself, since its machine is busy; the answer may have been there in time,
    and to kill all the containers of such a machine would not make it less busy. (A command is timed elsewhere.)"""
    return "exec" in probe or took < timeout_of(probe) + HELD_UP_SECONDS


def tally_of(probe: dict, verdict: bool | None = None) -> Tally:
    return Tally(probe.get("successThreshold", 1), probe.get("failureThreshold", 3), verdict)


@dataclass
class Rhythm:
    """When to probe next: each period; but while a container is still starting, sooner.

    Kubernetes first asks some time within the first period, and then each period. A container that answers 100 ms
    after its start would be called ready a second late, for nothing: so until the first success we also try at once and
    in between, at growing distances. Such an early try counts only if it succeeds.
    """

    period: float
    eager: bool
    step: float = EAGER_FIRST
    _next_counted: float = 0.0

    def begin(self, now: float) -> None:
        self._next_counted = now + self.period

    def counts(self, now: float) -> bool:
        """Whether a failure now is one that Kubernetes would have seen too."""
        if now < self._next_counted:
            return False
        self._next_counted = now + self.period
        return True

    def pause(self, success: bool, now: float) -> float:
        """Seconds until the next try. All probes of a kubelet come together at whole seconds: to wake up once for ten
        of them costs half of what ten times do, and an idle lab does little else."""
        if success:
            self.eager = False
        if not self.eager:
            return round(now + self.period) - now if self.period >= 1 else self.period
        step, self.step = self.step, self.step * EAGER_GROWTH
        return min(step, self.period)


def rhythm_of(kind: str, probe: dict, verdict: bool | None) -> Rhythm:
    """Liveness is never asked sooner: a container is taken for alive anyway."""
    eager = kind != LIVENESS and not verdict
    return Rhythm(float(probe.get("periodSeconds", 10)), eager, EAGER_EXEC if "exec" in probe else EAGER_FIRST)
