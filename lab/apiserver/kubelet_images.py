"""The API server's way to the images of a node's engine: see `lab/kubelet/imageservice.py`, which answers."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from lab.apimachinery.errors import ApiError

from .kubelet_proxy import silent
from .kubelet_token import token

ANSWER_SECONDS = 30.0


class Lines:
    """An answer's lines, as they come. `close()`, from any thread, hangs up: then they end, or raise ApiError 503."""

    def __init__(self, kubelet: str, method: str, path: str, body: bytes | None, seconds: float):
        self._kubelet = kubelet
        self._connection = http.client.HTTPConnection(urlsplit(kubelet).netloc, timeout=seconds)
        self._asked = method, path, body, {"Authorization": f"Bearer {token()}"}

    def __iter__(self) -> Iterator[bytes]:
        try:
            self._connection.request(*self._asked)
            answer = self._connection.getresponse()
            if answer.status != 200:
                raise ApiError(answer.status, "InternalError", answer.read().decode(errors="replace").strip())
            yield from answer
        except (OSError, http.client.HTTPException) as error:
            raise silent(self._kubelet, error) from None
        finally:
            self._connection.close()

    def close(self) -> None:
        sock = self._connection.sock
        if sock:
            with contextlib.suppress(OSError):  # it has hung up first
                sock.shutdown(socket.SHUT_RDWR)


def images(kubelet: str, runtime: str) -> list[dict]:
    return json.loads(b"".join(Lines(kubelet, "GET", f"/images/{runtime}", None, ANSWER_SECONDS)))


def build(kubelet: str, runtime: str, order: dict) -> Lines:
    """What is said while an image is built, a JSON object a line; to hang up ends the build."""
    seconds = order["seconds"] + ANSWER_SECONDS
    return Lines(kubelet, "POST", f"/build/{runtime}", json.dumps(order).encode(), seconds)
