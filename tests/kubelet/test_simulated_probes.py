"""A prober over a simulated runtime asks the runtime, and no oftener than the answer can change."""

import time

import pytest

from lab.kubelet.handlers import Target
from lab.kubelet.prober import Prober
from lab.kubelet.status import Verdict
from lab.runtime import ContainerSpec, SandboxSpec, StillMaking
from lab.runtime.simulated.behaviour import PREFIX
from lab.runtime.simulated.runtime import SimulatedRuntime
from tests.labs import wait_until

PROBE = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 0.05}


class Counted(SimulatedRuntime):
    """Counts how often it is asked."""

    asked = 0

    def probe(self, container_id, kind):
        self.asked += 1
        return super().probe(container_id, kind)


@pytest.fixture
def prober(tmp_path):
    runtime = Counted("test", tmp_path)
    changed, failed = [], []
    prober = Prober(runtime, lambda *what: changed.append(what), lambda *what: failed.append(what))
    prober.start()
    prober.runtime, prober.changed, prober.failed = runtime, changed, failed
    yield prober
    prober.stop()


def watched(prober: Prober, container: dict, **rules: str) -> str:
    """A running container under its probes."""
    annotations = {f"{PREFIX}{name.replace('_', '-')}": text for name, text in rules.items()}
    pod = SandboxSpec("c", "n1", "default", "web", "uid", "100.64.1.2", annotations=annotations)
    with pytest.raises(StillMaking) as wait:
        prober.runtime.run_pod_sandbox(pod)
    time.sleep(wait.value.seconds)
    made = prober.runtime.create_container(
        prober.runtime.run_pod_sandbox(pod), pod, ContainerSpec(container["name"], container["image"])
    )
    prober.runtime.start_container(made)
    prober.watch("uid", Target(container, made, pod.address), time.time())
    return made


def test_a_container_becomes_ready_when_its_rule_says_and_is_not_asked_again(prober):
    container = {"name": "web", "image": "web", "readinessProbe": PROBE}
    made = watched(prober, container, ready_after="300ms", jitter="0")
    time.sleep(0.15)
    assert prober.verdict(made) == Verdict(started=True, ready=False)
    wait_until("ready", lambda: prober.verdict(made).ready, 5, 0.01)
    assert prober.changed == [("uid",)]
    assert "Readiness probe failed: simulated: not before 0.3 s after its start" in prober.failed[0]
    asked = prober.runtime.asked
    time.sleep(0.3)
    assert prober.runtime.asked == asked


def test_one_that_will_be_unhealthy_is_asked_again_only_then(prober):
    container = {"name": "web", "image": "web", "livenessProbe": {**PROBE, "failureThreshold": 2}}
    made = watched(prober, container, unhealthy_after="400ms", jitter="0")
    time.sleep(0.2)
    assert prober.runtime.asked == 1
    wait_until("unhealthy", lambda: prober.unhealthy(made), 5, 0.01)
    assert prober.runtime.asked == 3


def test_hooks_are_answered_by_rule_too_and_a_sleep_takes_its_time(prober):
    container = {"name": "web", "image": "web", "readinessProbe": PROBE}
    made = watched(prober, container, fail_hook="no such file")
    target = Target(container, made, "100.64.1.2")
    assert prober.handle(target, {"exec": {"command": ["true"]}}, 5.0) == (False, "simulated: no such file")
    began = time.monotonic()
    assert prober.handle(target, {"sleep": {"seconds": 0.2}}, 5.0) == (True, "")
    assert time.monotonic() - began >= 0.2
