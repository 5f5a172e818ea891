"""`python -m lab.proxy.program`: read the options, put the parts together, serve until told to stop."""

import sys

sys.modules.setdefault("ssl", None)  # never needed here, and asyncio would load it: a third of this process's memory

import argparse  # noqa: E402
import asyncio  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402

from .control import Control  # noqa: E402
from .haproxy.engine import HAProxyEngine, find_program  # noqa: E402
from .listeners import FRONT_DOOR, Listeners  # noqa: E402
from .own.engine import OwnEngine  # noqa: E402
from .plane import Engine, Plane  # noqa: E402
from .scopes import Scopes  # noqa: E402

log = logging.getLogger(__name__)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.proxy.program")
    parser.add_argument("--state", type=Path, required=True, help="folder for what was wanted last, and for sockets")
    parser.add_argument("--engine", choices=("auto", "haproxy", "own"), default="auto")
    parser.add_argument("--front-door-fd", type=int, help="a listening socket")
    return parser.parse_args(arguments)


def choose_engine(wanted: str) -> Engine:
    program = find_program() if wanted != "own" else None
    if wanted == "haproxy" and program is None:
        sys.exit("There is no haproxy on this machine.")
    return HAProxyEngine(program) if program else OwnEngine()


async def serve(options: argparse.Namespace) -> None:
    fixed = {}
    front_door = 0
    if options.front_door_fd is not None:
        fixed[FRONT_DOOR] = listener = socket.socket(fileno=options.front_door_fd)
        listener.setblocking(False)
        front_door = listener.getsockname()[1]
    os.chdir(options.state)  # a socket's path may have a hundred letters; a name alone is always short enough
    plane = Plane(Scopes(Path(".")), Listeners(fixed), choose_engine(options.engine), front_door)
    await plane.start()
    control = Control(plane, os.environ.get("ORRERY_PROXY_TOKEN", ""))
    await control.listen_unix(Path("control.sock"))
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
    await plane.engine.stop()


def main() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stdout
    )
    options = parse(sys.argv[1:])
    options.state.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
