"""The agent's end of the program's socket; `program/control.py` tells the orders."""

import json
import os
import socket
from pathlib import Path

from lab.sockets import socket_path

TIMEOUT_SECONDS = 3.0


def ask(data: Path, order: dict) -> dict:
    """The program's answer. Raises OSError while it does not answer, RuntimeError with its words if it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(os.fspath(socket_path(data / "visitors", "control.sock")))
        connection.sendall(json.dumps(order).encode() + b"\n")
        line = connection.makefile("rb").readline()
    if not line.endswith(b"\n"):
        raise ConnectionResetError("the load generator hung up")
    answer = json.loads(line)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer
