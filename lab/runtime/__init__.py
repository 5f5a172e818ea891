"""What Kubernetes calls the container runtime: the verbs of its Container Runtime Interface (CRI), three times.

`docker` runs real containers, `process` real local processes, `simulated` neither and says so. May talk to an engine.
Must never know of Django, the store, or what a Deployment is; only `kubelet` opens this room.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from .lines import Lines as Lines
from .lines import LogOptions as LogOptions
from .services import BUILD_FAILED as BUILD_FAILED
from .services import Build as Build
from .services import Image as Image
from .services import ImageService as ImageService
from .services import Layer as Layer
from .services import VolumeService as VolumeService
from .stream import Stream as Stream


class RuntimeFailure(Exception):
    """The engine refused or failed. `reason` is Kubernetes' word for it, shown on the pod: `ErrImagePull`,
    `ErrImageNeverPull`, `InvalidImageName`, `CreateContainerError`, `RunContainerError`, `EngineUnavailable` …"""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason
        self.message = message


class StillMaking(RuntimeFailure):
    """It will take so many seconds more: repeat the call then. So a thousand simulated pods can start at once, and no
    thread waits for each. Only a Simulation says it, and only of a sandbox."""

    def __init__(self, seconds: float):
        super().__init__("StillMaking", f"it takes {seconds:.3f} s more")
        self.seconds = seconds


@dataclass(frozen=True)
class SandboxSpec:
    """A pod as the engine sees it: an address and a network that its containers share. `uid` is the pod's uid."""

    cluster: str
    node: str
    namespace: str
    name: str
    uid: str
    address: str = ""  # the IPv4 address the kubelet chose from the node's podCIDR
    hostname: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)  # the pod's own; the simulated runtime goes by some
    works: bool = False  # it belongs to a Job: a simulated one ends by itself
    host_ports: tuple[tuple[int, int, str], ...] = ()  # (host port, container port, "tcp" | "udp")
    cgroup_parent: str = ""
    dns_policy: str = "ClusterFirst"  # "Default": names as the engine's host knows them; "None": by dns_config alone
    dns_config: dict = field(default_factory=dict)  # the pod's own: nameservers, searches, options
    stranger: bool = False  # held to what somebody gets whom nobody knows, whatever it asks for

    @property
    def of_stranger(self) -> str:
        """Whose cluster it is in, where that is a stranger's."""
        return self.cluster if self.stranger else ""


