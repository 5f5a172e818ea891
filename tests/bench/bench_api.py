"""What the API server takes: single reads, long lists, many watches, and kubectl's own way of applying.

    python -m tests.bench.bench_api [watches]

Against a lab that runs, on the process runtime, with 500 pods that no node takes. Beside each read stands the same
request for `/version`, which touches nothing: what a request costs in itself.
"""

import http.client
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from tests.labs import LabUnderTest, manage

from .bench_idle import cpu_seconds
from .measure import Row, running_lab, timed

PODS = "/api/v1/namespaces/default/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MANY, IDLE_SECONDS, ROUNDS = 500, 20, 30


def main(watches: str = "200") -> None:
    with running_lab("process") as lab:
        for at in range(MANY):
            lab.api("POST", PODS, homeless(f"waits-{at}"))
        time.sleep(5)
        one = PODS + "/" + lab.pods("app=hello")[0]["metadata"]["name"]
        ask = Asker(lab)
        bare = [timed(lambda: ask("/version")) for _ in range(200)]
        print(Row("GET of one object (at most 5 ms)", [timed(lambda: ask(one)) for _ in range(200)], bare))
        lists = [timed(lambda: ask(PODS, TABLE)) for _ in range(ROUNDS)]
        print(Row(f"list of {MANY} pods as a Table (at most 60 ms)", lists, bare))
        watch_all(lab, int(watches))
        for name in ("KUBECTL_OLD", "KUBECTL_NEW"):
            if os.environ.get(name):
                apply_bundle(lab, os.environ[name])


def homeless(name: str) -> dict:
    spec = {"nodeSelector": {"no": "such-node"}, "containers": [{"name": "c", "image": "orrery/hello:v1"}]}
    return {"metadata": {"name": name, "labels": {"app": "waits"}}, "spec": spec}


class Asker:
    """GETs over one connection, as clients do."""

    def __init__(self, lab: LabUnderTest):
        self._connection = http.client.HTTPConnection("127.0.0.1", lab.port)

    def __call__(self, path: str, accept: str = "application/json") -> bytes:
        self._connection.request("GET", f"/clusters/default{path}", headers={"Accept": accept})
        return self._connection.getresponse().read()


def watch_all(lab: LabUnderTest, count: int) -> None:
    """`count` watches of the pods: what they cost while nothing happens, and how soon each hears of a change."""
    web, path = lab.pid_of("web"), f"/clusters/default{PODS}"
    since = lab.api("GET", PODS)["metadata"]["resourceVersion"]
    without = cost_of_waiting(web)
    waiting = selectors.DefaultSelector()
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", lab.port))
        one.sendall(f"GET {path}?watch=1&resourceVersion={since} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b"200 OK" in one.recv(4096)
        waiting.register(one, selectors.EVENT_READ)
    time.sleep(2)
    cost = cost_of_waiting(web) - without
    print(f"{count} watches while nothing happens: {cost:+.2f} % of a core (at most 1)")
    heard = [sample for at in range(ROUNDS) for sample in a_change(lab, waiting, at)]
    print(Row(f"change -> each of {count} watches (p95 at most 100 ms)", heard))


def cost_of_waiting(pid: int) -> float:
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS * 100


def a_change(lab: LabUnderTest, waiting: selectors.BaseSelector, at: int) -> list[float]:
    """Seconds from the request that changes a pod to the moment at which each watch has something to read."""
    began, left, samples = time.monotonic(), {key.fd for key in waiting.get_map().values()}, []
    change = {"metadata": {"labels": {"round": str(at)}}}
    lab.api("PATCH", f"{PODS}/waits-{at}", change, content_type="application/merge-patch+json")
    while left:
        for key, _ in waiting.select(10):
            key.fileobj.recv(1 << 20)
            if key.fd in left:
                left.discard(key.fd)
                samples.append(time.monotonic() - began)
    return samples


def apply_bundle(lab: LabUnderTest, kubectl: str) -> None:
    """Thirty objects by `kubectl apply`, then the same again, which must leave the log as it is."""
    kubeconfig = lab.data / "kubeconfig"
    kubeconfig.write_text(manage("kubeconfig", data=lab.data).stdout)
    name = os.path.basename(os.path.dirname(kubectl))
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": [config_map(f"{name}-{at}") for at in range(30)]})

    def kubectl_does(*words: str, said: str = "") -> Callable[[], object]:
        command = [kubectl, "--kubeconfig", str(kubeconfig), *words]
        return lambda: subprocess.run(command, input=said, text=True, check=True, capture_output=True)

    alone = statistics.median(timed(kubectl_does("version")) for _ in range(3))
    new = timed(kubectl_does("apply", "-f", "-", said=bundle))
    before = revision(lab)
    again = timed(kubectl_does("apply", "-f", "-", said=bundle))
    print(
        f"{name}: apply of 30 objects {new:.2f} s, unchanged {again:.2f} s (at most 3); `kubectl version` {alone:.2f} s"
    )
    print(f"{name}: revisions that the unchanged apply has made: {revision(lab) - before}")


def config_map(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}


def revision(lab: LabUnderTest) -> int:
    """Of the newest ConfigMap: the log itself goes on, for Leases are renewed in it."""
    listed = lab.api("GET", "/api/v1/namespaces/default/configmaps")["items"]
    return max(int(each["metadata"]["resourceVersion"]) for each in listed)


if __name__ == "__main__":
    main(*sys.argv[1:])
