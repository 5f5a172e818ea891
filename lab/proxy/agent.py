"""kube-proxy's control half: it reads the API and tells every data plane what to do; it carries no traffic itself.

The way of a change is short, because until its end requests go to a pod that cannot answer: the follower's thread reads
the log and says what is wanted, and the data plane's thread, which waits for that, passes it on. One agent of all
workers acts, as one kubelet of a runtime does. It may be killed: the data planes go on as they were told last.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from lab import metrics
from lab.apimachinery.engines import name_of
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS, SERVICES
from lab.apimachinery.labels import DRAINED
from lab.apimachinery.meta import is_true
from lab.client import Client, Follower, Lock, LostFence, UnknownCluster, View, cluster_names, gateway_token
from lab.client.locks import PROXY_HOLD

from . import drains
from .desired import REACHES, desired, node_ports
from .planes import Plane
from .served import Served
from .traffic import Tally
from .watching import gateways_of, picture_of, wants

log = logging.getLogger(__name__)
NAME = "kube-proxy"
HOST = "host"
LOCK_SECONDS = 6.0
RENEW_SECONDS = 2.5
TICK_SECONDS = 1.0
PUBLISH_SECONDS = 5.0  # figures that do not change are said again before they are taken for old
CONNECT_SECONDS = 2.0


class ProxyAgent:
    """`start()` and `stop()`; until it has the lock it stands by."""

    def __init__(self, data_dir: Path):
        self._lock = Lock(PROXY_HOLD, LOCK_SECONDS)
        self._planes: dict[str, Plane] = {}
        self._socket = data_dir / "proxy" / "control.sock"
        self._telling = threading.Lock()
        self._tally = Tally()
        self._drains = drains.Drains(self._state)
        self._served = Served()
        self._taken: set[tuple[str, str]] = set()  # (cluster, address:port) of node ports that somebody else has
        self._published: dict[str, tuple[dict, float]] = {}  # cluster → the figures, and when (monotonic)
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._begun = False
        self._thread = threading.Thread(target=self._run, name="kube-proxy", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        self._thread.join(timeout=10)

    def _client(self, cluster: str) -> Client:
        return Client(cluster, NAME, fence=self._lock.fence)

    # What is wanted.

    def _tell(self, view: View) -> None:
        """The follower's: something has changed, so say what follows from it."""
        with self._telling:
            if self._begun:
                self._tell_planes(view)

    def _tell_planes(self, view: View) -> None:
        picture = picture_of(view)
        self._find_gateways(view)
        for plane in self._planes_of(view.name):
            plane.want(view.name, desired(picture, plane.kind))
        slices = [one for listed in picture.slices.values() for one in listed]
        self._served.see(view.name, slices)
        for one in slices:
            for uid, (namespace, name, node) in drains.ending([one]).items():
                pod = view.get(PODS.resource, namespace, name)
                if picture.runtimes.get(node) in REACHES[HOST] and pod and not is_true(pod, DRAINED):
                    self._drains.begin(drains.Drain(view.name, namespace, name, uid, time.monotonic()))
        self._woken.set()

    def _planes_of(self, cluster: str) -> list[Plane]:
        return [plane for name, plane in list(self._planes.items()) if name == HOST or name.startswith(f"{cluster}/")]

    def _started(self, cluster: str) -> list[Plane]:
        """Those that somebody has started: a worker alone has none on its host."""
        return [plane for plane in self._planes_of(cluster) if plane.name != HOST or self._socket.exists()]

    def _find_gateways(self, view: View) -> None:
        """Begin with those that are new, and leave those that no node speaks of any more."""
        wanted = {f"{view.name}/{address}": address for address in gateways_of(view)}
        known = {plane.name for plane in self._planes_of(view.name)} - {HOST}
        for name in known - wanted.keys():
            self._planes.pop(name).stop()
        for name in wanted.keys() - known:
            host, _, port = wanted[name].rpartition(":")
            connect = partial(socket.create_connection, (host, int(port)), CONNECT_SECONDS)
            self._add(name, "gateway", connect)

    def _add(self, name: str, kind: str, connect: Callable[[], socket.socket]) -> None:
        self._planes[name] = plane = Plane(name, kind, connect, gateway_token(), self._heard)
        plane.start()

    def _connect_host(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._socket))
        except OSError:
            connection.close()
            raise
        return connection

    # What is so.

    def _heard(self) -> None:
        if len(self._drains):
            self._woken.set()

    def _state(self, cluster: str, uid: str) -> drains.State | None:
        """As far as the data planes say; None if not all of them can be heard."""
        planes = self._started(cluster)
        if not all(plane.connected for plane in planes):
            return None
        counted = [plane.counted for plane in planes]
        taken_out = all(cluster in applied and not drains.asks(applied[cluster], uid) for applied, _ in counted)
        servers = [
            servers[uid] for _, scopes in counted for servers in scopes.get(cluster, {}).values() if uid in servers
        ]
        return taken_out, sum(server["inFlight"] for server in servers)

    # The main thread.

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._lock.acquire_if_able():
                self._act()
            else:
                self._stopping.wait(RENEW_SECONDS)
        connections.close_all()

    def _act(self) -> None:
        """Be the one who acts, until told to stop or until somebody else is."""
        log.info("kube-proxy begins")
        self._add(HOST, HOST, self._connect_host)
        self._begun = True
        follower = Follower(NAME, wants, self._tell)
        follower.start()
        try:
            self._turn()
        finally:
            follower.stop()
            with self._telling:
                self._begun = False
            planes, self._planes = list(self._planes.values()), {}
            for plane in planes:
                plane.stop()
            for plane in planes:
                plane.join()
            self._lock.release()
            log.info("kube-proxy ends")

    def _turn(self) -> None:
        renew = tick = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            try:
                close_old_connections()
                if now >= renew:
                    if not self._lock.acquire():
                        raise LostFence(self._lock.name)
                    renew = now + RENEW_SECONDS
                if now >= tick:
                    tick = now + TICK_SECONDS
                    self._tick(now)
                self._drains.settle(self._client, time.monotonic())
            except LostFence:
                log.warning("kube-proxy stops: another one has taken its place")
                return
            except (DatabaseError, ApiError, UnknownCluster) as error:
                log.warning("kube-proxy: %s", error)
                self._stopping.wait(TICK_SECONDS / 5)
            for plane in list(self._planes.values()):
                plane.hurry(self._drains.hurry(now))
            self._woken.wait(max(0.0, tick - time.monotonic()))
            self._woken.clear()

    def _tick(self, now: float) -> None:
        """Forget what is gone, and say what flows."""
        clusters = cluster_names()
        for name, plane in list(self._planes.items()):
            for gone in plane.counted[1].keys() - set(clusters):
                plane.want(gone, {})
            if name != HOST and name.partition("/")[0] not in clusters:
                self._planes.pop(name).stop()
        self._tally.take({name: plane.counted[1] for name, plane in list(self._planes.items())})
        # No figure is better than a wrong one: an autoscaler that reads none waits, one that reads zero scales down.
        heard = {cluster for cluster in clusters if not any(plane.silent for plane in self._started(cluster))}
        self._tally.note(now, heard)
        for cluster in heard:
            self._publish(cluster, now)
            self._served.settle(self._client(cluster), self._tally.asked(cluster))
        self._complain(clusters)

    def _complain(self, clusters: list[str]) -> None:
        """Say on a Service that its node port is taken; once, for as long as that is so."""
        refused = self._planes[HOST].refused
        taken = {
            (cluster, place): refused[cluster][place] for cluster in clusters for place in refused.get(cluster, ())
        }
        for cluster, place in taken.keys() - self._taken:
            client, port = self._client(cluster), int(place.rpartition(":")[2])
            message = f"port {port} of this machine cannot be listened on: {taken[cluster, place]}"
            services = [one for one in client.list(SERVICES) if port in node_ports(one)]
            client.events([(service, "Warning", "NodePortUnavailable", message) for service in services])
        self._taken = set(taken)

    def _publish(self, cluster: str, now: float) -> None:
        figures = self._tally.figures(cluster)
        before, when = self._published.get(cluster, ({}, 0.0))
        if figures != before or now - when > PUBLISH_SECONDS:
            metrics.publish(cluster, metrics.TRAFFIC, NAME, figures)
            self._published[cluster] = (figures, now)


def agent_of_environment() -> ProxyAgent | None:
    """Where there may be a kubelet of the lab's own engines: there the front door can be reached."""
    engines = os.environ.get("ORRERY_KUBELET", "").split(",")
    return ProxyAgent(settings.DATA_DIR) if any(engine and not name_of(engine) for engine in engines) else None
