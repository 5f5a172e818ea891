"""`manage.py up`: look whether the lab can start here, start it, and stay until it is told to stop."""

import argparse
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from .broker import choose_broker
from .engine import RUNTIMES, choose_runtime
from .engines import FORM, further_engine, keep
from .lab import Lab, Sockets
from .room import own_names
from .state import CannotStart, check_writable, data_folder, hold, read_run

OPEN = "Whoever reaches {}, pods included, is the administrator: it asks nobody who they are. Only the TLS port does."
DESCRIPTION = "Start the lab and open its board. Ctrl-C stops it and leaves no process."


def main(arguments: list[str]) -> str | None:
    """The reason why it could not start, which becomes the exit message; None after an orderly stop."""
    options = parse(arguments)
    if options.log_format:
        os.environ["ORRERY_LOG_FORMAT"] = options.log_format
    began = time.monotonic()
    data = data_folder()
    try:
        check_writable(data)
        with hold(data) as held:
            if not held:
                return already_running(read_run(data))
            with contextlib.ExitStack() as stack:
                sockets = Sockets(*map(stack.enter_context, listen_everywhere(options)))
                room = own_names(options.room) if options.room else []
                runtime = choose_runtime(options.runtime, read_run(data).get("runtime", ""))
                if options.engines and runtime != "docker":
                    return f"--engine adds to a lab on Docker; this one runs on {runtime}."
                keep(data, options.engines)
                lab = Lab(
                    data, runtime, choose_broker(), sockets, options.host, room, options.room_url, options.engines
                )
                run(lab, began, options.browser)
    except CannotStart as problem:
        return str(problem)
    return None


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py up", description=DESCRIPTION)
    parser.add_argument("--port", type=int, default=8088, help="of the board and the API (default: %(default)s)")
    parser.add_argument(
        "--front-door-port",
        type=int,
        metavar="PORT",
        help="where Services are reached from outside (default: the port after the board's if it is free, else any)",
    )
    parser.add_argument(
        "--tls-port",
        type=int,
        metavar="PORT",
        help="of the API for whoever shows a token or a certificate (default: the second after the board's, or any)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--room",
        nargs="?",
        const="0.0.0.0",
        metavar="ADDRESS",
        help="let learners come in from other machines, at this address of the machine (default: at all it has)",
    )
    parser.add_argument(
        "--room-url", default="", metavar="URL", help="of the room, where a proxy with TLS stands before it: https://…/"
    )
    parser.add_argument(
        "--room-port", type=int, metavar="PORT", help="of the room (default: the third after the board's)"
    )
    parser.add_argument(
        "--runtime",
        choices=("auto", *RUNTIMES),
        default="auto",
        help="what runs the containers; auto: docker if an engine answers, else process",
    )
    parser.add_argument(
        "--engine",
        dest="engines",
        type=further_engine,
        action="append",
        default=[],
        metavar="NAME=ADDRESS",
        help=f"one more Docker engine, over which learners are spread: {FORM}; may be given several times",
    )
    parser.add_argument("--log-format", choices=("text", "json"), help="json: one object an event, for programs")
    parser.add_argument("--data", metavar="DIR", help="where the lab keeps its data (default: .data beside manage.py)")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")
    return parser.parse_args(arguments)


def already_running(run: dict) -> str:
    return (
        f"The lab is already running in this folder: {run.get('board', 'it is still starting')}\n"
        "Stop it with Ctrl-C where it runs, or with: python3 manage.py down\n"
        "For a second lab beside it: python3 manage.py up --data OTHER_FOLDER --port OTHER_PORT"
    )


def listen_everywhere(options: argparse.Namespace) -> Iterator[socket.socket]:
    """The sockets of `Sockets`, in its order. Those that nobody chose lie beside the board's, if they are free."""
    board = listen(options.host, options.port)
    yield board
    port = board.getsockname()[1]
    yield beside(options.host, port + 2, options.tls_port, "--tls-port")
    yield beside(options.host, port + 1, options.front_door_port, "--front-door-port")
    if options.room:
        yield beside(options.room, port + 3, options.room_port, "--room-port")


def beside(host: str, usual: int, chosen: int | None, option: str) -> socket.socket:
    if chosen is not None:
        return listen(host, chosen, option)
    try:
        return listen(host, usual)
    except (CannotStart, OverflowError):
        return listen(host, 0)


def is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A server's socket. Taken here, before anything starts, so that a taken port costs nothing but a message."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by each connection; otherwise small websocket messages wait for the acknowledgement of the last one.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} is taken by another program. Choose another: python3 manage.py up {option} {port + 1}"
            ) from error
        raise CannotStart(f"Cannot listen on {host} port {port}: {error.strerror}.") from error
    return listener


def run(lab: Lab, began: float, browser: bool) -> None:
    """Until Ctrl-C, SIGTERM or SIGHUP. A second one of them does not wait for anybody."""

    def asked_to_stop(number: int, frame: object) -> None:
        if lab.stopped.is_set():
            threading.Thread(target=lab.kill).start()
        lab.stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, asked_to_stop)
    lab.say(f"Starting Orrery on {lab.board} (containers: {lab.runtime}) ...")
    if not is_loopback(lab.host):
        lab.say(OPEN.format(lab.board))
    try:
        lab.start()
        ready = lab.wait_until_ready()
        if ready:
            took, places = time.monotonic() - began, f"Board: {lab.board}   Front door: {lab.front_door}"
            lab.say(f"Ready in {took:.1f} s: {ready}. {places}   Ctrl-C stops it.")
            if lab.room:
                lab.say(f"Learners come in at {lab.room}join, who teaches at {lab.room}staff/workshops/")
            if browser:
                open_browser(lab.board)
        lab.stopped.wait()
        lab.say("Stopping ...")
    finally:
        lab.stop()
    lab.say("Stopped.")


def open_browser(address: str) -> None:
    """In a process of its own, silent and not waited for: a browser may be slow, noisy, or not there."""
    with contextlib.suppress(OSError):
        browser = subprocess.Popen(
            [sys.executable, "-m", "webbrowser", address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        threading.Thread(target=browser.wait, daemon=True).start()
