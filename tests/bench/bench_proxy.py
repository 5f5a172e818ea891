"""What the data plane costs: requests a second and the 99th percentile of the time each takes, by its two engines,
beside HAProxy with the plainest configuration there is, and beside no proxy at all.

    python -m tests.bench.bench_proxy [seconds for each]

32 connections that stay open, each asking again when it was answered, all on the loopback. Server, proxy and client are
processes of their own that share the machine's cores, so ratios are firmer than absolute figures. The four take turns,
twice, and the better of the two counts: whatever else the machine does would only take away.
"""

import asyncio
import contextlib
import json
import multiprocessing
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.labs import HOME, free_port, wait_until

CONNECTIONS = 32
SECONDS = 4.0
ROUNDS = 2
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!"
PLAIN = """defaults
    mode http
    timeout connect 1s
    timeout client 1m
    timeout server 1m
global
    nbthread 1
listen it
    bind 127.0.0.1:{port}
    server s 127.0.0.1:{origin}
"""


class Origin(asyncio.Protocol):
    """The least that a server can do."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER * data.count(b"\r\n\r\n"))


class Client(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again."""

    def __init__(self, took: list[float]):
        self._took = took
        self._held = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._held.endswith(b"Hello, world!"):
            assert self._held.startswith(b"HTTP/1.1 200"), self._held
            self._took.append(time.perf_counter() - self._began)
            self._held = b""
            self._ask()


def serve(port: int) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


async def load(port: int, seconds: float) -> list[float]:
    took: list[float] = []
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Client(took), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.sleep(seconds / 4)  # until everything is warm
    took.clear()
    await asyncio.sleep(seconds)
    result = list(took)
    for transport, _ in made:
        transport.abort()
    return result


def measure(port: int, seconds: float, told: multiprocessing.Queue) -> None:
    took = sorted(asyncio.run(load(port, seconds)))
    told.put((len(took) / seconds, took[int(len(took) * 0.99)] * 1000))


@contextlib.contextmanager
def plane(engine: str, origin: int) -> Iterator[int]:
    """The lab's program with one Service; the Service's port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "lab.proxy.program", "--state", folder, "--engine", engine]
        process = subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL)
        try:
            place = Path(folder) / "control.sock"
            wait_until("its control socket", place.exists, 10, 0.02)
            server = {"address": "127.0.0.1", "port": origin, "pod": "web-1", "version": "v1"}
            listener = {"address": "127.0.0.1", "port": port, "backend": "default/a:http"}
            desired = {"listeners": [listener], "backends": {"default/a:http": {"servers": {"u1": server}}}}
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(place))
                control.sendall(json.dumps({"do": "apply", "scope": "bench", "desired": desired}).encode() + b"\n")
                assert json.loads(control.makefile().readline()) == {"ok": True}
            yield port
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def haproxy(origin: int) -> Iterator[int]:
    """HAProxy alone."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(PLAIN.format(port=port, origin=origin))
        program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        process = subprocess.Popen([program, "-db", "-q", "-f", str(file)])
        try:
            wait_until("haproxy", lambda: listens(port), 10, 0.02)
            yield port
        finally:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def main(seconds: float = SECONDS) -> None:
    origin, told = free_port(), multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(origin,), daemon=True)
    server.start()
    wait_until("the server", lambda: listens(origin), 10, 0.02)
    ways = {
        "direct": lambda: contextlib.nullcontext(origin),
        "HAProxy alone": lambda: haproxy(origin),
        "the lab's, by HAProxy": lambda: plane("haproxy", origin),
        "the lab's, by its own": lambda: plane("own", origin),
    }
    best: dict[str, tuple[float, float]] = {}
    for name, way in list(ways.items()) * ROUNDS:
        with way() as port:
            client = multiprocessing.Process(target=measure, args=(port, seconds, told))
            client.start()
            found = told.get(timeout=60)
            client.join()
        best[name] = max(best.get(name, found), found)
    server.terminate()
    print(f"{CONNECTIONS} connections, {seconds:g} s each, the better of {ROUNDS}")
    for name, (rate, p99) in best.items():
        added, of_direct = p99 - best["direct"][1], rate / best["direct"][0]
        of_haproxy = rate / best["HAProxy alone"][0]
        print(f"  {name:<22} {rate:8,.0f} requests/s  p99 {p99:6.2f} ms (added {added:5.2f} ms)  "
              f"{of_direct:4.2f} of direct, {of_haproxy:4.2f} of HAProxy alone")  # fmt: skip


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
