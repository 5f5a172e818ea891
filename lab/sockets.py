"""Where a program of the lab listens for its orders: a socket that only its user can open."""

import os
import tempfile
import zlib
from pathlib import Path

LONGEST = 100  # the kernel takes about 107 bytes


def socket_path(folder: Path, name: str) -> Path:
    """In `folder`, or for one with a long name in the system's place for temporary files. Raises PermissionError if
    somebody else made that folder before us."""
    path = folder.resolve() / name
    if len(os.fsencode(path)) > LONGEST:
        path = Path(tempfile.gettempdir()) / f"orrery-{os.getuid()}-{zlib.crc32(os.fsencode(path)):08x}" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to another user")
    return path
