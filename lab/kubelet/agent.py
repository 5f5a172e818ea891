"""One kubelet: everything of one runtime, from taking its lock to giving it back.

Two streams come in, the log of the API (what should be) and the engine's events (what is), and each only says "look
at this pod again". Both are only hints: the log is read each second anyway, the engine listed every twenty.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from lab.apimachinery.errors import ApiError
from lab.apimachinery.meta import key_of
from lab.apimachinery.wheels import BROKEN, STEP
from lab.client import Client, LostFence, UnknownCluster, cluster_names
from lab.client.wheels import note_steps
from lab.runtime import Linkable, Runtime, RuntimeFailure

from .addresses import AddressPool
from .backoff import Backoff
from .desired import DesiredState
from .enginevolumes import EngineVolumes
from .heart import RENEW_SECONDS, Heart
from .images import Images
from .leavings import Leavings
from .links import Links
from .neighbours import Neighbours
from .nodeagent import NodeAgent
from .nodes import NodeRecord, NodeTable
from .occasions import Occasion
from .parts import Parts
from .pleg import Pleg
from .podsync import PodSync
from .podworkers import PodWorkers
from .prober import Prober
from .records import PodRecord, PodTable
from .scratch import ScratchWatch
from .startcontainer import RETRY_SECONDS
from .statuswriter import StatusWriter
from .tokens import Tokens
from .usage import Usage

log = logging.getLogger(__name__)
TICK_SECONDS = 1.0
SYNC_THREADS = 64
ENDING_THREADS = 64


class Agent:
    """The kubelet of all nodes that one runtime runs. `start()` and `stop()`; everything else happens in threads.

    `url` says where the HTTP server of this process listens, once it does.
    """

    def __init__(self, runtime: Runtime, data_dir: Path, url: Callable[[], str] = lambda: ""):
        self.runtime = runtime
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._begun = False  # until it has the lock it stands by, and touches nothing
        clock = settings.CLOCK
        self.heart = Heart(runtime.engine, self._beat, clock["node_lease_renew"], self._give_up)
        nodes, neighbours = NodeTable(), Neighbours(runtime.engine)
        common = connections.close_all, self._share_of
        self.workers = PodWorkers(f"{runtime.engine}-pod", self._sync, SYNC_THREADS, *common)
        self.endings = PodWorkers(f"{runtime.engine}-end", self._end, ENDING_THREADS, *common)
        self.parts = Parts(
            runtime=runtime,
            data_dir=data_dir,
            client=self._client,
            pods=PodTable(),
            nodes=nodes,
            neighbours=neighbours,
            images=Images(runtime.images, Backoff(clock["image_backoff_first"], clock["image_backoff_most"])),
            volumes=EngineVolumes(runtime, self._client),
            tokens=Tokens(self._client),
            prober=Prober(runtime, self._verdict_changed, self._probe_failed, self._is_paused),
            writer=StatusWriter(self._client, self._give_up),
            crashes=Backoff(clock["crash_backoff_first"], clock["crash_backoff_most"]),
            wake=self.workers.add,
        )
        self.podsync = PodSync(self.parts, self.endings.add)
        self.nodeagent = NodeAgent(
            runtime, self._client, nodes, neighbours, clock["node_grace"], url, self._node_prepared, self._woken.set
        )
        self.desired = DesiredState(self.parts, runtime.engine, self._node_changed, self._hurry)
        self.links = Links(runtime, neighbours, self.desired.is_strangers) if isinstance(runtime, Linkable) else None
        self.pleg = Pleg(
            self.parts, self.workers, self.desired.may_remove, self.nodeagent.look_at_engine, self._woken.set
        )
        self.scratch = ScratchWatch(self.parts)
        self.leavings = Leavings(runtime)
        self.usage = Usage(runtime, self.parts.pods, nodes)
        self._clients: dict[str, Client] = {}
        self._thread = threading.Thread(target=self._run, name=f"kubelet-{runtime.engine}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop looking after the pods, which go on running, and let another agent take over at once."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(timeout=10)

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    @property
    def acts(self) -> bool:
        """Whether it has the lock; else it stands by."""
        return self._begun and not self.stopped

    @property
    def trouble(self) -> str:
        """Why the engine cannot be used, or its pods cannot be reached; "" if all is well."""
        return self.nodeagent.trouble or (self.links.trouble if self.links else "")

    def catch_up(self, cluster: str) -> None:
        """A hint: the log of that cluster has grown."""
        if self._begun:
            self.desired.catch_up(cluster, self._client(cluster))

    def _client(self, cluster: str) -> Client:
        if cluster not in self._clients:
            self._clients[cluster] = Client(cluster, "kubelet", fence=self.heart.lock.fence)
        return self._clients[cluster]

    # The main thread: the nodes, and the slow looks that make hints harmless to lose.

    def _run(self) -> None:
        while not self.heart.lock.acquire_if_able():
            if self._stopping.wait(RENEW_SECONDS):
                connections.close_all()
                return
        log.info("kubelet for %s begins", self.runtime.engine)
        try:
            self._begin()
            self._tick()
            self.pleg.start()  # what should be is known now, so what else there is on the engine can go
            while not self.stopped:
                self._tick()
                self.usage.look()
                self._woken.wait(TICK_SECONDS)
                self._woken.clear()
        finally:
            self._stopping.set()
            self._end_all()

    def _begin(self) -> None:
        self._begun = True
        self.heart.start()
        self.parts.prober.start()
        self.parts.writer.start()
        self.scratch.start()
        self.nodeagent.look_at_engine()
        self.nodeagent.gateways.start()
        if self.links:
            self.links.start()

    def _beat(self) -> None:
        for cluster in cluster_names():
            if self.desired.has_read(cluster):
                with self._alone(cluster):
                    self.nodeagent.renew(cluster)

    def _tick(self) -> None:
        """One round. The database or the engine may be away; then the next round tries again."""
        try:
            close_old_connections()
            clusters = cluster_names()
            for cluster in clusters:
                with self._alone(cluster):
                    self.catch_up(cluster)
            self.desired.keep_only(clusters)
            for cluster in clusters:
                with self._alone(cluster):
                    self.nodeagent.report(cluster)
                    self.parts.volumes.reclaim(cluster)
            self.nodeagent.prune(self.desired.leaves_unused)
            self.leavings.clear()
        except LostFence:
            self._give_up("another one has taken its place")
        except (DatabaseError, ApiError, UnknownCluster, RuntimeFailure) as error:
            log.warning("kubelet for %s: %s", self.runtime.engine, error)

    @contextlib.contextmanager
    def _alone(self, cluster: str) -> Iterator[None]:
        """What is wrong with one cluster is no reason to leave the others; what is wrong with us all is."""
        try:
            yield
        except (LostFence, DatabaseError, RuntimeFailure):
            raise
        except (ApiError, UnknownCluster) as error:
            log.info("kubelet for %s: %s: %s", self.runtime.engine, cluster, error)
        except Exception:
            log.exception("kubelet for %s: %s", self.runtime.engine, cluster)

    def _end_all(self) -> None:
        self.pleg.stop()
        self.scratch.stop()
        self.nodeagent.gateways.stop()
        if self.links:
            self.links.stop()
        self.workers.stop()
        self.endings.stop()
        self.parts.writer.stop()
        self.parts.prober.stop()
        self.parts.images.stop()
        self.heart.stop()
        self.pleg.join(5)
        connections.close_all()
        log.info("kubelet for %s ends", self.runtime.engine)

    def _give_up(self, why: str) -> None:
        log.warning("kubelet for %s stops: %s", self.runtime.engine, why)
        self._stopping.set()
        self._woken.set()

    # What probes say.

    def _verdict_changed(self, uid: str) -> None:
        record = self.parts.pods.get(uid)
        if record:
            self.workers.add(uid, urgent=True)

    def _probe_failed(self, uid: str, message: str) -> None:
        record = self.parts.pods.get(uid)
        if record:
            self.parts.teller(record)("Warning", "Unhealthy", message)

    def _is_paused(self, uid: str) -> bool:
        record = self.parts.pods.get(uid)
        node = self.parts.nodes.get(record.cluster, record.node) if record else None
        return bool(node and node.turning.paused)

    # Pods and nodes.

    def _share_of(self, uid: str) -> str:
        """Whose part of the threads a pod takes: a stranger's cluster has but one."""
        record = self.parts.pods.get(uid)
        return record.cluster if record and self.desired.is_strangers(record.cluster) else ""

    def _sync(self, uid: str) -> float | None:
        close_old_connections()
        record = self.parts.pods.get(uid)
        node = self.parts.nodes.get(record.cluster, record.node) if record else None
        if record and node and not (node.off or record.ending or record.ended):
            if not node.turning.takes(uid):
                return self._hold_back(record, node)
            if node.turning.wheel.mode == STEP:
                note_steps(self._client(record.cluster), node.turning.wheel, [key_of(record.pod)])
        return self.podsync.sync(uid)

    def _hold_back(self, record: PodRecord, node: NodeRecord) -> float | None:
        """Its kubelet's wheel does not let it be synced now."""
        record.dirty = True
        if node.turning.wheel.mode == BROKEN:
            self.parts.teller(record)("Warning", "FailedSync", node.turning.wheel.fault)
        return node.turning.rest

    def _end(self, uid: str) -> float | None:
        record = self.parts.pods.get(uid)
        if record is None or record.ended:
            return None
        try:
            self.podsync.ending.end(record)
        except RuntimeFailure as failure:
            log.info("%s cannot be stopped yet: %s", record.address, failure.message)
            return RETRY_SECONDS
        return None

    def _hurry(self, uid: str) -> None:
        record = self.parts.pods.get(uid)
        if record and record.ending:
            self.podsync.ending.hurry(record)

    def _node_prepared(self, node: NodeRecord, pool: AddressPool) -> None:
        """Its pods can be started; those that were there before us keep their addresses from those that are new."""
        for record in self.parts.pods.of_node(node.cluster, node.name):
            pool.keep(record.pod)
        self._look_at_pods_of(node)

    def _node_changed(self, node: NodeRecord) -> None:
        """Its power or its network: every pod of it has to be looked at, on or off, cut off or not."""
        for record in self.parts.pods.of_node(node.cluster, node.name):
            record.occasion = Occasion(int(node.node["metadata"]["resourceVersion"]))
        self._look_at_pods_of(node)

    def _look_at_pods_of(self, node: NodeRecord) -> None:
        for record in self.parts.pods.of_node(node.cluster, node.name):
            self.pleg.look_again(record.uid, urgent=True)
        self._woken.set()
