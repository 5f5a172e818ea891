"""A cluster whose pods end as the test says: what tests of Jobs and CronJobs work with."""

from lab.apimachinery.kinds import JOBS, PODS
from lab.apimachinery.meta import condition, now
from lab.client import Put
from lab.controllers.cronjob.controller import CronJobController
from lab.controllers.garbagecollector import GarbageCollector
from lab.controllers.job.controller import JobController
from lab.controllers.ttlafterfinished import TTLAfterFinishedController

from .cluster import Cluster

BATCH = (JobController(), CronJobController(), TTLAfterFinishedController(), GarbageCollector())


def job_template(policy: str = "Never", **spec) -> dict:
    return {"spec": {"containers": [{"name": "work", "image": "busybox"}], "restartPolicy": policy, **spec}}


class Workshop(Cluster):
    """A cluster of Jobs."""

    def settle(self, *controllers) -> int:
        return super().settle(*(controllers or BATCH))

    def submit(self, name: str = "work", policy: str = "Never", **spec) -> dict:
        meta = {"name": name, "namespace": "default"}
        self.client.create(JOBS, {"metadata": meta, "spec": {"template": job_template(policy), **spec}})
        self.settle()
        return self.job(name)

    def job(self, name: str = "work") -> dict:
        return self.client.get(JOBS, "default", name)

    def change(self, name: str = "work", **spec) -> dict:
        self.client.patch(JOBS, "default", name, {"spec": spec})
        self.settle()
        return self.job(name)

    def status(self, name: str = "work") -> dict:
        return self.job(name)["status"]

    def at_work(self) -> list[dict]:
        return [pod for pod in self.pods() if pod["status"].get("phase") in ("Pending", "Running")]

    def finish(self, pods: list[dict], code: int = 0, name: str = "") -> dict:
        """Let the containers of these pods end; what the Job says then."""
        ended = {"exitCode": code, "finishedAt": now()}
        statuses = [{"name": "work", "restartCount": 0, "state": {"terminated": ended}}]
        report = {"phase": "Failed" if code else "Succeeded", "containerStatuses": statuses}
        self.client.write([Put(PODS, {**pod, "status": {**pod["status"], **report}}, "status") for pod in pods])
        self.settle()
        return self.status(name or "work")

    def work(self, code: int = 0, name: str = "") -> dict:
        return self.finish(self.at_work(), code, name)


def told(status: dict, kind: str) -> tuple[str, str, str] | None:
    """(status, reason, message) of a condition."""
    found = condition({"status": status}, kind)
    return (found["status"], found["reason"], found["message"]) if found else None


def kinds(status: dict) -> list[str]:
    return [c["type"] for c in status.get("conditions", ()) if c["status"] == "True"]
