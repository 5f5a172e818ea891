"""The kubelets of this process: one for each engine that any Node names, begun when the first such Node is seen.

ORRERY_KUBELET says which runtimes this process may look after: names with commas between them, or "auto" for all.
Unset or empty, it is no kubelet at all. However many processes may: the lock lets one act for each runtime.

`docker.b` is the Docker engine called b, which answers where this process's DOCKER_HOST says. A process has one Docker
engine, so another one has a worker of its own, beside it: `lab.worker control-plane`, which takes no hints from the
kubelets' queue, where they would be another's, and hears by itself which logs have grown.
"""

import logging
import os
import re
import threading
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from lab.apimachinery.engines import DOCKER, engine_of, kind_of, name_of
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES
from lab.client import Client, UnknownCluster, cluster_names
from lab.runtime.engines import open_runtime
from lab.store import hints

from .agent import Agent
from .server import Server

log = logging.getLogger(__name__)
RUNTIMES = ("docker", "process", "simulated")
FURTHER = re.compile("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")  # what a further engine may be called: a label's value
FAILURES = (DatabaseError, ApiError, UnknownCluster)  # the last two: it has just been deleted
LOOK_SECONDS = 5.0  # only a backstop: a node that is new comes with a hint


def allowed_runtimes(named: str) -> tuple[str, ...]:
    """ORRERY_KUBELET's meaning: `"auto"` → all, `"docker,simulated"` → those two, `""` → none. Raises ValueError."""
    if named == "auto":
        return RUNTIMES
    names = tuple(name.strip() for name in named.split(",") if name.strip())
    unknown = [name for name in names if name not in RUNTIMES and not is_further(name)]
    if unknown:
        raise ValueError(
            f"ORRERY_KUBELET names {', '.join(unknown)}; there are {', '.join(RUNTIMES)}, auto, and docker.NAME"
        )
    if sum(kind_of(name) == DOCKER for name in names) > 1:
        raise ValueError(f"ORRERY_KUBELET names two Docker engines, {named}; each has a worker of its own")
    return names


def is_further(name: str) -> bool:
    """Whether it is a Docker engine beside the lab's own: `docker.b`."""
    return kind_of(name) == DOCKER and bool(FURTHER.fullmatch(name_of(name)))


class Agents:
    """Keeps an agent running for each allowed runtime that has nodes; one that lost its lock stands by anew."""

    def __init__(self, allowed: tuple[str, ...], data_dir: Path, host: str = "127.0.0.1", shown_host: str = ""):
        self._allowed = allowed
        self._data_dir = data_dir
        self._agents: dict[str, Agent] = {}
        self._beginning = threading.Lock()  # a hint and the slow look may see the same new node at once
        self._stopping = threading.Event()
        self.server = Server(lambda: list(self._agents.values()), host, shown_host)
        self._thread = threading.Thread(target=self._run, name="kubelets", daemon=True)
        self._ear = None
        if any(map(is_further, allowed)):
            self._ear = threading.Thread(target=self._listen, name="kubelets-ear", daemon=True)

    def start(self) -> None:
        self.server.start()
        self._thread.start()
        if self._ear:
            self._ear.start()

    def stop(self) -> None:
        """Give the locks back, so that the next worker need not wait for them to run out."""
        self._stopping.set()
        self._thread.join(timeout=5)
        for agent in list(self._agents.values()):
            agent.stop()
        self.server.stop()

    def engines(self) -> dict[str, str]:
        """Of each runtime that this process looks after: what is the matter with it; empty if nothing is."""
        return {name: agent.trouble for name, agent in list(self._agents.items()) if agent.acts}

    def well(self) -> list[str]:
        """The engines of those that have answered and still do."""
        return [name for name, agent in list(self._agents.items()) if agent.acts and agent.nodeagent.well]

    def catch_up(self, cluster: str) -> None:
        """The log of that cluster has grown: everyone concerned reads it."""
        self._begin_for(cluster)
        for agent in list(self._agents.values()):
            agent.catch_up(cluster)

    def _listen(self) -> None:
        """Whichever log has grown, read it: nobody sends this process a task."""
        for cluster in hints.heard(self._stopping.is_set):
            try:
                self.catch_up(cluster)
            except FAILURES as error:
                log.info("%s: the log is read later: %s", cluster, error)
            except Exception:  # whatever is odd about one must not make us deaf to the others
                log.exception("%s: the log is read later", cluster)
            close_old_connections()
        connections.close_all()

    def _run(self) -> None:
        while not self._stopping.is_set():
            close_old_connections()
            try:
                for cluster in cluster_names():
                    self._begin_for(cluster)
            except FAILURES as error:
                log.warning("looking for nodes: %s", error)
            except Exception:  # without this thread no kubelet that has given up is replaced
                log.exception("looking for nodes")
            self._stopping.wait(LOOK_SECONDS)
        connections.close_all()

    def _begin_for(self, cluster: str) -> None:
        wanted = {engine_of(node) for node in Client(cluster, "kubelet").list(NODES)}
        wanted |= set(filter(is_further, self._allowed))  # no node stands there before it is known to answer
        with self._beginning:
            for name in self._allowed:
                agent = self._agents.get(name)
                if name in wanted and not self._stopping.is_set() and (agent is None or agent.stopped):
                    self._begin(name)

    def _begin(self, name: str) -> None:
        # Two engines of one machine would see each other's files, and the one that loses a node empties its folder.
        data_dir = self._data_dir / "engines" / name_of(name) if is_further(name) else self._data_dir
        runtime = open_runtime(name, settings.LAB_ID, data_dir)
        self._agents[name] = agent = Agent(runtime, data_dir, lambda: self.server.url)
        agent.start()


def agents_of_environment() -> Agents | None:
    """What ORRERY_KUBELET asks for."""
    allowed = allowed_runtimes(os.environ.get("ORRERY_KUBELET", ""))
    host, shown = os.environ.get("ORRERY_KUBELET_HOST", "127.0.0.1"), os.environ.get("ORRERY_KUBELET_NAME", "")
    return Agents(allowed, settings.DATA_DIR, host, shown) if allowed else None
