"""What the engine gives containers of a stranger's cluster, whatever they ask for: a share that nobody else misses.

Limits of what is written: no engine on an ordinary file system can say how large a container's own layer may become. So
there is none: its root is read-only, and the folders that programs write to are memory, which counts as its own.
"""

import posixpath
from collections.abc import Iterable

from .cgroups import PERIOD_MICROSECONDS

MEMORY_BYTES, MEMORY_MOST = 256 << 20, 512 << 20  # of one that names no limit, and of any
CLUSTER_BYTES, CLUSTER_PROCESSES = 2 << 30, 2000  # of all pods of a cluster together
CPU_MOST = PERIOD_MICROSECONDS  # of each period: one core
PROCESSES_MOST = 100
FILE_BYTES = 64 << 20  # of one file, wherever it is
FILES_MOST = 1024  # open at once, by one process
SCRATCH = ("/tmp", "/run", "/var/tmp", "/var/cache")
SCRATCH_OPTIONS = "rw,nosuid,nodev,size=64m,mode=1777"
# Of a pod's files on an engine on another machine: together as large as one emptyDir may become here.
FOLDERS = {"type": "tmpfs", "device": "tmpfs", "o": "nosuid,nodev,size=128m,mode=755"}
LOGS = {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}


def held(config: dict, volumes: Iterable[str]) -> dict:
    """A container's, held to what a stranger gets. `volumes`: the folders that its image wants on a disk, of which
    nobody would know how full they are."""
    host = config["HostConfig"]
    memory = min(host["Memory"] or MEMORY_BYTES, MEMORY_MOST)
    taken = {mount["Target"].rstrip("/") for mount in host["Mounts"]}
    scratch = [*SCRATCH, *map(posixpath.normpath, volumes)]
    limits = {
        "Memory": memory,
        "MemorySwap": memory,
        "CpuQuota": min(host["CpuQuota"] or CPU_MOST, CPU_MOST),
        "PidsLimit": PROCESSES_MOST,
        "Ulimits": [_limit("fsize", FILE_BYTES), _limit("nofile", FILES_MOST), _limit("core", 0)],
        "ReadonlyRootfs": True,
        "Tmpfs": {folder: SCRATCH_OPTIONS for folder in scratch if folder not in taken},
        "LogConfig": LOGS,
    }
    return config | {"HostConfig": host | limits}


def _limit(name: str, most: int) -> dict:
    return {"Name": name, "Soft": most, "Hard": most}
