"""A front door for tests: it answers by the path that is asked for, and remembers the requests."""

import asyncio
import threading

ANSWERS = {
    "/": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Orrery-Pod: web-1\r\nX-Orrery-Version: v1\r\n\r\nhi",
    "/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Orrery-Pod: web-2\r\nX-Orrery-Version: v2\r\n\r\n"
    b"2\r\nhi\r\n0\r\n\r\n",
    "/until-closed": b"HTTP/1.0 200 OK\r\n\r\nhi",
    "/broken": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 14\r\nX-Orrery-Pod: web-1\r\n\r\nnobody is home",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi",
    "/nonsense": b"220 mail.example.org ESMTP\r\n\r\n",
}
CLOSED_AFTER = ("/until-closed", "/cut")


class Door:
    """Serves on `port` in a thread of its own. `/silence` is never answered, `/hold` when `release` is called."""

    def __init__(self, port: int = 0):
        self._wanted = port
        self.port = 0
        self.requests: list[dict[str, str]] = []
        self.connections = 0
        self._held = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    def __enter__(self) -> "Door":
        self._thread.start()
        assert self._begun.wait(10)
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._held.set)

    async def _run(self) -> None:
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._wanted)
        self.port = server.sockets[0].getsockname()[1]
        self._begun.set()
        await self._end.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = self._note(head.decode())
                if path == "/silence":
                    await asyncio.sleep(3600)
                if path == "/hold":
                    await self._held.wait()
                writer.write(ANSWERS["/" if path == "/hold" else path])
                if path in CLOSED_AFTER:
                    return
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass  # the client has hung up, or the test is over
        finally:
            writer.close()

    def _note(self, head: str) -> str:
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.requests.append(headers | {"path": first.split()[1]})
        return first.split()[1]
