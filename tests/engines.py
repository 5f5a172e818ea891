"""A second Docker engine, for tests that must stop theirs: others may be working on the machine's own."""

import os
import subprocess
from pathlib import Path

import docker

from .labs import wait_until


class PrivateEngine:
    """`dockerd` with folders, a socket and a default bridge of its own, that leaves the machine's firewall alone.

    Without a bridge (`--bridge=none`) it would take the machine's own away: it removes whatever is called docker0.
    `elsewhere`: as if on another machine, with a network that this one does not reach.
    """

    def __init__(self, folder: Path, elsewhere: bool = False):
        self.folder = folder
        self.elsewhere = elsewhere
        self.bridge = f"orrery{os.getpid()}"
        self.socket = folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        folders = [f"--{name}={self.folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        command = ["dockerd", f"--host={self.host}", *folders, "--iptables=false"]
        if self.elsewhere:
            command = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *command]
        else:
            self._make_bridge()
            command.append(f"--bridge={self.bridge}")
        with (self.folder / "dockerd.log").open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until("the second engine to answer", self._answers, 60)

    def _make_bridge(self) -> None:
        if not Path("/sys/class/net", self.bridge).exists():
            self._ip("link", "add", self.bridge, "type", "bridge")
            self._ip("addr", "add", f"10.239.{os.getpid() % 256}.1/24", "dev", self.bridge)
            self._ip("link", "set", self.bridge, "up")

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "dockerd.log").read_text()[-2000:]
        try:
            with docker.APIClient(self.host, timeout=5) as client:
                return client.ping()
        except (docker.errors.DockerException, OSError):
            return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def clean_up(self) -> None:
        """Its bridge, and what its containers had mounted: otherwise nobody can remove the folder."""
        if not self.elsewhere:
            self._ip("link", "delete", self.bridge)
        self.unmount()

    def unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([each for each in mounts if each.startswith(str(self.folder))]):
            subprocess.run(["umount", "--lazy", mount], check=False)
