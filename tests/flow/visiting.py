"""Visitors with a stopwatch: requests at an even rate, each of them remembered, and none of them retried."""

import asyncio
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..labs import LabUnderTest


@dataclass
class Visit:
    began: float  # monotonic
    ended: float = 0.0
    status: int = 0  # 0: no answer
    pod: str = ""
    version: str = ""
    trouble: str = ""

    @property
    def failed(self) -> bool:
        return self.status != 200


class Visitors:
    """`with Visitors(address, host, rate) as visitors:` … and afterwards `visitors.visits` is complete."""

    def __init__(self, address: tuple[str, int], host: str, rate: float = 200, path: str = "/", headers: str = ""):
        self.visits: list[Visit] = []
        self._address = address
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()
        self._rate = rate
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> "Visitors":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def failures(self) -> list[Visit]:
        return [visit for visit in list(self.visits) if visit.ended and visit.failed]

    async def _run(self) -> None:
        began, tasks = time.monotonic(), set()
        while not self._stopping.is_set():
            due = began + len(self.visits) / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            visit = Visit(time.monotonic())
            self.visits.append(visit)
            task = asyncio.create_task(self._visit(visit))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        for _, writer in self._idle:
            writer.close()

    async def _visit(self, visit: Visit) -> None:
        try:
            async with asyncio.timeout(20):
                await self._ask(visit)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            visit.trouble = repr(error)
        visit.ended = time.monotonic()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """An idle one that the other side has not closed meanwhile, else a new one."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self._address)

    async def _ask(self, visit: Visit) -> None:
        reader, writer = connection = await self._connection()
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        visit.status = int(lines[0].split()[1])
        visit.pod, visit.version = headers.get("x-orrery-pod", ""), headers.get("x-orrery-version", "")
        if visit.failed:
            visit.trouble = body.decode(errors="replace")[:200]
        if headers.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._idle.append(connection)


def address_of(lab: LabUnderTest) -> tuple[str, int]:
    """A lab's front door."""
    return "127.0.0.1", urlsplit(lab.run()["front_door"]).port
