"""Where the program is told what to do: a socket in the lab's data folder that only its user can open."""

import os
import tempfile
import zlib
from pathlib import Path

LONGEST_SOCKET = 100  # the kernel takes about 107 bytes


def socket_path(data: Path) -> Path:
    """`visitors/control.sock`, or for a folder with a long name one in the system's place for temporary files. Raises
    PermissionError if somebody else made that folder before us."""
    path = data.resolve() / "visitors" / "control.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        name = f"orrery-{os.getuid()}-{zlib.crc32(os.fsencode(path)):08x}"
        path = Path(tempfile.gettempdir()) / name / "control.sock"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to another user")
    return path
