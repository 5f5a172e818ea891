"""A web server that says which version, pod and node answered. Environment, all optional:

VERSION (v1), COLOR (any CSS colour), PORT (8080), ADDRESS (all), READY_AFTER (seconds until /readyz says yes, 0),
FAIL_EVERY (5: of five visits to / one is answered with 500, as of a release that one should not have made),
GRACEFUL (no: it ends at SIGTERM in the middle of its requests, as a program does that was never told how),
LINGER (seconds for which it goes on answering after SIGTERM, 0: who has not heard yet that it ends still comes),
PAGE (a file to show instead of page.html), POD_NAME and NODE_NAME (Kubernetes can fill them in: valueFrom.fieldRef).

It does by hand what `http.server` would do, because importing that takes three times as long as everything here.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time

VERSION = os.environ.get("VERSION", "v1")
LINGER = float(os.environ.get("LINGER") or 0)
COLORS = {"v1": "#3b82f6", "v2": "#16a34a", "v3": "#d97706"}
COLOR = os.environ.get("COLOR") or COLORS.get(VERSION, "#9333ea")
POD = os.environ.get("POD_NAME") or socket.gethostname()
NODE = os.environ.get("NODE_NAME", "")
FAIL_EVERY = int(os.environ.get("FAIL_EVERY") or 0)
READY_AFTER = float(os.environ.get("READY_AFTER") or 0)
STARTED = time.monotonic()
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}
PROBES = ("/healthz", "/readyz")  # asked every second: not worth a line of the log
IDLE_SECONDS = 60
MOST_HEADERS = 16384

stopping = threading.Event()
leaving = threading.Event()  # it has been asked to stop, and may linger
lock = threading.Lock()
hits = 0
rests_until = 0.0  # not ready until then, though it works
connections: set[socket.socket] = set()

# The page, with gaps in braces: a file of its own beside the program, so that another version of it can be shipped.
with open(os.environ.get("PAGE") or os.path.join(os.path.dirname(__file__), "page.html"), encoding="utf-8") as file:
    PAGE = file.read()


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def query_value(query: str, key: str, default: str) -> str:
    """The value of `key` in `a=1&b=2`; nothing here needs percent-decoding."""
    pairs = (part.split("=", 1) for part in query.split("&") if "=" in part)
    return dict(pairs).get(key, default)


def hello(accept: str) -> tuple[int, str, str]:
    global hits
    with lock:
        hits += 1
        count = hits
    if FAIL_EVERY and count % FAIL_EVERY == 0:
        return 500, "text/plain", f"{POD} ({VERSION}) has failed: each visit number {FAIL_EVERY} does\n"
    if "text/html" not in accept:
        return 200, "text/plain", f"Hello from {POD} ({VERSION}){' on ' + NODE if NODE else ''}, visit {count}\n"
    facts = {"version": VERSION, "color": COLOR, "pod": POD, "node": NODE or "–", "hits": str(count)}
    page = PAGE
    for gap, text in {**facts, "up": f"{time.monotonic() - STARTED:.0f}"}.items():
        page = page.replace("{" + gap + "}", escape(text))
    return 200, "text/html", page


def number(query: str, key: str, default: str, most: float) -> float:
    """The value of `key`, from nothing to `most`. ValueError if it is no number."""
    return min(max(float(query_value(query, key, default)), 0.0), most)


def slow(query: str) -> tuple[int, str, str]:
    """Answers after `?s=` seconds, at most a minute: a request for graceful termination to wait for."""
    try:
        seconds = number(query, "s", "1", most=60)
    except ValueError:
        return 400, "text/plain", "s must be a number of seconds\n"
    time.sleep(seconds)
    return 200, "text/plain", f"{POD} ({VERSION}) took {seconds:g} s\n"


def rest(query: str) -> tuple[int, str, str]:
    """Says no at /readyz for `?s=` seconds, at most ten minutes: as a program does that has too much to do, or too
    little of what it needs. It answers all the same whoever asks."""
    global rests_until
    try:
        seconds = number(query, "s", "20", most=600)
    except ValueError:
        return 400, "text/plain", "s must be a number of seconds\n"
    rests_until = time.monotonic() + seconds
    return 200, "text/plain", f"{POD} is not ready for {seconds:g} s\n"


def burn(query: str) -> tuple[int, str, str]:
    """Takes so many milliseconds of CPU (`?ms=`) before it answers: something to do, for an autoscaler to see."""
    try:
        seconds = number(query, "ms", "50", most=60_000) / 1000
    except ValueError:
        return 400, "text/plain", "ms must be a number of milliseconds\n"
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass
    return 200, "text/plain", f"{POD} ({VERSION}) burnt {seconds * 1000:g} ms of CPU\n"


def answer(target: str, accept: str) -> tuple[int, str, str]:
    """(status, content type, body) for a request's target."""
    path, _, query = target.partition("?")
    if path == "/":
        return hello(accept)
    if path == "/healthz":
        return 200, "text/plain", "ok\n"
    if path == "/readyz":
        # Out of the endpoints before the end: whoever asks while we finish is sent elsewhere.
        ready = time.monotonic() >= max(STARTED + READY_AFTER, rests_until) and not stopping.is_set()
        return (200, "text/plain", "ok\n") if ready else (503, "text/plain", "not ready\n")
    if path == "/rest":
        return rest(query)
    if path == "/slow":
        return slow(query)
    if path == "/burn":
        return burn(query)
    if path == "/env":
        return 200, "text/plain", "".join(f"{key}={value}\n" for key, value in sorted(os.environ.items()))
    if path == "/crash":
        print("asked to crash: exit 1", flush=True)
        os._exit(1)
    return 404, "text/plain", "try / /healthz /readyz /rest?s=20 /slow?s=2 /burn?ms=50 /env /crash\n"


