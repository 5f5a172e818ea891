"""A container's first process, where the engine's containers are processes of this machine."""

import os
from pathlib import Path

from .engine import Engine


def first_process(engine: Engine, inspected: dict) -> tuple[int, str] | None:
    """A handle (pidfd) to close, and what the kernel says of the process' groups (`/proc/PID/cgroup`); None if it has
    ended, or is none of this machine. `inspected`: what the engine says of its container."""
    if not engine.on_this_host() or not hasattr(os, "pidfd_open"):
        return None
    pid = inspected["State"]["Pid"]
    try:
        handle = os.pidfd_open(pid)
    except OSError:  # it has ended, which is 0; or this kernel has no such handles
        return None
    try:
        # Only now: should the number have become another process's, then so is the handle, and its group is not ours.
        groups = Path(f"/proc/{pid}/cgroup").read_text()
        if inspected["Id"] in groups:
            return handle, groups
    except OSError:
        pass  # it has ended meanwhile
    os.close(handle)
    return None
