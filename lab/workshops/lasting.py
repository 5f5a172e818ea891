"""A stream lasts no longer than what it was let in by: a shell, a log, a board that an instructor looks along with."""

import asyncio
import time
from collections.abc import Callable

from lab.apimachinery.errors import ApiError
from lab.apiserver.threads import in_thread
from lab.httpserver import Message, Receive, Send

LOOK_SECONDS = 2.0
POLICY_VIOLATION = 1008
GONE = {"type": "http.disconnect"}
MOST_REASON = 123  # bytes: RFC 6455, 5.5.1


def lasting(receive: Receive, send: Send, check: Callable[[], None], socket: bool) -> tuple[Receive, Send]:
    """Both ends of a websocket, or of an answer, that is over when `check` raises ApiError: it is closed, and who
    serves it hears that its client has gone. An answer that has not begun, or has ended, goes by what was checked
    before it."""
    due, begun, over = time.monotonic() + LOOK_SECONDS, socket, False

    async def heard() -> Message:
        nonlocal due, over
        waiting = asyncio.ensure_future(receive())
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=max(0.0, due - time.monotonic()))
                if time.monotonic() >= due:
                    if begun:
                        await in_thread(check)
                    due = time.monotonic() + LOOK_SECONDS
                if done:
                    return waiting.result()
        except ApiError as error:
            over = True
            return await _end(send, error, socket) if begun else GONE
        finally:
            waiting.cancel()

    async def said(message: Message) -> None:
        nonlocal begun
        if not over:  # what was on its way is for nobody any more
            await send(message)
            begun = socket or message["type"] == "http.response.start" or message.get("more_body", False)

    return heard, said


async def _end(send: Send, error: ApiError, socket: bool) -> Message:
    """What who serves it hears."""
    if not socket:
        await send({"type": "http.response.body", "body": b""})
        return GONE
    reason = error.message.encode()[:MOST_REASON].decode(errors="ignore")
    await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
    return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
