"""What a Visitors object says of itself, from what its program counts."""

import pytest

from lab.visitors.status import new_status

SERVICE = {"spec": {"ports": [{"name": "http", "port": 80}]}}
FINE = {"series": {"requests": [5, 0, 5], "errors": [5, 0, 0]}, "lastFailures": [{"kind": "refused", "status": 0}]}


def visitors(**spec) -> dict:
    meta = {"name": "everyone", "namespace": "default", "generation": 3}
    return {"metadata": meta, "spec": {"service": "hello:http", **spec}}


def failing(kind: str, status: int = 0) -> dict:
    series = {"requests": [5, 5, 0, 5, 1, 0, 0], "errors": [0, 5, 0, 5, 1, 0, 0]}
    return {"series": series, "lastFailures": [{"kind": kind, "status": status}]}


@pytest.mark.parametrize("spec", [{"rate": 0}, {"rate": 0, "thinkSeconds": 1}, {}])
def test_it_is_idle_while_nobody_asks_whatever_else_is_wrong(spec):
    assert new_status(visitors(**spec), None, None) == {"observedGeneration": 3, "phase": "Idle"}


@pytest.mark.parametrize("spec", [{"rate": 0.1}, {"thinkSeconds": 1}])
def test_it_runs_while_anybody_is_answered(spec):
    assert new_status(visitors(**spec), SERVICE, FINE) == {"observedGeneration": 3, "phase": "Running"}


@pytest.mark.parametrize(
    ("service", "figures", "phase", "message"),
    [
        (None, FINE, "Failed", 'there is no Service "hello" in namespace default'),
        ({"spec": {"ports": [{"port": 80}]}}, FINE, "Failed", 'Service "hello" has no TCP port "http"'),
        (SERVICE, None, "Failed", "the load generator does not answer; it is started again"),
        (SERVICE, failing("refused"), "Failed", "nobody listens at the front door"),
        (SERVICE, failing("http", 503), "Running", "every request fails: 503"),
        (SERVICE, failing("timeout"), "Running", "every request fails: timeout"),
    ],
)
def test_it_says_what_is_wrong(service, figures, phase, message):
    status = new_status(visitors(rate=1), service, figures)
    assert (status["phase"], status["message"]) == (phase, message)
