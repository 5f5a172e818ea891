"""Start the load generator: nobody asks for anything until it is told to on its socket."""

import os
import signal
import sys
from pathlib import Path

# asyncio would load OpenSSL, a sixth of the process, for connections that never leave this machine.
sys.modules["ssl"] = None  # type: ignore[assignment]
import asyncio  # noqa: E402

from lab.sockets import socket_path  # noqa: E402

from .control import MOST_LINE, Control  # noqa: E402


async def main(data: Path, door: tuple[str, int]) -> None:
    path = socket_path(data / "visitors", "control.sock")
    path.unlink(missing_ok=True)  # of one that was killed
    control = Control(door)
    server = await asyncio.start_unix_server(control.serve, path, limit=MOST_LINE)
    path.chmod(0o600)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    path.unlink(missing_ok=True)


def address(url: str) -> tuple[str, int]:
    """`http://localhost:8089/` → ("127.0.0.1", 8089): localhost is not asked for, since some machines say ::1."""
    host, _, port = url.removeprefix("http://").strip("/").rpartition(":")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


if __name__ == "__main__":
    asyncio.run(main(Path(os.environ["ORRERY_DATA"]), address(os.environ["ORRERY_FRONT_DOOR"])))
