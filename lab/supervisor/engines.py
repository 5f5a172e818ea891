"""Further Docker engines, on other machines, that run the nodes of some clusters: `up --engine b=ssh://ada@10.0.0.7`.

Each has a worker of its own with the kubelet of its nodes. Which engines there are is kept in the data folder, so that
`down` finds what was made on them.
"""

import argparse
import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lab.sockets import socket_path

NAME = re.compile("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")  # as in lab/kubelet/agents.py
SCHEMES = ("ssh", "tcp", "unix")
FORM = "NAME=ADDRESS, as b=ssh://ada@10.0.0.7 or b=tcp://10.0.0.7:2376,/folder/with/certificates"
TUNNEL_SECONDS = 10.0
OTHER_END = "/var/run/docker.sock"


class FurtherEngine(NamedTuple):
    """`certificates`: the folder with ca.pem, cert.pem and key.pem of a client; "" without TLS."""

    name: str
    address: str
    certificates: str = ""

    def environment(self, data: Path) -> dict[str, str]:
        """As Docker's own programs read it. `DOCKER_HOST` of one that is reached by ssh is this end of `tunnel`."""
        tls = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": self.certificates} if self.certificates else {}
        address = f"unix://{self._socket(data)}" if self.tunnel(data) else self.address
        return {"DOCKER_HOST": address, **tls}

    def tunnel(self, data: Path) -> tuple[str, ...]:
        """The command that leads to an engine behind ssh, by the machine's own program: it knows the user's keys and
        what they have written of that host. () where none is needed."""
        if not self.address.startswith("ssh://"):
            return ()
        options = ("BatchMode=yes", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes", "ServerAliveInterval=5")
        words = [word for option in options for word in ("-o", option)]
        return ("ssh", "-nNT", *words, "-L", f"{self._socket(data)}:{OTHER_END}", self.address)

    @contextlib.contextmanager
    def reached(self, data: Path) -> Iterator[dict[str, str]]:
        """`environment`, with the tunnel for as long as it is used: for when no lab runs that keeps one."""
        if not (command := self.tunnel(data)):
            yield self.environment(data)
            return
        deadline = time.monotonic() + TUNNEL_SECONDS
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            while process.poll() is None and not self._socket(data).exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            try:
                yield self.environment(data)
            finally:
                process.terminate()

    def _socket(self, data: Path) -> Path:
        return socket_path(data, f"docker-{self.name}.sock")


def further_engine(text: str) -> FurtherEngine:
    """What `--engine` says. Raises argparse.ArgumentTypeError."""
    name, _, rest = text.partition("=")
    address, _, certificates = rest.partition(",")
    if not NAME.fullmatch(name) or urlsplit(address).scheme not in SCHEMES:
        raise argparse.ArgumentTypeError(f"{text!r} is not {FORM}")
    if address.startswith("tcp://") and not certificates:
        raise argparse.ArgumentTypeError(
            f"{address} without certificates: whoever reaches that port is root of that machine. Use ssh://, or {FORM}"
        )
    if certificates and not Path(certificates, "cert.pem").is_file():
        raise argparse.ArgumentTypeError(f"there is no {certificates}/cert.pem")
    return FurtherEngine(name, address, str(Path(certificates).resolve()) if certificates else "")


def keep(data: Path, engines: list[FurtherEngine]) -> None:
    """Those of this start, and those of earlier ones: something of theirs may be there still."""
    known = {engine.name: engine for engine in [*further_engines(data), *engines]}
    if known:
        (data / "engines.json").write_text(json.dumps(list(known.values())))


def further_engines(data: Path) -> list[FurtherEngine]:
    """Those that were ever added to the lab in this folder."""
    try:
        return [FurtherEngine(*each) for each in json.loads((data / "engines.json").read_text())]
    except (OSError, ValueError):
        return []
