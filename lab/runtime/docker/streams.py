"""What the engine sends for as long as one listens: a container's log lines, and events of the whole lab."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from docker.types.daemon import CancellableStream

from lab.runtime import Lines, LogOptions, RuntimeEvent, RuntimeFailure

from . import labels
from .engine import BROKEN, Engine, failing_as

logger = logging.getLogger(__name__)

TORN = (*BROKEN, ValueError)  # the last: what came is in pieces, or was closed under us
RECONNECT_SECONDS = 0.5
LOOK_SECONDS = 0.25
KINDS = {"start": "started", "die": "died", "oom": "oom", "destroy": "removed"}


def logs(engine: Engine, container_id: str, wanted: LogOptions) -> Lines:
    with failing_as("ContainerLogsUnavailable"):
        stream = engine.client.logs(
            container_id,
            stream=True,
            follow=wanted.follow,
            timestamps=wanted.timestamps,
            tail="all" if wanted.tail is None else wanted.tail,
            since=wanted.since or None,
        )
    return Lines(_assembled(stream), stream.close)


def _assembled(stream: CancellableStream) -> Iterator[bytes]:
    rest = b""
    for chunk in stream:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest + b"\n"


def event(raw: dict) -> RuntimeEvent | None:
    """What the kubelet should know of the engine's event, if anything. Pure."""
    about = raw.get("Actor", {}).get("Attributes", {})
    kind = KINDS.get(raw.get("Action", ""))
    if about.get(labels.KIND) == "gateway" and kind in ("died", "removed"):
        return RuntimeEvent("relist")  # it is no pod's, and whoever looks at everything looks after it too
    if kind is None or labels.UID not in about:
        return None
    if about.get(labels.KIND) == "sandbox":
        # Without its pause container a pod has no network, though its applications look well.
        kind = "sandbox-died" if kind in ("died", "removed") else kind
    code = about.get("exitCode", "")
    return RuntimeEvent(
        kind, about[labels.UID], raw["Actor"]["ID"], int(code) if code else None, raw.get("timeNano", 0) / 10**9
    )


def listen(engine: Engine, lab_id: str, on_event: Callable[[RuntimeEvent], None], stopped: Callable[[], bool]) -> None:
    """Block and report until `stopped()`; an engine that goes away is waited for, and asked what was missed."""
    # The engine answers before it has subscribed us, so even at first we ask for what has just been.
    since = f"{time.time() - 1:.9f}"
    lost = False
    while not stopped():
        try:
            client = engine.new_client()
            filters = {"type": ["container"], **labels.filter_of(lab_id)}
            stream = client.events(since=since, filters=filters, decode=True)
        except (RuntimeFailure, *TORN) as error:
            if not lost:
                logger.warning("waiting for the container engine: %s", error)
            lost = True
            _sleep(RECONNECT_SECONDS, stopped)
            continue
        if lost:
            logger.info("the container engine answers again")
        lost = False
        # What happens from here on is in the stream, what was before is in the relist.
        on_event(RuntimeEvent("relist"))
        since = _report(stream, on_event, stopped) or since
        client.close()
        if not stopped():
            _sleep(RECONNECT_SECONDS, stopped)


def _report(
    stream: CancellableStream, on_event: Callable[[RuntimeEvent], None], stopped: Callable[[], bool]
) -> str | None:  # fmt: skip
    """Report until the stream breaks or `stopped()`; the engine's time of the last event, for resuming from it."""
    since, over = None, threading.Event()
    threading.Thread(target=_close_when, args=(stream, stopped, over), daemon=True).start()
    try:
        for raw in stream:
            since = f"{raw['timeNano'] // 10**9}.{raw['timeNano'] % 10**9:09d}"
            found = event(raw)
            if found:
                on_event(found)
    except TORN as error:
        logger.debug("the stream of events broke: %s", error)
    finally:
        over.set()
    return since


def _close_when(stream: CancellableStream, stopped: Callable[[], bool], over: threading.Event) -> None:
    """The stream has no read timeout, as silence is normal: this ends it when the listener is to stop."""
    while not over.wait(LOOK_SECONDS):
        if stopped():
            try:
                stream.close()
            except TORN as error:
                logger.debug("the stream of events was closed already: %s", error)
            return


def _sleep(seconds: float, stopped: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stopped():
        time.sleep(min(LOOK_SECONDS, seconds))
