"""`python -m lab.proxy.program`: read the options, put the parts together, serve until told to stop."""

import sys

# Never needed here, and asyncio would load it: a third of this process's memory.
sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]

import argparse  # noqa: E402
import asyncio  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402

from .control import Control  # noqa: E402
from .dns import RESOLVERS, DnsServer  # noqa: E402
from .haproxy.engine import HAProxyEngine, find_program  # noqa: E402
from .listeners import BACKLOG, FRONT_DOOR, SIDE_DOOR, Listeners, Place, listen_unix  # noqa: E402
from .names import Names  # noqa: E402
from .network import become_gateway  # noqa: E402
from .own.engine import OwnEngine  # noqa: E402
from .plane import Plane  # noqa: E402
from .scopes import Scopes  # noqa: E402

log = logging.getLogger(__name__)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.proxy.program")
    parser.add_argument("--state", type=Path, required=True, help="folder for what was wanted last, and for sockets")
    parser.add_argument("--engine", choices=("auto", "haproxy", "own"), default="auto")
    parser.add_argument("--front-door-fd", type=int, help="a listening socket")
    parser.add_argument("--front-door", type=place, help="or where to listen, where nobody hands a socket over")
    parser.add_argument("--side-door", type=Path, help="a Unix socket in the state's folder that leads to the same")
    parser.add_argument("--control", type=place, help="where to be told what to do, with a token; else a unix socket")
    parser.add_argument("--dns", type=place, help="where to answer questions for names")
    parser.add_argument("--gateway", nargs=3, metavar=("ADDRESS", "SERVICES", "ROUTER"), help="see network.py")
    parser.add_argument("--closed", action="store_true", help="ask nobody outside for names")
    return parser.parse_args(arguments)


def place(told: str) -> tuple[str, int]:
    address, _, port = told.rpartition(":")
    return address, int(port)


async def serve(options: argparse.Namespace) -> None:
    os.chdir(options.state)  # a socket's path may have a hundred letters; a name alone is always short enough
    if options.gateway:
        become_gateway(*options.gateway)
    plane = await start_plane(Scopes(Path(".")), Listeners(front_doors(options)), options.engine)
    if options.dns:
        resolvers = Path(os.devnull) if options.closed else RESOLVERS
        await DnsServer(lambda: Names(plane.plan), resolvers).listen(*options.dns)
    control = Control(plane, os.environ.pop("ORRERY_PROXY_TOKEN", ""))
    if options.control:
        await control.listen_tcp(*options.control)
    else:
        await control.listen_unix(Path("control.sock"))
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
    await plane.engine.stop()


def front_doors(options: argparse.Namespace) -> dict[Place, socket.socket]:
    """Its listening sockets, where there is a front door: a gateway has none."""
    opened = {}
    if options.front_door_fd is not None:
        opened[FRONT_DOOR] = socket.socket(fileno=options.front_door_fd)
    elif options.front_door:
        opened[FRONT_DOOR] = socket.create_server(options.front_door, backlog=BACKLOG)
    if options.side_door:
        opened[SIDE_DOOR] = listen_unix(options.side_door)
    for each in opened.values():
        each.setblocking(False)
    return opened


async def start_plane(scopes: Scopes, listeners: Listeners, engine: str) -> Plane:
    """With HAProxy where it can be had and starts, else with our own."""
    program = find_program() if engine != "own" else None
    if engine == "haproxy" and program is None:
        sys.exit("There is no haproxy on this machine.")
    if program:
        plane = Plane(scopes, listeners, HAProxyEngine(program))
        try:
            await plane.start()
            return plane
        except (OSError, ValueError) as error:
            log.warning("HAProxy cannot be used: %s", error)
            if engine == "haproxy":
                raise
    plane = Plane(scopes, listeners, OwnEngine())
    await plane.start()
    return plane


def main() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stdout
    )
    options = parse(sys.argv[1:])
    options.state.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