EMPTY_DIR = "kubernetes.io~empty-dir"  # the folder of a pod's emptyDirs, among its volumes


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host (`source`, absolute) seen at `target` in the container; or a volume of the engine:
    then `source` is what `ensure_volume` has answered."""

    source: str
    target: str
    read_only: bool = False
    volume: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """One container of a pod, with everything resolved: no ConfigMap, Secret or field reference is left in it."""

    name: str
    image: str
    command: tuple[str, ...] = ()  # Kubernetes' command: replaces the image's entrypoint
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    working_dir: str = ""
    cpu_request_millis: int = 0
    cpu_limit_millis: int = 0  # 0: no limit
    memory_limit_bytes: int = 0  # 0: no limit
    mounts: tuple[Mount, ...] = ()
    attempt: int = 0  # how many times this container was started before, in this pod
    init: bool = False
    sidecar: bool = False  # an init container that stays, instead of ending before the next one starts
    user: str = ""
    read_only_root: bool = False
    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False  # its input ends when the first who talked to it hangs up
    processes_of: str = ""  # the sandbox or container, by id, whose processes it sees; else only its own
    capabilities_added: tuple[str, ...] = ()  # beyond what every container may; as `NET_BIND_SERVICE`
    capabilities_dropped: tuple[str, ...] = ()  # or `ALL`


@dataclass(frozen=True)
class Container:
    """What the engine says of a container. Times are seconds since the epoch, 0 where it has not happened."""

    id: str
    name: str
    attempt: int
    state: str  # "created" | "running" | "exited"
    image: str = ""
    image_id: str = ""
    init: bool = False
    exit_code: int = 0
    signal: int = 0
    oom_killed: bool = False
    message: str = ""
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0


@dataclass(frozen=True)
class Sandbox:
    """What the engine says of a pod, containers newest first."""

    id: str
    cluster: str
    node: str
    namespace: str
    name: str
    uid: str
    ready: bool  # its network stands; if not, the sandbox and all its containers must be made anew
    address: str = ""
    created_at: float = 0.0
    containers: tuple[Container, ...] = ()


def newest_first(sandboxes: Iterable[Sandbox]) -> list[Sandbox]:
    """Those of one pod. One whose network stands comes before any that has to be made anew."""
    return sorted(sandboxes, key=lambda sandbox: (not sandbox.ready, -sandbox.created_at))


@dataclass(frozen=True)
class RuntimeEvent:
    """Something of this pod has changed; lost, it is missed no longer than until the next look at the engine. `kind`
    "relist": look at everything. "oom" comes before the "died" that it leads to."""

    kind: str  # "started" | "died" | "oom" | "removed" | "sandbox-died" | "relist"
    uid: str = ""
    container_id: str = ""  # or the sandbox's
    exit_code: int | None = None  # of a "died", if the engine says so at once
    at: float = 0.0  # when, in seconds since the epoch


class Runtime(Protocol):
    """One engine. Every call may raise RuntimeFailure, has a timeout, and is safe to repeat: to stop what is
    stopped, or to remove what is gone, succeeds. Safe to call from several threads."""

    name: str  # "docker" | "process" | "simulated"
    engine: str  # among all of the lab's: its name, and "docker.b" for the Docker engine called b

    @property
    def images(self) -> ImageService: ...

    @property
    def volumes(self) -> VolumeService: ...

    def version(self) -> str:
        """`docker://20.10.24`: what a Node says in status.nodeInfo.containerRuntimeVersion."""

    def ensure_network(self, cluster: str, closed: bool = False) -> str:
        """Make the cluster's network if it is missing; its range, as `10.101.0.0/16`. `closed`: nothing of this machine
        is reached from it but the API."""

    def ensure_gateway(self, cluster: str, token: str, closed: bool = False) -> str:
        """Make what the cluster's network needs so that its Services have addresses and names in it, a data plane of
        its own; where that is told what to do (`host:port`, shown `token`), or "" if there is nothing to make.
        `closed`: nothing leads out of that network."""

    def remove_gateways(self) -> None:
        """The data planes of all clusters."""

    def networks(self) -> list[str]:
        """The clusters that have one here."""

    def remove_network(self, cluster: str) -> None:
        """With its gateway. One that somebody is still in stays."""

    def set_node_capacity(self, cluster: str, node: str, cpu_millis: int, memory_bytes: int) -> str:
        """Make the node's slice of the engine, where the engine can enforce one; the cgroup parent, or ""."""

    def run_pod_sandbox(self, spec: SandboxSpec) -> str: ...

    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what still runs in it at once and give its network up."""

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Remove it with all its containers."""

    def list_pods(self) -> list[Sandbox]:
        """Everything that this lab made on this engine, in one or two calls: of a thousand containers it takes Docker
        half a second of a processor."""

    def list_pod(self, uid: str) -> list[Sandbox]:
        """What `list_pods` says of one pod, newest first: a hundredth of that."""

    def create_container(self, sandbox_id: str, pod: SandboxSpec, spec: ContainerSpec) -> str: ...

    def start_container(self, container_id: str) -> None: ...

    def stop_container(self, container_id: str, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL once the grace is over, or at once without any; returns when it has ended."""

    def kill_container(self, container_id: str, signal: str = "KILL") -> None:
        """Send the process a signal and do nothing else. SIGKILL is the fault that self-healing is there for."""

    def remove_container(self, container_id: str) -> None: ...

    def exec(self, container_id: str, command: list[str], stdin: bool = False, tty: bool = False) -> Stream:
        """Start a command, to talk to. One that cannot be started ends at once, with 126 or 127 as in a shell."""

    def attach(self, container_id: str, stdin: bool = False) -> Stream:
        """Talk to the container's own process, from now on."""

    def logs(self, container_id: str, wanted: LogOptions) -> Lines:
        """Lines as they were written, each with its newline. Ends with the container, or at once if not `follow`."""

    def set_partitioned(self, sandbox_id: str, partitioned: bool) -> None:
        """Cut the pod off its network, or plug it in again with the same address."""

    def stats(self) -> dict[str, tuple[int, int]]:
        """container id → (CPU nanoseconds used since its start, memory bytes in use), without polling the engine."""

    def listen(self, on_event: Callable[[RuntimeEvent], None], stopped: Callable[[], bool]) -> None:
        """Block and call `on_event` for what happens on the engine, until `stopped()`. After every (re)connection
        the first event is "relist". Survives the engine's restart."""

    def remove_everything(self, keep: Collection[str] = ()) -> list[str]:
        """Remove every container, network and image that this lab made; what was removed, in words. Volumes stay, and
        so do images called in `keep`, where they were built and cannot be had again."""


@dataclass(frozen=True)
class Answer:
    """What a simulated container answers to a probe, and for how many seconds it will answer nothing else."""

    success: bool
    message: str = ""
    holds: float = math.inf


@runtime_checkable
class Simulation(Runtime, Protocol):
    """What a runtime has besides, if its pods exist nowhere but in its memory: nothing listens at their addresses, and
    they are forgotten when its process ends. The kubelet asks it what a probe would hear, and tells it what was there.
    """

    def probe(self, container_id: str, kind: str) -> Answer:
        """`kind` is "startup", "liveness", "readiness" or (a lifecycle hook) "hook"."""

    def adopt(self, pod: SandboxSpec, sandbox: Sandbox, containers: Mapping[str, ContainerSpec]) -> None:
        """This pod was there before this process began; let it go on. `containers`: by name, as far as is known."""


@runtime_checkable
class Linkable(Runtime, Protocol):
    """What a runtime has besides, if the nodes of one cluster may stand on several engines of its kind."""

    def share_network(self, cluster: str, subnet: str, closed: bool = False) -> None:
        """`ensure_network` for a cluster that has its network elsewhere already, in the same range."""

    def open_link(self, cluster: str, engine: str, ranges: Collection[str]) -> Stream:
        """What this network has for that engine, where nodes have these ranges, comes out of the stream; what is
        written to it is put into the network. The two ends of a link understand each other, and nobody else them."""
