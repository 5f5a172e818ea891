"""The few answers that come from the data plane itself, when no pod can give one. Pure."""

from collections.abc import Iterable

PLAIN = "text/plain; charset=utf-8"
NOBODY = "no endpoint is ready to answer"
FORM = "<service>.<namespace>.<cluster>.localhost"
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


def unreached(service: str) -> str:
    return f"{service}: its endpoints are ready, and none took a connection at the port that it sends to.\n"


def broken_off(service: str) -> str:
    return f"{service}: the pod broke the connection off before it had answered.\n"


def escape(text: str) -> str:
    """As `html.escape`, which brings a table of all names of letters along."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def lost(why: str, links: Iterable[tuple[str, str]], port: int) -> str:
    """A page for who is at the front door and leads nowhere; `links` (host, path) are what may have been meant."""
    where = [(host, path, f"http://{host}:{port}{path}") for host, path in sorted(set(links))]
    items = "".join(f'<li><a href="{escape(url)}">{escape(host + path)}</a></li>' for host, path, url in where)
    title = escape(why)
    return (
        f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
        "<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
        "body{max-width:40rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.5rem;overflow-wrap:anywhere}</style>"
        f"<h1>{title}</h1><p>A Service with a port for HTTP answers at <code>{escape(FORM)}:{port}</code>. "
        "Every other host or path needs an Ingress with a rule for it.</p>"
        + (f"<p>Here somebody is asked:</p><ul>{items}</ul>\n" if items else "<p>There is no such Service yet.</p>\n")
    )


def no_service(name: str, namespace: str, cluster: str, there: Iterable[str]) -> str:
    """For a program that has asked for a name that only a Service could have."""
    others = ", ".join(sorted(there))
    return (
        f"{name}: cluster {cluster} has no Service of this name, as seen from namespace {namespace}. "
        + (f"There is {others}; " if others else "There is none at all; ")
        + "one of another namespace is called <service>.<namespace>.\n"
    )
