"""What flow tests do to the demo and to the processes of a lab."""

import os
import signal

from ..labs import LabUnderTest, wait_until
from .watching import replay

DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/hello"
PODS = "/api/v1/namespaces/default/pods"
MERGE = "application/merge-patch+json"


def patch(lab: LabUnderTest, path: str, body: dict) -> dict:
    return lab.api("PATCH", path, body, content_type=MERGE)


def scale(lab: LabUnderTest, replicas: int) -> None:
    patch(lab, DEPLOYMENT, {"spec": {"replicas": replicas}})


def release(lab: LabUnderTest, version: str) -> None:
    """Another template: a rollout begins."""
    patch(lab, DEPLOYMENT, {"spec": {"template": {"metadata": {"annotations": {"version": version}}}}})


def kill(lab: LabUnderTest, name: str) -> None:
    """SIGKILL; returns when there is another process in its place."""
    before = lab.pid_of(name)
    os.kill(before, signal.SIGKILL)
    wait_until(f"a new {name}", lambda: (pid := lab.pid_of(name)) != before and pid, seconds=20)


def revision(lab: LabUnderTest) -> str:
    return lab.get(PODS)["metadata"]["resourceVersion"]


def most_pods_at_once(lab: LabUnderTest, since: str) -> int:
    """The largest number of pods that counted as replicas, at any revision since."""
    happened = replay(lab, PODS, since)
    created = {obj["metadata"]["name"] for kind, obj in happened if kind == "ADDED"}
    known = {pod["metadata"]["name"] for pod in lab.pods()} | {obj["metadata"]["name"] for _, obj in happened}
    counted = known - created
    most = len(counted)
    for kind, obj in happened:
        leaving = kind == "DELETED" or "deletionTimestamp" in obj["metadata"]
        counted = counted - {obj["metadata"]["name"]} if leaving else counted | {obj["metadata"]["name"]}
        most = max(most, len(counted))
    return most
