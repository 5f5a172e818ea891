import socketserver
import threading
import time

from lab.supervisor.engine import choose_runtime


class Ping(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nOK")


def test_a_lab_that_was_torn_away_waits_for_its_engine(tmp_path, monkeypatch):
    """As after the host has restarted: the lab and the engine begin at once, and its nodes are that engine's."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert choose_runtime("auto") == "process"
    chosen = []
    waiting = threading.Thread(target=lambda: chosen.append(choose_runtime("auto", before="docker")))
    waiting.start()
    time.sleep(0.5)
    assert not chosen
    with socketserver.ThreadingUnixStreamServer(f"{tmp_path}/docker.sock", Ping) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        waiting.join(30)
        engine.shutdown()
    assert chosen == ["docker"]
