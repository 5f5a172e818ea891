"""The web server: one application behind two ports or three, in one process.

    python -m lab.web --http WHERE --https WHERE [--room WHERE]

The plain port belongs to the machine's own user: the board, and the API without asking who is there. At the TLS port
there is the API for whoever shows a token, or a certificate of the lab's authority (`lab/management/pki.py`). At the
room's port, if there is one, learners come in: each to their own cluster (`lab/workshops/gate.py`).
WHERE is `host:port`, or the number of a file descriptor on which somebody already listens.
"""

import argparse
import asyncio
import signal
import socket
import ssl
from typing import Any

import uvicorn
from django.conf import settings

from lab.asgi import application
from lab.doors import Counted, Sealed, open_sockets
from lab.httpserver import QuietServer, SecuredProtocol
from lab.parts import Here

COMMON: dict[str, Any] = {
    "interface": "asgi3",
    "lifespan": "off",
    "ws": "wsproto",
    "ws_ping_interval": None,  # who reads `kubectl exec` page by page answers no ping meanwhile, and is not gone
    "timeout_graceful_shutdown": 3,
    "access_log": False,
    "log_config": None,  # the lab's own is
    "log_level": "warning",
}


def plain() -> uvicorn.Config:
    return uvicorn.Config(Counted(application, "plain"), **COMMON)


def strangers() -> uvicorn.Config:
    from lab.workshops.gate import Gate  # a lab without a room does without accounts

    believed: dict[str, Any] = {"proxy_headers": bool(settings.PROXIES), "forwarded_allow_ips": settings.PROXIES}
    gate = Gate(application)
    behind = Sealed(gate) if settings.ROOM.startswith("https://") else gate
    return uvicorn.Config(Counted(behind, "room"), **believed, **COMMON)


def secured() -> uvicorn.Config:
    """A certificate that is shown must be of the lab's authority; who shows none may have a token."""
    folder = settings.PKI_DIR
    return uvicorn.Config(
        Counted(application, "tls"),
        http=SecuredProtocol,
        proxy_headers=False,
        ssl_certfile=folder / "server.crt",
        ssl_keyfile=folder / "server.key",
        ssl_ca_certs=folder / "ca.crt",
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        **COMMON,
    )


async def serve(doors: list[tuple[uvicorn.Config, socket.socket]]) -> None:
    """Until SIGTERM or Ctrl-C; a second one does not wait for whoever is still connected."""
    servers = [(QuietServer(config), listener) for config, listener in doors]

    def stop() -> None:
        for server, _ in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await asyncio.gather(*(server.serve([listener]) for server, listener in servers))


def listening(where: str) -> socket.socket:
    if where.isdigit():
        return socket.socket(fileno=int(where))
    host, _, port = where.rpartition(":")
    return socket.create_server((host, int(port)), backlog=2048)


def main() -> None:
    parser = argparse.ArgumentParser(prog="lab.web", description=__doc__.splitlines()[0])
    parser.add_argument("--http", required=True, metavar="WHERE", type=listening)
    parser.add_argument("--https", required=True, metavar="WHERE", type=listening)
    parser.add_argument("--room", metavar="WHERE", type=listening)
    options = parser.parse_args()
    doors = [(plain(), options.http), (secured(), options.https)]
    here = Here("web", lambda: {"websockets": dict(open_sockets)})
    here.start()
    asyncio.run(serve(doors + ([(strangers(), options.room)] if options.room else [])))
    here.stop()


if __name__ == "__main__":
    main()
