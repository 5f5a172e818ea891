"""The few answers that come from the data plane itself, when no pod can give one. Pure."""

from collections.abc import Iterable

PLAIN = "text/plain; charset=utf-8"
NOBODY = "no endpoint is ready to answer"
REASONS = {
    400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 431: "Request Header Fields Too Large",
    502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip


def answer(status: int, body: str, content_type: str = PLAIN, close: bool = False) -> bytes:
    """A whole HTTP answer."""
    data = body.encode()
    head = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(data)}",
        "Cache-Control: no-store",
        *(["Connection: close"] if close else []),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


def nobody_ready(service: str, note: str = "") -> str:
    return f"{service}: {note or NOBODY}.\n"


def broken_off(service: str) -> str:
    return f"{service}: the pod broke the connection off before it had answered.\n"


def escape(text: str) -> str:
    """As `html.escape`, which brings a table of all names of letters along."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def unknown_host(asked: str, known: Iterable[str], port: int) -> str:
    """A page that lists where something answers."""
    hosts = sorted({host for host in known if host and not host.startswith("*")})
    links = "".join(f'<li><a href="http://{escape(host)}:{port}/">{escape(host)}</a></li>' for host in hosts)
    rest = f"<p>These hosts have one:</p><ul>{links}</ul>" if links else "<p>No Service has a port yet.</p>"
    title = f"No Service answers to {escape(asked) or 'a request without a host'}"
    return f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{rest}\n"
