"""What pods of strangers keep in their emptyDirs: one that keeps too much is evicted, as Kubernetes' kubelet does with
`sizeLimit` and `ephemeral-storage` (pkg/kubelet/eviction, localStorageEviction), and what ended ones kept is removed.

It is looked at once a second, so a disk can be short for a second of what it can write in one. What is behind a claim
lies on the engine, and is not looked at.
"""

import logging
import os
import shutil
import threading
from pathlib import Path

from . import volumes
from .parts import Parts
from .pods import is_finished
from .records import PodRecord

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
VOLUME_BYTES = 128 << 20
CLUSTER_BYTES = 1 << 30
BLOCK = 512  # in which the kernel counts what a file takes
EVICTED = "Evicted"


class ScratchWatch:
    def __init__(self, parts: Parts):
        self._parts = parts
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{parts.runtime.name}-scratch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        used: dict[str, int] = {}
        for record in self._parts.pods:
            node = self._parts.nodes.get(record.cluster, record.node)
            if node and node.stranger:
                for folder in volumes.scratch_folders(self._parts.data_dir, record.uid):
                    used[record.cluster] = used.get(record.cluster, 0) + self._look_at(record, folder, used)

    def _look_at(self, record: PodRecord, folder: Path, used: dict[str, int]) -> int:
        """How much is in it, if it stays."""
        if is_finished({"status": record.said}) and not record.running:
            shutil.rmtree(folder, ignore_errors=True)
            return 0
        size, limit = size_of(folder), ""
        if size > VOLUME_BYTES:
            limit = f'Usage of EmptyDir volume "{folder.name}" exceeds the limit "{VOLUME_BYTES >> 20}Mi".'
        elif size and used.get(record.cluster, 0) + size > CLUSTER_BYTES:
            limit = f'Usage of EmptyDir volumes of the cluster exceeds the limit "{CLUSTER_BYTES >> 20}Mi".'
        if limit and not record.evicted:
            log.info("%s is evicted: %s", record.address, limit)
            record.evicted = limit
            self._parts.teller(record)("Warning", EVICTED, limit)
            self._parts.wake(record.uid)
        return size


def size_of(folder: Path) -> int:
    """The bytes that it takes on the disk. What is being removed, or closed to us, is not counted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * BLOCK
            except OSError:
                continue
    return total
