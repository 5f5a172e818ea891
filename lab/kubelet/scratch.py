"""What pods of strangers keep in their emptyDirs, and behind their claims: one that keeps too much is evicted, as by
Kubernetes' kubelet for `sizeLimit` and `ephemeral-storage` (pkg/kubelet/eviction, localStorageEviction). What those
that ended kept in emptyDirs is removed; who claims a volume that is too full is not started.

It is looked at once a second, so a disk can be short for a second of what it can write in one.
"""

import errno
import logging
import os
import threading
from pathlib import Path

from . import volumes
from .environment import ConfigError
from .parts import Parts
from .pods import is_finished
from .records import PodRecord

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
VOLUME_BYTES = 128 << 20
CLUSTER_BYTES = 1 << 30
DEEPEST = 100  # folders in one another
BLOCK = 512  # in which the kernel counts what a file takes
EVICTED = "Evicted"
OVER = f'exceeds the limit "{VOLUME_BYTES >> 20}Mi".'


class ScratchWatch:
    def __init__(self, parts: Parts):
        self._parts = parts
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{parts.runtime.engine}-scratch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # without this thread a disk has no limit for anybody
                log.exception("disks are looked at again")

    def look(self) -> None:
        used: dict[str, int] = {}
        for record in self._parts.pods:
            node = self._parts.nodes.get(record.cluster, record.node)
            if node and node.stranger:
                used[record.cluster] = self._look_at(record, used.get(record.cluster, 0))

    def _look_at(self, record: PodRecord, used: int) -> int:
        """`used`: by the emptyDirs of those before it. With its own."""
        folders = volumes.scratch_folders(self._parts.data_dir, record.uid)
        if is_finished({"status": record.said}) and not record.running:
            for folder in folders:
                volumes.remove_folder(folder)
            return used
        for folder in folders:
            size = size_of(folder)
            used += size
            if size > VOLUME_BYTES:
                self._evict(record, f'Usage of EmptyDir volume "{folder.name}" {OVER}')
            elif size and used > CLUSTER_BYTES:
                self._evict(record, f'Usage of all EmptyDir volumes exceeds the limit "{CLUSTER_BYTES >> 20}Mi".')
        for name, place in list(record.claims.items()):
            if record.running and size_of(place) > VOLUME_BYTES:
                self._evict(record, f'Usage of the volume of claim "{name}" {OVER}')
        return used

    def _evict(self, record: PodRecord, why: str) -> None:
        if not record.evicted:
            log.info("%s is evicted: %s", record.address, why)
            record.evicted = why
            self._parts.teller(record)("Warning", EVICTED, why)
            self._parts.wake(record.uid)


def check_claim(name: str, place: Path) -> None:
    """Raises ConfigError where nothing more may be written."""
    if size_of(place) > VOLUME_BYTES:
        raise ConfigError(f'the volume of claim "{name}" {OVER} Delete the claim, and make another')


def size_of(folder: Path) -> int:
    """The bytes that it takes on the disk. What is being removed, or closed to us, is not counted; and what lies so
    deep that it could not be is too much."""
    total, left = 0, [(str(folder), 0)]
    while left:
        place, depth = left.pop()
        try:
            inside = list(os.scandir(place))
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return VOLUME_BYTES + 1
            continue
        below = [(entry.path, depth + 1) for entry in inside if entry.is_dir(follow_symlinks=False)]
        if below and depth == DEEPEST:
            return VOLUME_BYTES + 1
        left += below
        total += sum(map(_blocks, inside)) * BLOCK
    return total


def _blocks(entry: os.DirEntry[str]) -> int:
    """Of a file; a folder's own are not counted."""
    try:
        return 0 if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_blocks
    except OSError as error:
        return VOLUME_BYTES // BLOCK + 1 if error.errno == errno.ENAMETOOLONG else 0
