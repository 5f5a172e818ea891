"""Jobs from kubectl to the engine and back: both kubectls, on containers and on processes."""

import json
import os
import secrets
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..labs import LabUnderTest, manage, wait_until

IMAGE = "orrery/hello:v1"


class Hand:
    """A kubectl in a namespace of its own."""

    def __init__(self, program: str, lab: LabUnderTest, config: Path, namespace: str):
        config.write_text(manage("kubeconfig", data=lab.data).stdout)
        self._command = [program, "--kubeconfig", str(config), "--namespace", namespace]

    def run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run([*self._command, *words], input=stdin, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> dict:
        return json.loads(self.run("get", *words, "-o", "json"))

    def pods(self, job: str) -> list[dict]:
        return self.get("pods", "-l", f"job-name={job}")["items"]

    def submit(self, name: str, script: str, **spec) -> None:
        containers = [{"name": "work", "image": IMAGE, "command": ["sh", "-c", script]}]
        template = {"spec": {"containers": containers, "restartPolicy": "Never"}}
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name},
            "spec": {"template": template, **spec},
        }
        self.run("apply", "-f", "-", stdin=yaml.safe_dump(job))

    def wait(self, condition: str, name: str) -> None:
        self.run("wait", f"--for=condition={condition}", f"job/{name}", "--timeout=180s")


# Neither asks anything of the other, so each kubectl and each engine is tried once.
on_both = pytest.mark.parametrize(
    ("kubectl", "runtime"), [("KUBECTL_OLD", "process"), ("KUBECTL_NEW", "docker")], indirect=["kubectl"]
)


@pytest.fixture
def hand(request: pytest.FixtureRequest, kubectl: str, runtime: str, tmp_path: Path) -> Iterator[Hand]:
    lab = request.getfixturevalue(f"{runtime}_lab")
    namespace = f"jobs-{secrets.token_hex(3)}"
    lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    yield Hand(kubectl, lab, tmp_path / "config", namespace)
    lab.api("DELETE", f"/api/v1/namespaces/{namespace}")
    wait_until("the namespace to be gone", lambda: lab.get(f"/api/v1/namespaces/{namespace}") is None, 60)


@on_both
def test_an_indexed_job_does_all_its_parts_two_at_a_time(hand):
    script = "echo part $JOB_COMPLETION_INDEX of $HOSTNAME"
    hand.submit("parts", script, completions=5, parallelism=2, completionMode="Indexed")
    hand.wait("complete", "parts")
    status = hand.get("job", "parts")["status"]
    assert (status["succeeded"], status["completedIndexes"]) == (5, "0-4") and "failed" not in status
    assert hand.run("get", "job", "parts", "--no-headers").split()[:3] == ["parts", "Complete", "5/5"]
    pods = {pod["spec"]["hostname"]: pod["metadata"]["name"] for pod in hand.pods("parts")}
    assert sorted(pods) == [f"parts-{index}" for index in range(5)]
    for index, (hostname, name) in enumerate(sorted(pods.items())):
        assert hand.run("logs", name) == f"part {index} of {hostname}\n"
    assert hand.run("logs", "job/parts").startswith("part ")
    hand.run("delete", "job", "parts")
    wait_until("the pods to go with their job", lambda: not hand.pods("parts"))


@on_both
def test_one_that_always_fails_is_given_up(hand):
    hand.submit("bad", "exit 3", backoffLimit=1)
    hand.wait("failed", "bad")
    job = hand.get("job", "bad")
    reasons = {c["type"]: c["reason"] for c in job["status"]["conditions"]}
    assert reasons == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
    assert job["status"]["failed"] == 2 == len(hand.pods("bad"))
    said = hand.run("describe", "job", "bad")
    assert "BackoffLimitExceeded" in said and "2 Failed" in said


@on_both
def test_a_cronjob_can_be_asked_to_begin_at_once(hand):
    hand.run("create", "cronjob", "tick", f"--image={IMAGE}", "--schedule=0 0 1 1 *", "--", "sh", "-c", "echo tock")
    hand.run("create", "job", "now", "--from=cronjob/tick")
    hand.wait("complete", "now")
    assert hand.run("logs", "job/now") == "tock\n"
    tick = wait_until("it to be noted", lambda: hand.get("cronjob", "tick").get("status"))
    assert tick["lastSuccessfulTime"] == hand.get("job", "now")["status"]["completionTime"]
    hand.run("delete", "cronjob", "tick")
    wait_until("all to go with it", lambda: not hand.get("jobs,pods")["items"])


@on_both
def test_a_suspended_job_stops_its_pods_and_resumed_ends_well(hand):
    hand.submit("pausing", "sleep 3", suspend=True)
    assert "Suspended" in hand.run("get", "job", "pausing") or not hand.pods("pausing")
    hand.run("patch", "job", "pausing", "-p", '{"spec": {"suspend": false}}')
    wait_until("a pod to run", lambda: [p for p in hand.pods("pausing") if p["status"]["phase"] == "Running"])
    hand.run("patch", "job", "pausing", "-p", '{"spec": {"suspend": true}}')
    wait_until("its pod to go", lambda: not hand.pods("pausing"))
    assert "failed" not in hand.get("job", "pausing")["status"]
    hand.run("patch", "job", "pausing", "-p", '{"spec": {"suspend": false}}')
    hand.wait("complete", "pausing")


def test_nothing_is_counted_twice_or_lost_when_workers_are_killed(own_lab):
    lab, parts = own_lab.start(), 60
    labels = {"orrery.io/runtime": "simulated", "group": "sim"}
    status = {"capacity": {"cpu": "64", "memory": "64Gi", "pods": "110"}}
    lab.api("POST", "/api/v1/nodes", {"metadata": {"name": "sim", "labels": labels}, "status": status})
    pod = {"containers": [{"name": "work", "image": IMAGE}], "restartPolicy": "Never", "nodeSelector": {"group": "sim"}}
    template = {"metadata": {"annotations": {"simulated.orrery.io/work": "500ms"}}, "spec": pod}
    spec = {"completions": parts, "parallelism": 6, "template": template}
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    lab.api("POST", jobs, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "many"}, "spec": spec})

    def succeeded() -> int:
        return (lab.get(f"{jobs}/many") or {}).get("status", {}).get("succeeded", 0)

    for some in (6, 18, 30):
        wait_until(f"{some} to be counted", lambda some=some: succeeded() >= some, 60)
        os.kill(lab.pid_of("worker"), signal.SIGKILL)
    wait_until("the end", lambda: "completionTime" in (lab.get(f"{jobs}/many") or {}).get("status", {}), 120)
    pods = lab.api("GET", "/api/v1/namespaces/default/pods?labelSelector=job-name=many")["items"]
    ends = Counter(pod["status"]["phase"] for pod in pods)
    told = lab.get(f"{jobs}/many")["status"]
    assert ends["Succeeded"] == told["succeeded"] == parts and ends["Failed"] == told.get("failed", 0)
    assert not any("finalizers" in pod["metadata"] for pod in pods)
