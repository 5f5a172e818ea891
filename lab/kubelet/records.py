"""What the kubelet remembers of each pod. Only memory: all of it can be had again from the API and the engine."""

import dataclasses
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.apimachinery.meta import is_deleting
from lab.runtime import Container, Sandbox

from .hearsay import Hearsay
from .occasions import Occasion
from .status import Waiting, overlay


@dataclass
class PodRecord:
    """One pod. Its worker is the only one who changes `sandbox`, `waiting` and `reported`."""

    cluster: str
    pod: dict  # as the API last had it
    occasion: Occasion = field(default_factory=Occasion)  # what makes us act
    gone: bool = False  # the API has it no more
    dirty: bool = True  # the engine may have something else than `sandbox` says
    sandbox: Sandbox | None = None
    hearsay: Hearsay = field(default_factory=Hearsay)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    backing_off: dict[str, str] = field(default_factory=dict)  # container's name → id of the dead one it was said of
    reported: dict | None = None  # the status that was handed over for writing last
    cut: bool | None = None  # whether its network is unplugged; None: not known
    inherited: bool = False  # it was there before this kubelet began
    stopped: set[str] = field(default_factory=set)  # ids of the containers that we have stopped ourselves
    pulling: dict[str, float] = field(default_factory=dict)  # container's name → since when its image is waited for
    did: list[dict] = field(default_factory=list)  # calls of the engine that no row tells of yet: `noted`
    config_changed: bool = False  # a ConfigMap or Secret that it uses has changed
    claims: dict[str, Path] = field(default_factory=dict)  # a stranger's: claim's name → where its volume lies
    evicted: str = ""  # why it must end before its time
    ending: bool = False  # it is being taken down
    ended: bool = False  # nothing of it runs any more
    ended_at: float = 0.0  # since when; monotonic
    drained: threading.Event = field(default_factory=threading.Event)  # nothing stands in the way of its end

    @property
    def uid(self) -> str:
        return self.pod["metadata"]["uid"]

    @property
    def node(self) -> str:
        return self.pod["spec"].get("nodeName", "")

    @property
    def address(self) -> tuple[str, str, str]:
        """(cluster, namespace, name): how the API server asks for it."""
        return self.cluster, self.pod["metadata"]["namespace"], self.pod["metadata"]["name"]

    @property
    def standing(self) -> Sandbox:
        """Its sandbox, for who works in it: there is one."""
        assert self.sandbox
        return self.sandbox

    @property
    def containers(self) -> tuple[Container, ...]:
        """What the engine has of it, newest first."""
        return self.sandbox.containers if self.sandbox else ()

    @containers.setter
    def containers(self, containers: Iterable[Container]) -> None:
        self.sandbox = dataclasses.replace(self.standing, containers=tuple(containers))

    @property
    def running(self) -> dict[str, Container]:
        """Its running containers by name."""
        return {container.name: container for container in self.containers if container.state == "running"}

    @property
    def said(self) -> dict:
        """Its status as it was last told: ours may be on its way still."""
        stored = self.pod.get("status", {})
        return stored if self.reported is None else overlay(stored, self.reported)

    @contextmanager
    def noted(self, call: str, **of: str) -> Iterator[None]:
        """A call of the engine, by its name in the CRI: once it has succeeded, the next row says when it was, and how
        long it took: `{"call", "at" (epoch), "seconds"}`."""
        at = time.time()
        yield
        self.note(call, at, **of)

    def note(self, call: str, at: float, **of: str) -> None:
        self.did.append({"call": call, **of, "at": round(at, 3), "seconds": round(time.time() - at, 3)})

    @property
    def must_end(self) -> bool:
        return self.gone or is_deleting(self.pod)


class PodTable:
    """All pods of an agent, by uid; any thread may look."""

    def __init__(self) -> None:
        self._records: dict[str, PodRecord] = {}
        self._of_node: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def get(self, uid: str) -> PodRecord | None:
        return self._records.get(uid)

    def put(self, cluster: str, pod: dict, cause: int) -> tuple[PodRecord, bool]:
        """Take in what the API says of a pod; its record, and whether it is new here."""
        with self._lock:
            uid = pod["metadata"]["uid"]
            record = self._records.get(uid)
            if record is None:
                record = self._records[uid] = PodRecord(cluster, pod, Occasion(cause))
                self._of_node[cluster, record.node].add(uid)
                return record, True
            record.pod, record.occasion = pod, Occasion(cause)
            return record, False

    def remove(self, uid: str) -> None:
        with self._lock:
            record = self._records.pop(uid, None)
            if record:
                self._of_node[record.cluster, record.node].discard(uid)

    def find(self, cluster: str, namespace: str, name: str) -> PodRecord | None:
        """The pod of that name; one that is still in the API before one that is going."""
        found = [record for record in self if record.address == (cluster, namespace, name)]
        return min(found, key=lambda record: record.gone, default=None)

    def of_node(self, cluster: str, node: str) -> list[PodRecord]:
        with self._lock:
            return [self._records[uid] for uid in self._of_node[cluster, node]]

    def __iter__(self) -> Iterator[PodRecord]:
        with self._lock:
            return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)
