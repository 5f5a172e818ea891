"""The kubelet's own HTTP server: the API server comes here for logs, to talk to a process, or kill it, and to build an
image.

Only for the lab: it listens on the loopback and answers whoever shows the token. Words and paths are a real kubelet's
(pkg/kubelet/server), but for `/kill`, `/images` and `/build`, which are ours.
"""

import asyncio
import contextlib
import functools
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from signal import Signals
from typing import Protocol
from urllib.parse import parse_qs

import uvicorn
from asgiref.sync import sync_to_async

from lab.client import is_kubelet_token
from lab.httpserver import QuietServer, Receive, Scope, Send
from lab.runtime import Linkable, RuntimeFailure, Simulation

from . import imageservice, links, logs, portforward, remotecommand
from .agent import Agent
from .records import PodRecord
from .status import of_name
from .usage import pod_stats

log = logging.getLogger(__name__)


class Stoppable(Protocol):
    """Lines that come slowly, until somebody closes them."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Refusal(Exception):
    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


class Server:
    """Serves all agents of the process. `url` is known once `start()` has returned."""

    def __init__(self, agents: Callable[[], list[Agent]], host: str = "127.0.0.1", shown_host: str = ""):
        self._agents = agents
        self._shown_host = shown_host or host
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            host=host,
            port=0,
            lifespan="off",
            ws="wsproto",
            ws_ping_interval=None,  # who does not read for a while is not gone
            log_config=None,
            access_log=False,
        )
        config.timeout_graceful_shutdown = 1
        self._server = QuietServer(config)
        self._thread = threading.Thread(target=self._run, name="kubelet-http", daemon=True)
        self.url = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=3)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        sockets = [self._server.config.bind_socket()]
        self.url = f"http://{self._shown_host}:{sockets[0].getsockname()[1]}"
        await self._server.serve(sockets)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        refuse = denying(send) if scope["type"] == "websocket" else send
        try:
            await self._route(scope, receive, send)
        except Refusal as refusal:
            await answer(refuse, refusal.code, f"{refusal}\n")
        except RuntimeFailure as failure:
            await answer(refuse, 500, f"{failure.reason}: {failure.message}\n")

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        verb, *path = scope["path"].strip("/").split("/")
        if verb == "healthz":
            return await answer(send, 200, "ok")
        headers = dict(scope["headers"])
        scheme, _, shown = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme != "Bearer" or not is_kubelet_token(shown):
            raise Refusal(401, "Unauthorized")
        if verb == "stats":
            return await answer(send, 200, json.dumps(await sync_to_async(self._stats)()), "application/json")
        if verb in ("images", "build") and len(path) == 1:
            return await self._images(verb, path[0], scope, receive, send)
        if verb == "link" and len(path) == 2 and scope["method"] == "POST":
            return await links.serve(self._linkable(path[1]), path[0], scope, receive, send)
        if verb == "portForward" and len(path) == 3:
            return await forward(*self._find(*path), scope, receive, send)
        if verb not in ("containerLogs", "kill", "exec", "attach") or len(path) != 4:
            raise Refusal(404, "404 page not found")
        agent, record = self._find(*path[:3])
        query = parse_qs(scope["query_string"].decode())
        if verb in ("exec", "attach"):
            return await talk(agent, record, path[3], verb, query, scope, receive, send)
        if verb == "kill":
            if scope["method"] != "POST":
                raise Refusal(405, "Method not allowed")
            signal = query.get("signal", ["KILL"])[0]
            await sync_to_async(kill, thread_sensitive=False)(agent, record, path[3], signal)
            return await answer(send, 200, "killed\n")
        options = logs.options(query)
        await stream(send, receive, lambda: logs.open_log(agent.runtime, record, path[3], options))

    async def _images(self, verb: str, runtime: str, scope: Scope, receive: Receive, send: Send) -> None:
        there = next((agent.runtime.images for agent in self._agents() if agent.runtime.name == runtime), None)
        if there is None:
            raise Refusal(404, f"no kubelet for {runtime} here")
        if verb == "images":
            told = await sync_to_async(imageservice.told, thread_sensitive=False)(there)
            return await answer(send, 200, json.dumps(told), "application/json")
        if scope["method"] != "POST":
            raise Refusal(405, "Method not allowed")
        order = json.loads(await read_body(receive))
        await stream(send, receive, lambda: imageservice.BuildLines(there, order))

    def _linkable(self, engine: str) -> Linkable:
        for agent in self._agents():
            if agent.acts and agent.runtime.engine == engine and isinstance(agent.runtime, Linkable):
                return agent.runtime
        raise Refusal(404, f"no kubelet for {engine} here")

    def _find(self, cluster: str, namespace: str, pod: str) -> tuple[Agent, PodRecord]:
        for agent in self._agents():
            record = agent.parts.pods.find(cluster, namespace, pod)
            if record:
                return agent, record
        raise Refusal(404, f'pod "{pod}" not found in namespace "{namespace}"')

    def _stats(self) -> dict:
        """Kubernetes' Summary API, for all nodes of this process."""
        return {"pods": [pod for agent in self._agents() for pod in pod_stats(agent.runtime, agent.parts.pods)]}


