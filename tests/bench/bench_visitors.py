"""What the load generator costs, and how well it keeps its rate.

    python -m tests.bench.bench_visitors [seconds]

Beside it a bare client of a few lines on asyncio's streams that asks the same server as fast as it is told to: what it
waits for an answer is the server's own latency as Python sees it.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.bench_idle import cpu_seconds, pss_mb
from tests.bench.measure import p95
from tests.labs import HOME, clean_environment, free_port, wait_until
from tests.visitors.program import Program

RATES = (50, 500, 2000)
CONCURRENCY = 16
MOST_CPU_PERCENT, LEAST_SHARE = 50.0, 0.99  # promised at the highest rate: of a core, and of the requests that were due


def main(seconds: float = 10.0) -> None:
    with served() as port, tempfile.TemporaryDirectory(prefix="orrery-bench-") as folder:
        program = Program(Path(folder), f"http://localhost:{port}/").start()
        time.sleep(5)
        idle = cpu_seconds(program.pid)
        time.sleep(seconds)
        used = (cpu_seconds(program.pid) - idle) / seconds * 100
        print(f"idle: {used:.2f} % of a core, {pss_mb(program.pid):.1f} MB")
        for rate in RATES:
            measure(program, port, rate, seconds)
        print(f"at the end: {pss_mb(program.pid):.1f} MB")
        program.stop()


def measure(program: Program, port: int, rate: int, seconds: float) -> None:
    program.apply(rate=0, concurrency=CONCURRENCY)
    time.sleep(1)
    before, cpu, began = program.figures(), cpu_seconds(program.pid), time.monotonic()
    program.apply(rate=rate, concurrency=CONCURRENCY)
    time.sleep(seconds)
    program.apply(rate=0, concurrency=CONCURRENCY)
    took, used = time.monotonic() - began, cpu_seconds(program.pid) - cpu
    time.sleep(1)
    after = program.figures()
    done, late = (after[name] - before[name] for name in ("requests", "late"))
    print(
        f"{rate:5d}/s asked: {done / took:8.1f}/s done, {late} late, {after['errors']} failed, "
        f"{used / took * 100:5.1f} % of a core; p50 {after['p50']} p95 {after['p95']} p99 {after['p99']} ms"
    )
    if rate == RATES[-1]:
        kept = done >= LEAST_SHARE * rate * took and used / took * 100 <= MOST_CPU_PERCENT
        promise = f"at least {LEAST_SHARE:.0%}, at most {MOST_CPU_PERCENT:g} % of a core"
        print(f"        {promise}: {'kept' if kept else 'MISSED'}")
    samples = asyncio.run(bare(port, min(rate, 500), min(seconds, 5)))
    print(f"        bare client: {min(rate, 500):8d}/s, p50 {statistics.median(samples):.2f} p95 {p95(samples):.2f} ms")


@contextmanager
def served() -> Iterator[int]:
    """The hello server on a free port."""
    port = free_port()
    command = [sys.executable, "lab/demos/hello/__main__.py"]
    server = subprocess.Popen(command, cwd=HOME, env=clean_environment(PORT=str(port)), stdout=subprocess.DEVNULL)
    try:
        wait_until("the server to listen", lambda: _listens(port), step=0.05)
        yield port
    finally:
        server.kill()
        server.wait()


def _listens(port: int) -> bool:
    async def ask() -> bool:
        return bool(await one(*await asyncio.open_connection("127.0.0.1", port)))

    try:
        return asyncio.run(ask())
    except OSError:
        return False


async def bare(port: int, rate: int, seconds: float) -> list[float]:
    """Milliseconds of each answer, asked one after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    samples, begun = [], time.monotonic()
    while time.monotonic() - begun < seconds:
        await asyncio.sleep(max(begun + len(samples) / rate - time.monotonic(), 0))
        samples.append(await one(reader, writer))
    writer.close()
    return samples


async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    began = time.perf_counter()
    writer.write(b"GET / HTTP/1.1\r\nHost: hello\r\nAccept: */*\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
