"""Asking a port whether somebody sensible answers. Plain sockets: an HTTP library would double the supervisor."""

import socket
import urllib.parse


def http_get(address: str | tuple[str, int], path: str, timeout: float = 1.0) -> tuple[int, bytes]:
    """Status and body of one GET, from a host and port or from a Unix socket's path; (0, b"") if nobody answers."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"
    try:
        answer = _ask(address, request.encode(), timeout)
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body
    except (OSError, IndexError, ValueError):
        return 0, b""


def answers_control(path: str, timeout: float = 1.0) -> bool:
    """Whether the data plane is there, behind its control socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(path)
            connection.sendall(b'{"do": "ping"}\n')
            return b'"ok"' in connection.recv(65536)
        except OSError:
            return False


def answers_ping(redis_url: str, timeout: float = 1.0) -> bool:
    """Whether a Redis (or Valkey) is there; one that first wants a password is there too."""
    url = urllib.parse.urlsplit(redis_url)
    address = url.path if url.scheme == "unix" else (url.hostname or "127.0.0.1", url.port or 6379)
    try:
        return _ask(address, b"PING\r\nQUIT\r\n", timeout).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False


def _ask(address: str | tuple[str, int], request: bytes, timeout: float) -> bytes:
    """Send, and read until the other side closes."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as connection:
        connection.settimeout(timeout)
        connection.connect(address)
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)
