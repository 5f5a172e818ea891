"""exec and attach: a command's streams over one websocket, each message led by the number of its channel.

The protocol is Kubernetes' `v5.channel.k8s.io`, the same from kubectl to the API server and from there to here. A
client of v4 speaks it too, but cannot end the command's input. Source: k8s.io/kubelet/pkg/cri/streaming/remotecommand.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from lab.apimachinery.tasks import every, until_first_ends
from lab.httpserver import Receive, Scope, Send
from lab.runtime import RuntimeFailure
from lab.runtime.stream import STDERR, STDOUT, Stream

log = logging.getLogger(__name__)
T = TypeVar("T")
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")  # the better one first
BEAT_SECONDS = 5.0
STDIN, ERROR, RESIZE, CLOSE = 0, 3, 4, 255  # the channels besides STDOUT and STDERR


@dataclass(frozen=True)
class Options:
    """Which of its streams the client wants, and the command for exec."""

    command: list[str]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


def options(query: dict[str, list[str]]) -> Options:
    """From a query string as `parse_qs` gives it. Raises ValueError in a kubelet's words."""
    wanted = {name: query.get(name, [""])[0] in ("1", "true") for name in ("stdin", "stdout", "stderr", "tty")}
    if not (wanted["stdin"] or wanted["stdout"] or wanted["stderr"]):
        raise ValueError("you must specify at least 1 of stdin, stdout, stderr")
    return Options(query.get("command", []), **wanted)


async def serve(scope: Scope, receive: Receive, send: Send, wanted: Options, begin: Callable[[], Stream]) -> None:
    """Start the command and pass on what is said, until it has ended or the client hangs up."""
    loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor(2, "exec-stream")
    protocol = next((one for one in PROTOCOLS if one in scope["subprotocols"]), None)
    try:
        await send({"type": "websocket.accept", "subprotocol": protocol})
        try:
            stream = await loop.run_in_executor(pool, begin)
        except RuntimeFailure as failure:
            return await end(send, failed(failure.message))
        try:
            await Talk(receive, send, wanted, stream, pool).go_on()
        finally:
            await loop.run_in_executor(None, stream.close)
    except OSError as error:
        log.debug("a client of exec has gone: %s", error)
    finally:
        pool.shutdown(wait=False)


async def end(send: Send, status: dict) -> None:
    """The last message of a stream, and its end."""
    await send({"type": "websocket.send", "bytes": bytes([ERROR]) + json.dumps(status).encode()})
    await send({"type": "websocket.close", "code": 1000})


class Talk:
    """The two directions of one stream: what the runtime says and hears blocks, so a thread each."""

    def __init__(self, receive: Receive, send: Send, wanted: Options, stream: Stream, pool: ThreadPoolExecutor):
        self._receive, self._send, self._wanted = receive, send, wanted
        self._stream, self._pool = stream, pool

    async def go_on(self) -> None:
        """Until either side has ended it."""
        await until_first_ends(self._say(), self._listen(), every(BEAT_SECONDS, self._beat))

    async def _beat(self) -> None:
        """Nothing, on stdout. Raises OSError if the client has gone, which nobody would notice while what it has sent
        before waits to be read by the command."""
        await self._send({"type": "websocket.send", "bytes": bytes([STDOUT])})

    async def _blocking(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def _say(self) -> None:
        shown = {STDOUT: self._wanted.stdout, STDERR: self._wanted.stderr}
        while piece := await self._blocking(self._stream.read):
            channel, data = piece
            if shown[channel]:
                await self._send({"type": "websocket.send", "bytes": bytes([channel]) + data})
        await end(self._send, await self._blocking(self._end))

    def _end(self) -> dict:
        try:
            return status_of(self._stream.exit_code())
        except RuntimeFailure as failure:
            return failed(failure.message)

    async def _listen(self) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            told = message.get("bytes") or (message.get("text") or "").encode()
            if told:
                await self._hear(told[0], told[1:])

    async def _hear(self, channel: int, data: bytes) -> None:
        if channel == STDIN and self._wanted.stdin:
            await self._blocking(self._stream.write, data)
        elif channel == CLOSE and data[:1] == bytes([STDIN]):
            await self._blocking(self._stream.end_input)
        elif channel == RESIZE:
            try:
                size = json.loads(data)
                await self._blocking(self._stream.resize, int(size["Width"]), int(size["Height"]))
            except (ValueError, KeyError, TypeError, RuntimeFailure) as error:
                log.debug("a terminal keeps its size: %s", error)


def status_of(exit_code: int) -> dict:
    """How a command ended, as the Status that closes its stream."""
    if not exit_code:
        return {"metadata": {}, "status": "Success"}
    cause = {"reason": "ExitCode", "message": str(exit_code)}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {exit_code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [cause]},
    }


def failed(message: str) -> dict:
    """A failure that is not the command's own."""
    about = {"reason": "InternalError", "details": {"causes": [{"message": message}]}, "code": 500}
    return {"metadata": {}, "status": "Failure", "message": f"Internal error occurred: {message}", **about}
