"""What processes use, from /proc (Linux; elsewhere nothing is known). A container is its first process and all below.

Source: proc(5).
"""

import os
from collections.abc import Iterator

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> Iterator[int]:
    """The process and its living descendants. One whose parent has ended belongs to nobody, and is not found."""
    yield pid
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in _read(f"/proc/{pid}/task/{thread}/children").split():
                yield from family(int(child))
    except OSError:
        return  # it has just ended


def _read(path: str) -> bytes:
    """Without the layers of Python's files: it is asked of every process every second."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 65536)
    finally:
        os.close(file)


def resident_bytes(pid: int) -> int:
    """What the family has in memory; pages that several of it share count for each."""
    return sum(_resident(one) for one in family(pid))


def _resident(pid: int) -> int:
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * PAGE
    except OSError:
        return 0


def usage(pid: int) -> tuple[int, int] | None:
    """(CPU nanoseconds, bytes resident) of the family; None if it is gone."""
    members = list(family(pid))
    times = [time for one in members if (time := _cpu_ticks(one)) is not None]
    return (sum(times) * 10**9 // TICKS, sum(map(_resident, members))) if times else None


def _cpu_ticks(pid: int) -> int | None:
    """Its own time and that of the children it has waited for: fields 14 to 17 of its stat."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return sum(map(int, fields[11:15]))
