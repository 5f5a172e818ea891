"""Where the engine is found: one engine a data directory, behind a socket that only its user can open."""

import os
import tempfile
import zlib
from pathlib import Path

LONGEST_SOCKET = 100  # the kernel takes about 107 bytes


def folder(data_dir: Path) -> Path:
    """The engine's files: its lock, the networks it gave out, a folder for each container."""
    path = data_dir / "process"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def socket_path(data_dir: Path) -> Path:
    """Inside the data directory, or for one with a long name in the system's place for temporary files. Raises
    PermissionError if somebody else made that folder before us."""
    path = folder(data_dir).resolve() / "engine.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    name = f"orrery-{os.getuid()}-{zlib.crc32(os.fsencode(path)):08x}"
    short = Path(tempfile.gettempdir()) / name
    short.mkdir(exist_ok=True, mode=0o700)
    if short.stat().st_uid != os.getuid():
        raise PermissionError(f"{short} belongs to another user")
    return short / "engine.sock"
