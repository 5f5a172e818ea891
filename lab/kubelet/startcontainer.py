"""Starting one container: image, volumes, environment, create, start, postStart, probes. Kubernetes' startContainer."""

import os
import time

from django.conf import settings

from lab.apimachinery.kinds import JOBS, SERVICES
from lab.apimachinery.meta import controller_of
from lab.apimachinery.services import API_ADDRESS, API_PORT
from lab.runtime import Container, ContainerSpec, RuntimeFailure, SandboxSpec, Simulation

from . import volumes
from .actions import Start
from .containers import container_spec
from .ending import PodEnding
from .environment import ConfigError
from .handlers import Target
from .nodes import NodeRecord
from .nodestatus import host_address
from .parts import Parts
from .pods import containers, find_container, grace_seconds
from .records import PodRecord
from .scratch import check_claim
from .serviceenv import api_environment, proxy_environment, service_environment
from .status import Waiting, of_name
from .volumes import MountError

RETRY_SECONDS = 2.0
CONFIG_RETRY_SECONDS = 10.0  # only a backstop: a ConfigMap or Secret that appears wakes the pod
FAILURE_SHOWN_SECONDS = 1.0
POST_START_SECONDS = 300.0


class NotYet(Exception):
    """The container cannot be started now; the record says why. Look again after `seconds`."""

    def __init__(self, seconds: float):
        super().__init__(seconds)
        self.seconds = seconds


class ContainerStarter:
    def __init__(self, parts: Parts, ending: PodEnding):
        self._parts = parts
        self._ending = ending

    def start(self, record: PodRecord, node: NodeRecord, start: Start) -> None:
        """Start it, or raise NotYet. The record's sandbox has the new container afterwards."""
        container, name = start.container, start.container["name"]
        pod = _addressed(record)
        folders = self._mount(record, pod, node)
        self._get_image(record, node, container)
        spec = self._spec(record, pod, node, start, folders)
        if start.attempt:
            self._parts.crashes.grow(f"{record.uid}/{name}")
        tell = self._parts.teller(record)
        try:
            sandbox = sandbox_spec(record, node, record.standing.address)
            with record.noted("CreateContainer", container=name):
                created = self._parts.runtime.create_container(record.standing.id, sandbox, spec)
            tell("Normal", "Created", f"Created container: {name}")
            now = time.time()
            with record.noted("StartContainer", container=name):
                self._parts.runtime.start_container(created)
        except RuntimeFailure as failure:
            record.dirty = True
            self._parts.images.recheck()
            self._wait_because(record, name, failure)
        tell("Normal", "Started", f"Started container {name}")
        record.waiting.pop(name, None)
        record.backing_off.pop(name, None)
        image_id = self._parts.images.id_of(container["image"])
        running = Container(
            created, name, start.attempt, "running", container["image"], image_id, start.init,
            created_at=now, started_at=now,
        )  # fmt: skip
        record.containers = (running, *record.containers)
        self._post_start(record, container, running)
        self.watch(record, running, was_ready=False)

    def begin_pull(self, record: PodRecord, node: NodeRecord, start: Start) -> None:
        """Have its image pulled, if it must be, while something else is done."""
        tell, uid = self._parts.teller(record), record.uid
        self._parts.images.begin(uid, start.container, tell, lambda: self._parts.wake(uid), not node.stranger)

    def watch(self, record: PodRecord, running: Container, was_ready: bool) -> None:
        """Have its probes run from now on."""
        container = find_container(record.pod, running.name)
        if container:
            target = Target(container, running.id, record.standing.address, record.cluster)
            self._parts.prober.watch(record.uid, target, running.started_at, was_ready)

    def refresh_volumes(self, record: PodRecord, node: NodeRecord) -> None:
        """Bring what has changed into running containers, or a new token. What fails is tried with their next start."""
        if record.sandbox:
            try:
                self._set_up(record, record.pod, node)
                self._parts.runtime.volumes.share(record.sandbox.id, record.uid)
            except (MountError, RuntimeFailure) as error:
                self._parts.teller(record)("Warning", "FailedMount", str(error))

    def _get_image(self, record: PodRecord, node: NodeRecord, container: dict) -> None:
        images, name = self._parts.images, container["name"]
        try:
            waiting = images.ensure(
                *(record.uid, container, self._parts.teller(record), lambda: self._parts.wake(record.uid)),
                abroad=not node.stranger,
            )
        except RuntimeFailure as failure:
            self._wait_because(record, name, failure)
        if not waiting:
            if since := record.pulling.pop(name, None):
                record.note("PullImage", since, container=name)
        else:
            record.pulling.setdefault(name, time.time())
            record.waiting[name] = waiting
            left = images.remaining(container["image"])
            if left and waiting.reason != "ImagePullBackOff":  # the failure itself is shown, and a moment later this
                left = min(left, FAILURE_SHOWN_SECONDS)
            raise NotYet(min(left or CONFIG_RETRY_SECONDS, CONFIG_RETRY_SECONDS))

    def _mount(self, record: PodRecord, pod: dict, node: NodeRecord) -> volumes.Sources:
        """The pod's volumes, without which not even an image is looked for. Raises NotYet where one is missing."""
        try:
            return self._set_up(record, pod, node)
        except MountError as error:
            self._parts.teller(record)("Warning", "FailedMount", str(error))
            raise NotYet(RETRY_SECONDS) from error

    def _spec(
        self, record: PodRecord, pod: dict, node: NodeRecord, start: Start, folders: volumes.Sources
    ) -> ContainerSpec:
        """The engine's order for the container. Raises NotYet where something that it refers to is missing."""
        tell, find = self._parts.teller(record), self._parts.finder(record)
        try:
            return container_spec(
                *(pod, start.container, start.attempt, start.init, folders, find, node.allocatable),
                self._given(record),
                _processes_of(record, start.container),
                self._parts.images.user_of(start.container["image"]),
            )
        except MountError as error:
            tell("Warning", "FailedMount", str(error))
            raise NotYet(RETRY_SECONDS) from error
        except ConfigError as error:
            record.waiting[start.container["name"]] = Waiting("CreateContainerConfigError", str(error))
            tell("Warning", "Failed", f"Error: {error}")
            raise NotYet(CONFIG_RETRY_SECONDS) from error

    def _set_up(self, record: PodRecord, pod: dict, node: NodeRecord) -> volumes.Sources:
        """Its volumes. Raises MountError."""

        def of_claim(name: str) -> str:
            source = self._parts.volumes.source(*record.address[:2], name)
            if node.stranger and (place := self._parts.runtime.volumes.place(source)):
                check_claim(name, place)
                record.claims[name] = place
            return source

        def of_token(source: dict) -> str:
            return self._parts.tokens.of(record, source) if written else ""

        written = not isinstance(self._parts.runtime, Simulation)
        content = volumes.Content(pod, self._parts.finder(record), node.allocatable, of_token)
        root = self._parts.data_dir
        machine = volumes.machine_folder(root, node.node["metadata"]["uid"])
        return volumes.set_up(root, machine, content, of_claim, written)

    def _given(self, record: PodRecord) -> dict[str, str]:
        """What every container of the pod finds in its environment: the Services, and how to reach them."""
        services = self._parts.client(record.cluster).list(SERVICES, record.address[1])
        given = service_environment(record.pod, services)
        if self._parts.runtime.name != "process":
            return given | api_environment(API_ADDRESS, API_PORT)
        # No network of its own, so no names and no addresses of Services.
        given |= api_environment(settings.API_HOST, settings.TLS_PORT)
        given |= proxy_environment(os.environ.get("ORRERY_FRONT_DOOR", ""), *record.address[:2])
        return given

    def _wait_because(self, record: PodRecord, name: str, failure: RuntimeFailure) -> None:
        """Note the engine's refusal on the container. An engine that does not answer is no refusal: raised on."""
        if failure.reason == "EngineUnavailable":
            raise failure
        record.waiting[name] = Waiting(failure.reason, failure.message)
        self._parts.teller(record)("Warning", "Failed", f"Error: {failure.message}")
        raise NotYet(RETRY_SECONDS) from failure

    def _post_start(self, record: PodRecord, container: dict, running: Container) -> None:
        """The postStart hook: the container does not count as started before it is done, and dies if it fails."""
        hook = (container.get("lifecycle") or {}).get("postStart")
        if not hook:
            return
        target = Target(container, running.id, record.standing.address, record.cluster)
        try:
            done, words = self._parts.prober.handle(target, hook, POST_START_SECONDS)
        except TimeoutError:
            done, words = False, f"it took longer than {POST_START_SECONDS:.0f} s"
        if done:
            return
        self._parts.teller(record)("Warning", "FailedPostStartHook", f"PostStartHook failed: {words}")
        deadline = time.monotonic() + grace_seconds(record.pod)
        self._ending.stop_container(record, running, deadline, "FailedPostStartHook")
        record.dirty = True


