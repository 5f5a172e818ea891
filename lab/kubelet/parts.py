"""The parts of one agent, put together once, and what they all need of each other."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.apimachinery.kinds import CONFIGMAPS, SECRETS
from lab.client import Client
from lab.runtime import Runtime

from .backoff import Backoff
from .enginevolumes import EngineVolumes
from .environment import Find
from .images import Images, Tell
from .neighbours import Neighbours
from .nodes import NodeTable
from .prober import Prober
from .records import PodRecord, PodTable
from .statuswriter import StatusWriter
from .tokens import Tokens


@dataclass
class Parts:
    runtime: Runtime
    data_dir: Path
    client: Callable[[str], Client]  # cluster's name → this agent's client of it
    pods: PodTable
    nodes: NodeTable
    neighbours: Neighbours
    images: Images
    volumes: EngineVolumes
    tokens: Tokens
    prober: Prober
    writer: StatusWriter
    crashes: Backoff
    wake: Callable[[str], None]  # look at this pod (its uid) again

    def teller(self, record: PodRecord) -> Tell:
        """What records an event of this pod, unless its node is cut off."""

        def tell(kind: str, reason: str, message: str) -> None:
            node = self.nodes.get(record.cluster, record.node)
            if node and not node.silent:
                self.writer.event(record.cluster, record.pod, kind, reason, message)

        return tell

    def finder(self, record: PodRecord) -> Find:
        """What finds the ConfigMaps and Secrets of this pod's namespace."""
        kinds = {"configmaps": CONFIGMAPS, "secrets": SECRETS}
        client, namespace = self.client(record.cluster), record.address[1]
        return lambda resource, name: client.find(kinds[resource], namespace, name)

    def forget(self, record: PodRecord) -> None:
        """The pod is no more: drop everything that is remembered of it."""
        self.crashes.forget(f"{record.uid}/")
        self.images.forget(record.uid)
        self.tokens.forget(record.uid)
        node = self.nodes.get(record.cluster, record.node)
        if node and node.pool:
            node.pool.release(record.uid)
        self.pods.remove(record.uid)
