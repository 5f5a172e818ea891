"""A server behind the proxy, in threads of the test: it tells what it was asked, and can be slow, rude or gone."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Origin(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, name: str, port: int = 0):
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.seen: list[str] = []
        self.release = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def server(self, **more) -> dict:
        """Itself, in the words of the control protocol."""
        about = {"address": "127.0.0.1", "port": self.port, "weight": 1, "state": "ready"}
        return about | {"pod": self.name, "version": "abc"} | more

    def end(self) -> None:
        self.release.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of these tests go away as they like."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Origin

    def log_message(self, *words: object) -> None:
        """Not in the output of the tests."""

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/wait":
            self.server.release.wait(20)
        elif path == "/break":
            self.close_connection = True
            return
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        elif path == "/until-close":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")
            self.close_connection = True
            return
        elif path == "/big":
            self.answer(b"x" * int(query["bytes"][0]))
            return
        elif path == "/headers":
            self.answer(str(self.headers).encode())
            return
        elif path == "/upgrade":
            self.upgrade()
            return
        self.answer(self.server.name.encode(), int(query.get("status", ["200"])[0]))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.server.seen.append(self.path)
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(body)

    def upgrade(self) -> None:
        """As a websocket begins; then every byte comes back."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        while data := self.connection.recv(65536):
            self.wfile.write(data)
        self.close_connection = True


class Echo:
    """A TCP server that sends everything back, and ends when its client has ended."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def close(self) -> None:
        self._listener.close()