def _addressed(record: PodRecord) -> dict:
    """The pod with the addresses that it has by now, whether or not its status says so yet."""
    addresses = {"podIP": record.standing.address, "hostIP": host_address()}
    return {**record.pod, "status": {**record.pod.get("status", {}), **addresses}}


def _processes_of(record: PodRecord, container: dict) -> str:
    """Whose processes it sees besides its own: of the container that it was added to look into, or of the whole pod."""
    target = of_name(record.sandbox, container.get("targetContainerName", ""))
    if target and target[0].state == "running":
        return target[0].id
    return record.standing.id if record.pod["spec"].get("shareProcessNamespace") else ""


def sandbox_spec(record: PodRecord, node: NodeRecord, address: str) -> SandboxSpec:
    cluster, namespace, name = record.address
    ports = [
        (port["hostPort"], port["containerPort"], port.get("protocol", "TCP").lower())
        for container in containers(record.pod)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]
    return SandboxSpec(
        cluster=cluster,
        node=node.name,
        namespace=namespace,
        name=name,
        uid=record.uid,
        address=address,
        hostname=record.pod["spec"].get("hostname") or name,
        annotations=record.pod["metadata"].get("annotations") or {},
        works=(controller_of(record.pod) or {}).get("kind") == JOBS.kind,
        host_ports=tuple(ports),
        dns_policy=record.pod["spec"].get("dnsPolicy") or "ClusterFirst",
        dns_config=record.pod["spec"].get("dnsConfig") or {},
        cgroup_parent=node.cgroup_parent,
        stranger=node.stranger,
    )
