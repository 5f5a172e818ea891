"""The control plane's own share: a Deployment of ten replicas accepted, until the last of its pods is bound and stored.

    python -m tests.bench.bench_controlplane [rounds]

Three controllers act one after the other on the way (deployment, replicaset, scheduler), each woken by a Celery task,
so three round trips of this machine's Celery on the same broker are what no program on it could do without.
On simulated nodes, so that no container takes the processor away.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import redis
from celery import Celery

from tests.labs import HOME, LabUnderTest, clean_environment

from .measure import PodWatch, Row, figures, running_lab

REPLICAS, HOPS, MOST_SECONDS = 10, 3, 0.150
ECHO = """
import os, redis
from celery import Celery
app = Celery("echo", broker=os.environ["REDIS_URL"])
app.conf.task_default_queue = "bench-echo"
answers = redis.Redis.from_url(os.environ["REDIS_URL"])
@app.task(name="echo")
def echo(number): answers.lpush("bench-answers", number)
"""


def main(rounds: str = "20") -> None:
    with running_lab("simulated") as lab:
        trips = round_trips(lab, 50)
        watch = PodWatch(lab)
        samples = [deploy(lab, watch, number) for number in range(int(rounds))]
        watch.close()
    hop = statistics.median(trips)
    own = statistics.median(samples) - HOPS * hop
    print(Row("Celery, this machine: sent -> done", trips))
    print(f"{'create accepted -> last of ten bindings stored':<58} {figures(samples)}")
    verdict = "kept" if own <= MOST_SECONDS else "MISSED"
    print(f"of that beyond {HOPS} round trips: {own * 1000:.0f} ms  (at most {MOST_SECONDS * 1000:.0f}: {verdict})")


def deploy(lab: LabUnderTest, watch: PodWatch, number: int) -> float:
    name = f"bench-{number}"
    labels = {"app": name}
    container = {"name": "main", "image": "orrery/hello:v1", "resources": {"requests": {"cpu": "10m"}}}
    spec = {
        "replicas": REPLICAS,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    path = "/apis/apps/v1/namespaces/default/deployments"
    lab.api("POST", path, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
    accepted = time.monotonic()

    def bound(pod: dict) -> bool:
        return labels.items() <= pod["metadata"].get("labels", {}).items() and "nodeName" in pod["spec"]

    last = watch.wait_for_count(f"{REPLICAS} bound pods", accepted, REPLICAS, bound, 30)
    lab.api("DELETE", f"{path}/{name}")
    time.sleep(2)
    return last - accepted


def round_trips(lab: LabUnderTest, rounds: int) -> list[float]:
    """One task at a time to a worker of its own with an empty task, on the lab's broker."""
    url = lab.run()["broker"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "echo.py").write_text(ECHO)
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "echo", "worker", "-P", "threads", "-c", "1"]
        command += ["-Q", "bench-echo", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        env = clean_environment(REDIS_URL=url, PYTHONPATH=str(HOME))
        worker = subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.DEVNULL)
        try:
            app, answers = Celery("echo", broker=url), redis.Redis.from_url(url)
            trip(app, answers, timeout=30)
            return [trip(app, answers) for _ in range(rounds)]
        finally:
            worker.kill()
            worker.wait()


def trip(app: Celery, answers: redis.Redis, timeout: int = 5) -> float:
    began = time.monotonic()
    app.send_task("echo", args=[threading.get_ident()], queue="bench-echo")
    assert answers.blpop("bench-answers", timeout), "the task did not come back"
    return time.monotonic() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