def read_request(connection: socket.socket, buffered: bytes) -> tuple[str, dict[str, str], bytes]:
    """(request line, headers by lower-case name, bytes after them); ("", {}, b"") when the peer has finished."""
    while b"\r\n\r\n" not in buffered:
        chunk = connection.recv(4096)
        if not chunk or len(buffered) > MOST_HEADERS:
            return "", {}, b""
        buffered += chunk
    head, _, rest = buffered.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return first, headers, rest


def serve(connection: socket.socket, client: str) -> None:
    """One connection, request after request (keep-alive), until either side has had enough."""
    rest = b""
    try:
        while not stopping.is_set():
            first, headers, rest = read_request(connection, rest)
            words = first.split()
            if len(words) != 3:
                break
            method, target, protocol = words
            begun = time.monotonic()
            status, kind, text = answer(target, headers.get("accept", ""))
            body = text.encode()
            # A body was sent along: not read here, so the connection cannot carry another request.
            last = headers.get("connection", "").lower() == "close" or protocol == "HTTP/1.0"
            last = last or leaving.is_set() or "content-length" in headers or "transfer-encoding" in headers
            head = (
                f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\nX-Pod: {POD}\r\nX-Version: {VERSION}\r\n"
                f"Connection: {'close' if last else 'keep-alive'}\r\n\r\n"
            )
            connection.sendall(head.encode() + (b"" if method == "HEAD" else body))
            if target not in PROBES:
                print(f'{client} "{method} {target}" {status} {(time.monotonic() - begun) * 1000:.1f} ms', flush=True)
            if last:
                break
    except OSError:
        pass  # the client went away: its right
    finally:
        with lock:
            connections.discard(connection)
        connection.close()


def main() -> None:
    address, port = os.environ.get("ADDRESS", ""), int(os.environ.get("PORT") or 8080)
    listener = socket.create_server((address, port), backlog=128)

    def stop(*_: object) -> None:
        leaving.set()
        stopping.set()
        listener.close()  # accept() below returns with an error: no new connections

    def end(*_: object) -> None:
        print("asked to stop: exit 143, whoever waits", flush=True)
        os._exit(128 + signal.SIGTERM)

    def linger(*_: object) -> None:
        leaving.set()
        signal.setitimer(signal.ITIMER_REAL, LINGER)

    signal.signal(signal.SIGALRM, stop)
    told = linger if LINGER else stop
    signal.signal(signal.SIGTERM, end if os.environ.get("GRACEFUL") == "no" else told)
    signal.signal(signal.SIGINT, stop)
    print(f"hello {VERSION}: {POD} listens on {address or '*'}:{port}", flush=True)
    threads: list[threading.Thread] = []
    while not stopping.is_set():
        try:
            connection, peer = listener.accept()
        except OSError:
            continue
        connection.settimeout(IDLE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with lock:
            connections.add(connection)
        threads = [thread for thread in threads if thread.is_alive()]
        threads.append(threading.Thread(target=serve, args=(connection, peer[0]), daemon=True))
        threads[-1].start()
    with lock:
        for connection in connections:
            # Those that wait for a request read the end; those that work on an answer still send it.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
    for thread in threads:
        thread.join()
    print("asked to stop: every request is answered, exit 0", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
