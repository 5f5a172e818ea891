"""The bank's front: HTTP, one line of log a request, health for the kubelet, and a graceful end."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

from .bank import Bank
from .log import follow, log
from .messages import Answer, Request, refused

IDLE_SECONDS = 60
MOST_BODY = 1 << 20
PROBES = ("/healthz", "/readyz")  # asked every second: not worth a line of the log


class Server(ThreadingHTTPServer):
    """A thread a connection, and as many requests at a time as there are workers: for all parts together."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], bank: Bank, workers: int):
        self.bank = bank
        self.workers = threading.Semaphore(workers)
        self.stopping = threading.Event()
        self.idle: set[socket.socket] = set()  # connections that wait for their next request
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the name service what this machine is called, which may take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """What ended a connection's thread: nearly always a client that went away, which is its right."""
        log("debug", **self.bank.about(), message=f"a connection ended: {sys.exception()!r}")

    def asked_to_stop(self, number: int, _frame: object) -> None:
        about = self.bank.about()
        if self.bank.faults.has("ignore-sigterm", *self.bank.parts):
            return log("warning", **about, message="asked to stop, and does not: ignore-sigterm is switched on")
        log("info", **about, message="asked to stop: finishes what it has")
        self.stopping.set()  # /readyz says no from now on
        for connection in list(self.idle):
            hear_no_more(connection)
        threading.Thread(target=self.shutdown).start()  # which waits for serve_forever(), and that is in this thread
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # new connections are refused at once


def hear_no_more(connection: socket.socket) -> None:
    """What has arrived can still be read and answered; after it comes the end."""
    with contextlib.suppress(OSError):  # gone already
        connection.shutdown(socket.SHUT_RD)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        """Between two requests a connection counts as idle."""
        self.server.idle.add(self.connection)
        if self.server.stopping.is_set():
            hear_no_more(self.connection)
        super().handle_one_request()

    def parse_request(self) -> bool:
        self.server.idle.discard(self.connection)
        return super().parse_request()

    def finish(self) -> None:
        self.server.idle.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        bank, path = self.server.bank, urlsplit(self.path).path
        if path in PROBES:
            never = bank.faults.has("never-ready", *bank.parts)
            well = path == "/healthz" or not (never or self.server.stopping.is_set())
            return self._send(Answer(200, {"status": "ok"}) if well else refused(503, "not ready"))
        self._serve()

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        bank, begun = self.server.bank, time.monotonic()
        request_id = self.headers.get("X-Request-Id") or uuid.uuid4().hex[:16]
        follow(request_id)
        try:
            request = self._request()
        except ValueError:
            return self._send(refused(400, "the body must be a JSON object, or a form"))
        switch = request.path in ("/faults", "/breaker")  # always answered: how else could it be switched off
        if switch:
            answer = bank.answer(request)
        else:
            with self.server.workers:
                answer = self._guarded(request)
        level = "info" if answer.ok else "error"
        error = answer.data.get("error", "") if isinstance(answer.data, dict) else ""
        words = {"method": request.method, "route": request.path, "status": answer.status, "error": error}
        log(level, begun, **bank.about(), part=bank.owner(request), **words)
        self._send(answer, request_id)

    def _guarded(self, request: Request) -> Answer:
        try:
            return self.server.bank.answer(request)
        except Exception as error:  # a bug in one request must not end the others
            return refused(500, f"{type(error).__name__}: {error}")

    def _request(self) -> Request:
        target = urlsplit(self.path)
        length = min(max(int(self.headers.get("Content-Length") or 0), 0), MOST_BODY)
        text = self.rfile.read(length).decode()
        # By its looks: what sends JSON with curl or urllib often says that it is a form.
        body = json.loads(text) if text.lstrip()[:1] in ("{", "[") else dict(parse_qsl(text))
        if not isinstance(body, dict):
            raise ValueError(body)
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        return Request("POST" if self.command == "POST" else "GET", target.path, query, body)

    def _send(self, answer: Answer, request_id: str = "") -> None:
        """As JSON or HTML; a browser that has sent a form goes back to the page."""
        status, body = answer.status, answer.encoded()
        from_form = self.command == "POST" and "text/html" in self.headers.get("Accept", "")
        self.send_response_only(303 if from_form else status)
        if from_form:
            said = "Paid." if answer.ok else answer.data["error"]
            self.send_header("Location", f"/?said={quote(str(said))}")
        self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if request_id:
            self.send_header("X-Request-Id", request_id)
        if self.server.stopping.is_set():
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(environment: Mapping[str, str]) -> None:
    bank = Bank(environment)
    address = environment.get("ADDRESS", ""), int(environment.get("PORT") or 8080)
    server = Server(address, bank, int(environment.get("WORKERS") or 8))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.asked_to_stop)
    signal.signal(signal.SIGHUP, lambda *_: bank.forget())  # by custom: begin anew, with what is configured
    log("info", **bank.about(), message=f"{bank.part} {bank.version} listens on {address[0] or '*'}:{address[1]}")
    server.serve_forever(poll_interval=5)  # it is woken, and looks around for nothing
    server.server_close()  # waits for the threads that still work
    log("info", **bank.about(), message="every request is answered")
    os._exit(0)