def running(record: PodRecord, container: str) -> str | None:
    return next((found.id for found in of_name(record.sandbox, container) if found.state == "running"), None)


def kill(agent: Agent, record: PodRecord, container: str, signal: str) -> None:
    """Signal the container's process, and nothing else: what follows is the kubelet's ordinary work."""
    if f"SIG{signal}" not in Signals.__members__:
        raise Refusal(400, f'there is no signal "{signal}": name one as KILL, TERM or HUP')
    container_id = running(record, container)
    if not container_id:
        raise Refusal(404, f'container "{container}" of pod "{record.address[2]}" is not running')
    agent.runtime.kill_container(container_id, signal)


async def talk(
    agent: Agent, record: PodRecord, container: str, verb: str, query: dict[str, list[str]],
    scope: Scope, receive: Receive, send: Send,
) -> None:  # fmt: skip
    """exec or attach; everything that speaks against it is said before the connection becomes a stream."""
    try:
        wanted = remotecommand.options(query)
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    if verb == "exec" and not wanted.command:
        raise Refusal(400, "you must specify a command to execute")
    container_id = running(record, container)
    if not container_id:
        raise Refusal(500, f'container not found ("{container}")')
    check_upgrade(scope)
    begin = functools.partial(agent.runtime.attach, container_id, wanted.stdin)
    if verb == "exec":
        begin = functools.partial(agent.runtime.exec, container_id, wanted.command, wanted.stdin, wanted.tty)
    await remotecommand.serve(scope, receive, send, wanted, begin)


async def forward(agent: Agent, record: PodRecord, scope: Scope, receive: Receive, send: Send) -> None:
    name = record.address[2]
    if isinstance(agent.runtime, Simulation):
        raise Refusal(400, f"pod {name} is simulated: nothing listens on any port of it")
    if not record.sandbox or not record.sandbox.ready:
        raise Refusal(500, f"pod {name} has no network")
    check_upgrade(scope)
    asked = parse_qs(scope["query_string"].decode()).get("ports", [])
    ports = [int(port) for port in ",".join(asked).split(",") if port.isdecimal() and int(port) < 1 << 16]
    if not ports and portforward.PROTOCOL not in scope["subprotocols"]:
        raise Refusal(400, 'query parameter "ports" is required')
    await portforward.serve(scope, receive, send, name, record.sandbox.address, ports)


def check_upgrade(scope: Scope) -> None:
    """Raises Refusal: HTTP alone cannot carry a stream both ways, and the SPDY of before 1.31 is not spoken here."""
    if scope["type"] != "websocket":
        raise Refusal(400, "WebSockets are spoken here, as kubectl does since 1.31")


async def read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def denying(send: Send) -> Send:
    """`send` for an HTTP answer to somebody who asked for a websocket."""
    return lambda message: send({**message, "type": f"websocket.{message['type']}"})


async def answer(send: Send, code: int, body: str, content_type: str = "text/plain; charset=utf-8") -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body.encode())).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


async def stream(send: Send, receive: Receive, open_lines: Callable[[], Stoppable]) -> None:
    """Send lines as they come, until they end or the caller hangs up; then the engine's stream is closed."""
    lines = await sync_to_async(open_lines, thread_sensitive=False)()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    gone = asyncio.create_task(_until_disconnect(receive))
    try:
        async with contextlib.aclosing(_chunks(lines, gone)) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        lines.close()


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _chunks(lines: Stoppable, gone: asyncio.Task) -> AsyncGenerator[bytes, None]:
    """Lines from a blocking iterator, read in a thread of their own, several at a time where several wait."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1000)
    loop, over = asyncio.get_running_loop(), threading.Event()

    def read() -> None:
        try:
            for line in lines:
                asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()
                if over.is_set():
                    return
        except (RuntimeFailure, OSError, ValueError) as error:
            log.debug("a log stream ends: %s", error)
        finally:
            asyncio.run_coroutine_threadsafe(queue.put(None), loop)

    threading.Thread(target=read, name="log-stream", daemon=True).start()
    try:
        while True:
            take = asyncio.ensure_future(queue.get())
            await asyncio.wait([take, gone], return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                take.cancel()
                return
            parts = [take.result(), *_waiting(queue)]
            if body := b"".join(part for part in parts if part is not None):
                yield body
            if parts[-1] is None:
                return
    finally:
        over.set()
        _waiting(queue)  # the thread may wait for a place in the queue


def _waiting(queue: asyncio.Queue) -> list:
    return [queue.get_nowait() for _ in range(queue.qsize())]
