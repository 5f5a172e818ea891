"""What the programs here share: figures out of samples, a table out of figures, and the bare engine to compare with."""

import contextlib
import http.client
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker

from tests.labs import LabUnderTest, is_ready

IMAGE = "orrery/hello:v1"
PAUSE = "orrery/pause:1"
AT_ONCE = 8


@dataclass(frozen=True)
class Row:
    """One line of the result. `samples` are seconds; `beside` is the same of what it is compared with."""

    what: str
    samples: list[float]
    beside: list[float] | None = None
    most: float | None = None  # the ratio of the medians that is promised, if one is

    def __str__(self) -> str:
        text = f"{self.what:<58} {figures(self.samples)}"
        if not self.beside:
            return text
        ratio = statistics.median(self.samples) / statistics.median(self.beside)
        verdict = (
            "" if self.most is None else f"  (at most {self.most:g}: {'kept' if ratio <= self.most else 'MISSED'})"
        )
        return f"{text}   {ratio:.2f} of it{verdict}"


def figures(samples: list[float]) -> str:
    """Median, 95th percentile and number, in milliseconds."""
    return f"p50 {statistics.median(samples) * 1000:6.0f} ms   p95 {p95(samples) * 1000:6.0f} ms   n {len(samples)}"


def p95(samples: list[float]) -> float:
    return sorted(samples)[min(len(samples) - 1, round(0.95 * (len(samples) - 1)))]


@contextlib.contextmanager
def running_lab(runtime: str, **env: str) -> Iterator[LabUnderTest]:
    """A fresh lab with its demo ready; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="orrery-bench-") as folder:
        lab = LabUnderTest(Path(folder) / "data", runtime, **env)
        try:
            lab.start()
            lab.wait_for_ready_pods(3, seconds=120)
            yield lab
        finally:
            lab.clean_up()


class PodWatch:
    """Every change of the lab's pods with the time at which it arrived here, over one watch as kubectl opens it."""

    def __init__(self, lab: LabUnderTest):
        self.events: list[tuple[float, str, dict]] = []
        self._grew = threading.Condition()
        listed = lab.api("GET", "/api/v1/namespaces/default/pods")
        since = listed["metadata"]["resourceVersion"]
        self._connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=600)
        path = "/clusters/default/api/v1/namespaces/default/pods"
        self._connection.request("GET", f"{path}?watch=1&resourceVersion={since}")
        self._socket = self._connection.sock
        self._stream = self._connection.getresponse()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed under it
            for line in self._stream:
                event = json.loads(line)
                with self._grew:
                    self.events.append((time.monotonic(), event["type"], event["object"]))
                    self._grew.notify_all()

    def wait_for(self, what: str, after: float, fits: Callable[[str, dict], bool], seconds: float = 60) -> float:
        """When the first fitting change since `after` arrived."""
        with self._grew:
            found = self._grew.wait_for(lambda: self._first(after, fits), seconds)
        assert found, f"not within {seconds:g} s: {what}"
        return found

    def _first(self, after: float, fits: Callable[[str, dict], bool]) -> float | None:
        return next((when for when, kind, pod in self.events if when >= after and fits(kind, pod)), None)

    def wait_for_count(
        self, what: str, after: float, count: int, fits: Callable[[dict], bool], seconds: float
    ) -> float:
        """When the last of `count` different pods first fitted."""

        def nth() -> float | None:
            first: dict[str, float] = {}
            for when, _, pod in self.events:
                if when >= after and fits(pod):
                    first.setdefault(pod["metadata"]["uid"], when)
            return sorted(first.values())[count - 1] if len(first) >= count else None

        with self._grew:
            found = self._grew.wait_for(nth, seconds)
        assert found, f"not within {seconds:g} s: {what}"
        return found

    def close(self) -> None:
        """By its socket: to close the stream would wait for the thread that reads from it."""
        self._socket.shutdown(socket.SHUT_RDWR)


def ready_and(test: Callable[[dict], bool]) -> Callable[[str, dict], bool]:
    return lambda kind, pod: kind != "DELETED" and is_ready(pod) and test(pod)


class BareEngine:
    """The same engine without a lab: containers made one call after the other, as fast as it goes."""

    def __init__(self) -> None:
        self.client = docker.APIClient(timeout=120, num_pools=64)
        self.network = self.client.create_network("orrery-bench", driver="bridge", labels={"orrery-bench": "1"})["Id"]

    def container(self, image: str = IMAGE, network: str = "") -> str:
        """Create and start one on the user network, or in the network namespace of another container."""
        host = self.client.create_host_config(network_mode=network or self.network)
        made = self.client.create_container(image, host_config=host, labels={"orrery-bench": "1"})
        self.client.start(made["Id"])
        return made["Id"]

    def pod(self) -> list[str]:
        """What a pod is: something that holds the address, and the application beside it."""
        pause = self.container(PAUSE)
        return [pause, self.container(network=f"container:{pause}")]

    def pods(self, count: int) -> float:
        """Seconds for `count` pods, AT_ONCE of them in flight."""
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: self.pod(), range(count)))
        return time.monotonic() - began

    def remove(self, *containers: str) -> None:
        for container in containers:
            self.client.remove_container(container, force=True)

    def clear(self) -> None:
        found = self.client.containers(all=True, filters={"label": "orrery-bench"})
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda row: self.remove(row["Id"]), found))

    def close(self) -> None:
        self.clear()
        try:
            self.client.remove_network(self.network)
        except docker.errors.APIError as error:  # it counts somebody who is gone; no reason to lose what was measured
            print(f"the engine keeps the network of this program until it is started anew: {error}", flush=True)
        self.client.close()


def timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began
