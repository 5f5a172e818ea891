"""The verbs of the runtime on Docker."""

import math
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker.errors import APIError, ImageNotFound

from lab.runtime import (
    Container,
    ContainerSpec,
    Lines,
    LogOptions,
    RuntimeEvent,
    RuntimeFailure,
    Sandbox,
    SandboxSpec,
    Stream,
    newest_first,
)

from . import execs, labels, listing, strangers, streams
from .cgroups import Cgroups
from .configs import container_config, container_name, network_name, sandbox_config, sandbox_name
from .deaths import Deaths
from .engine import UNAVAILABLE, Engine, failing_as, words
from .firewall import Firewall
from .folders import Folders
from .gate import BEGIN, FINISH, HEAL, StartGate
from .gateway import Gateways
from .images import Images
from .link import Links
from .making import PAUSE
from .network import Networks
from .removing import DEAD, remove
from .volumes import Volumes

STARTS_AT_ONCE = 8
SANDBOX_FAILED = "FailedCreatePodSandBox"


class DockerRuntime:
    """A lab's view of the Docker engine at DOCKER_HOST or the usual socket; see `lab.runtime.Runtime` for the verbs.

    It can be made before the engine answers. The kubelet chooses every address.
    """

    name = "docker"

    def __init__(self, lab_id: str, data_dir: Path, engine: str = "docker"):
        self._lab_id, self.engine, self._engine = lab_id, engine, Engine()
        self.images = Images(self._engine, lab_id)
        self._networks = Networks(self._engine, lab_id, engine)
        self._firewall = Firewall(self._engine, lab_id, self.images.maker)
        self._cgroups = Cgroups(self._engine, lab_id)
        self._gate, self._deaths = StartGate(STARTS_AT_ONCE), Deaths(self._engine, lab_id)
        self._folders = Folders(self._engine, data_dir, engine != self.name)
        self.volumes = Volumes(self._engine, lab_id, self.images.maker, self._folders)
        self._gateways = Gateways(self._engine, lab_id, self._networks, self.images.maker, self._gate)
        self._links = Links(self._engine, lab_id, self._networks, self.images.maker)
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="docker")
        self._turns: dict[str, tuple[int, str]] = {}  # container → how it waits for its start
        # id → (phase when inspected, what was found, its cgroup parent): containers change seldom, lists are frequent.
        self._inspected: dict[str, tuple[str, Container, str]] = {}
        self._made: dict[str, str] = {}  # id → cgroup parent of those that were not listed yet

    def version(self) -> str:
        with failing_as(UNAVAILABLE):
            return f"docker://{self._engine.client.version()['Version']}"

    def ensure_network(self, cluster: str, closed: bool = False) -> str:
        return self._ensure_network(cluster, closed)

    def share_network(self, cluster: str, subnet: str, closed: bool = False) -> None:
        found = self._ensure_network(cluster, closed, subnet)
        if found != subnet:  # it was a network by itself; it makes room if nobody is in it
            self.remove_network(cluster)
            found = self._ensure_network(cluster, closed, subnet)
        if found != subnet:
            raise RuntimeFailure("NetworkNotReady", f"there are pods in {found} here yet: it cannot join {subnet}")

    def _ensure_network(self, cluster: str, closed: bool, wanted: str = "") -> str:
        if closed:
            self._firewall.close()
            self._cgroups.set_cluster(cluster, strangers.CLUSTER_BYTES, strangers.CLUSTER_PROCESSES)
        return self._networks.ensure(cluster, closed, wanted)

    def open_link(self, cluster: str, engine: str, ranges: Collection[str]) -> Stream:
        return self._links.open(cluster, engine, ranges)

    def ensure_gateway(self, cluster: str, token: str, closed: bool = False) -> str:
        return self._gateways.ensure(cluster, token, closed)

    def remove_gateways(self) -> None:
        self._gateways.remove()

    def networks(self) -> list[str]:
        return self._networks.clusters()

    def remove_network(self, cluster: str) -> None:
        self._gateways.remove(cluster)
        self._links.remove(cluster)
        self._networks.remove(network_name(self._lab_id, cluster))
        self._cgroups.remove(cluster)

    def set_node_capacity(self, cluster: str, node: str, cpu_millis: int, memory_bytes: int) -> str:
        return self._cgroups.set_node(cluster, node, cpu_millis, memory_bytes)

    def run_pod_sandbox(self, spec: SandboxSpec) -> str:
        with self._gate.slot(BEGIN, spec.of_stranger):
            for last in (False, True):
                sandbox_id = self._create_sandbox(spec)
                try:
                    with failing_as(SANDBOX_FAILED):
                        self._engine.client.start(sandbox_id)
                    return sandbox_id
                except RuntimeFailure as failure:
                    # A start that failed leaves a created container with the pod's name: in the way of the next try.
                    self.remove_pod_sandbox(sandbox_id)
                    if last or "network" not in failure.message or "not found" not in failure.message:
                        raise
                    self._networks.ensure(spec.cluster, spec.stranger)
        raise AssertionError("unreachable")

    def _create_sandbox(self, spec: SandboxSpec) -> str:
        places, name = self._networks.places(spec.cluster, spec.stranger), sandbox_name(spec)
        config = sandbox_config(self._lab_id, spec, PAUSE, places, self._folders.of_sandbox(spec))
        with failing_as(SANDBOX_FAILED):
            try:
                return self._create(config, name)
            except ImageNotFound:
                self.images.maker.make_pause()
            except APIError as error:
                if error.status_code != 409:
                    raise
                row = self._of_that_name(name)
                if row["State"]["Running"]:
                    return row["Id"]
                self.remove_pod_sandbox(row["Id"])
            return self._create(config, name)

    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        self._each(lambda id: self.stop_container(id, 0), [sandbox_id, *self._members(sandbox_id)])

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        self._each(self.remove_container, self._members(sandbox_id))
        self.remove_container(sandbox_id)

    def list_pods(self) -> list[Sandbox]:
        remembered = {*self._inspected, *self._turns}  # what is made meanwhile is in no list yet
        rows, containers = self._listed(labels.pods_of(self._lab_id))
        for gone in remembered - containers.keys():
            self._inspected.pop(gone, None)
            self._turns.pop(gone, None)
        for listed in set(self._made) & self._inspected.keys():
            self._made.pop(listed, None)
        return listing.sandboxes(rows, containers)

    def list_pod(self, uid: str) -> list[Sandbox]:
        return newest_first(listing.sandboxes(*self._listed(labels.filter_of(self._lab_id, uid=uid))))

    def _listed(self, filters: dict[str, list[str]]) -> tuple[list[dict], dict[str, Container]]:
        rows = [row for row in self._rows(filters) if row["State"] != DEAD]
        return rows, {row["Id"]: found for row in rows if not listing.is_sandbox(row) and (found := self._look(row))}

    def _look(self, row: dict) -> Container | None:
        known = self._inspected.get(row["Id"])
        phase = listing.phase(row)
        if known and known[0] == phase:
            return known[1]
        with failing_as(UNAVAILABLE, gone_is_fine=True):
            inspected = self._engine.client.inspect_container(row["Id"])
            found = listing.container(inspected)
            if phase != "created":  # a refused start changes what is told of it, not its phase
                self._inspected[row["Id"]] = (phase, found, inspected["HostConfig"]["CgroupParent"])
            return found
        return None

    def create_container(self, sandbox_id: str, pod: SandboxSpec, spec: ContainerSpec) -> str:
        cpu_millis = self._cgroups.grant(pod.cgroup_parent, spec.cpu_limit_millis)
        asked = container_config(self._lab_id, sandbox_id, pod, spec, cpu_millis)
        held = strangers.held(asked, self.images.volumes(spec.image)) if pod.stranger else asked
        config = self._folders.bound(sandbox_id, pod.uid, held)
        name, turn = container_name(pod, spec), (HEAL if spec.attempt else FINISH, pod.of_stranger)
        with failing_as("CreateContainerError"), self._gate.slot(*turn):
            try:
                container_id = self._create(config, name)
            except APIError as error:
                if error.status_code != 409:
                    raise
                self.remove_container(self._of_that_name(name)["Id"])
                container_id = self._create(config, name)
        self._turns[container_id] = turn
        self._made[container_id] = pod.cgroup_parent
        return container_id

    def _create(self, config: dict, name: str) -> str:
        return self._engine.client.create_container_from_config(config, name=name)["Id"]

    def _of_that_name(self, name: str) -> dict:
        """What has a name that we want, from a try whose answer was lost. Raises RuntimeFailure if it is not ours."""
        row = self._engine.client.inspect_container(name)
        if row["Config"]["Labels"].get(labels.LAB) != self._lab_id:
            raise RuntimeFailure("CreateContainerError", f'the name "{name}" is in use by container {row["Id"][:12]}')
        return row

    def start_container(self, container_id: str) -> None:
        with failing_as("RunContainerError"), self._gate.slot(*self._turns.get(container_id, (FINISH, ""))):
            self._engine.client.start(container_id)
        self._turns.pop(container_id, None)

    def stop_container(self, container_id: str, grace_seconds: float) -> None:
        with failing_as("KillContainerError", gone_is_fine=True):
            if grace_seconds > 0:
                self._engine.client.stop(container_id, timeout=math.ceil(grace_seconds))
            else:
                self._tell(container_id, "KILL")

    def kill_container(self, container_id: str, signal: str = "KILL") -> None:
        with failing_as("KillContainerError", gone_is_fine=True):
            if signal != "KILL" or not self._deaths.kill(container_id):
                self._tell(container_id, signal)

    def _tell(self, container_id: str, signal: str) -> None:
        """By the engine, which returns from SIGKILL when the container has ended."""
        try:
            self._engine.client.kill(container_id, signal)
        except APIError as error:
            if "is not running" not in words(error):
                raise

    def remove_container(self, container_id: str) -> None:
        self._made.pop(container_id, None)
        with failing_as("RemoveContainerError", gone_is_fine=True):
            remove(self._engine.client, container_id)

    def exec(self, container_id: str, command: list[str], stdin: bool = False, tty: bool = False) -> Stream:
        return execs.exec_(self._engine, container_id, command, stdin, tty)

    def attach(self, container_id: str, stdin: bool = False) -> Stream:
        return execs.attach(self._engine, container_id, stdin)

    def logs(self, container_id: str, wanted: LogOptions) -> Lines:
        return streams.logs(self._engine, container_id, wanted)

    def set_partitioned(self, sandbox_id: str, partitioned: bool) -> None:
        with failing_as("NetworkNotReady"):
            client = self._engine.client
            row = client.inspect_container(sandbox_id)
            about = row["Config"]["Labels"]
            network = network_name(self._lab_id, about[labels.CLUSTER])
            attached = network in row["NetworkSettings"]["Networks"]
            if partitioned and attached:
                client.disconnect_container_from_network(sandbox_id, network, force=True)
            elif not partitioned and not attached:
                client.connect_container_to_network(sandbox_id, network, ipv4_address=about[labels.ADDRESS] or None)

    def stats(self) -> dict[str, tuple[int, int]]:
        """Of the containers that ran when they were last listed, and those made since; {} where the engine's cgroups
        cannot be read."""
        running = {key: parent for key, (_, seen, parent) in self._inspected.copy().items() if seen.state == "running"}
        return self._cgroups.usages({**self._made.copy(), **running}) if self._engine.on_this_host() else {}

    def listen(self, on_event: Callable[[RuntimeEvent], None], stopped: Callable[[], bool]) -> None:
        with self._deaths.told_once(on_event) as hear:
            streams.listen(self._engine, self._lab_id, hear, stopped)

    def remove_everything(self, keep: Collection[str] = ()) -> list[str]:
        rows = self._rows(labels.filter_of(self._lab_id))
        # Applications first: without its pause container the engine would have to guess whose network they are in.
        for kind in (False, True):
            self._each(self.remove_container, [row["Id"] for row in rows if listing.is_sandbox(row) is kind])
        self._each(self.remove_container, self.images.maker.remains())
        networks, closed = self._networks.names(), self._networks.has_closed()
        for network in networks:
            self._networks.remove(network)
        if closed:
            self._firewall.open()
        self._cgroups.remove()
        left = {row["Id"] for row in self._rows(labels.filter_of(self._lab_id))} | set(self._networks.names())
        return [
            *(f"container {row['Names'][0].lstrip('/')}" for row in rows if row["Id"] not in left),
            *(f"network {network}" for network in networks if network not in left),
            *(f"image {image}" for image in self.images.maker.remove_made(keep)),
        ]

    def _members(self, sandbox_id: str) -> list[str]:
        return [row["Id"] for row in self._rows(labels.filter_of(self._lab_id, sandbox=sandbox_id))]

    def _rows(self, filters: dict[str, list[str]]) -> list[dict]:
        with failing_as(UNAVAILABLE):
            return self._engine.client.containers(all=True, filters=filters)

    def _each(self, do: Callable[[str], None], ids: list[str]) -> None:
        """All at once: the engine takes a tenth of a second for each, mostly waiting."""
        if len(ids) == 1:
            do(ids[0])
        else:
            list(self._pool.map(do, ids))
