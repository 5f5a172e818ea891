"""Real kubectl on Jobs and CronJobs: its generators, and the lines that it prints."""

import pytest

from lab.apimachinery.kinds import CRONJOBS, JOBS
from lab.client import Client

from .test_kubectl import Kubectl


@pytest.fixture
def k(kubectl, kubeconfig) -> Kubectl:
    return Kubectl(kubectl, kubeconfig)


def test_jobs_print_as_kubernetes_prints_them(k, api):
    client = Client("default", "test")
    assert k.run("create", "job", "sum", "--image=busybox", "--", "expr", "1", "+", "1") == "job.batch/sum created\n"
    status = {
        "startTime": "2026-05-20T12:00:00Z",
        "completionTime": "2026-05-20T12:00:07Z",
        "succeeded": 1,
        "conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": "2026-05-20T12:00:07Z"}],
    }
    client.patch(JOBS, "default", "sum", {"status": status}, "status")
    head, line = k.rows("get", "jobs", "-o", "wide")
    assert head == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert line[:4] == ["sum", "Complete", "1/1", "7s"] and line[5:7] == ["sum", "busybox"]
    assert "Pods Statuses:" in k.run("describe", "job", "sum")
    assert "condition met" in k.run("wait", "--for=condition=complete", "job/sum", "--timeout=5s")
    assert k.run("get", "jobs", "--field-selector", "status.successful=1", "-o", "name") == "job.batch/sum\n"
    assert "job.batch/sum" in k.run("get", "all")


def test_cronjobs_print_as_kubernetes_prints_them(k, api):
    client = Client("default", "test")
    made = ("create", "cronjob", "tick", "--image=busybox", "--schedule=*/5 * * * *", "--", "date")
    assert k.run(*made) == "cronjob.batch/tick created\n"
    head, line = k.rows("get", "cj")
    assert head == ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"]
    assert line[:6] == ["tick", "*/5 * * * *", "<none>", "False", "0", "<none>"]
    assert "suspend" in k.run("explain", "cronjob.spec")
    assert k.run("create", "job", "now", "--from=cronjob/tick") == "job.batch/now created\n"
    job, cronjob = client.get(JOBS, "default", "now"), client.get(CRONJOBS, "default", "tick")
    assert job["metadata"]["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual"}
    assert job["metadata"]["ownerReferences"][0]["uid"] == cronjob["metadata"]["uid"]
    assert "Concurrency Policy:" in k.run("describe", "cronjob", "tick")
    assert "invalid" in k.fail("create", "cronjob", "bad", "--image=busybox", "--schedule=often")
