"""The log: lines on standard output, JSON each, with the id of the request. Who reads them is not our business."""

import json
import threading
import time

_of_thread = threading.local()


def follow(request_id: str) -> None:
    """From now on this thread works for that request: its lines say so, and so do its requests to others."""
    _of_thread.request_id = request_id


def current_id() -> str:
    return getattr(_of_thread, "request_id", "")


def log(level: str, begun: float | None = None, **fields: object) -> None:
    """`begun`, of the steady clock: what is told took from then until now. In microseconds, for a request is in one
    part after the other within a millisecond."""
    now, steady = time.time(), time.monotonic()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1_000_000) % 1_000_000:06d}Z"
    line = {"time": stamp, "level": level, "request_id": current_id(), **fields}
    if begun is not None:
        line["ms"] = round((steady - begun) * 1000, 3)
    print(json.dumps({key: value for key, value in line.items() if value != ""}), flush=True)
