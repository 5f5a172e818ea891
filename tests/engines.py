"""A second Docker engine, for tests that must stop theirs: others may be working on the machine's own."""

import os
import shutil
import subprocess
from pathlib import Path

import docker

from lab.management import pki

from .labs import wait_until


class PrivateEngine:
    """`dockerd` with folders, a socket and a default bridge of its own, that leaves the machine's firewall alone.

    Without a bridge (`--bridge=none`) it would take the machine's own away: it removes whatever is called docker0.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.bridge = f"orrery{os.getpid()}"
        self.socket = folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        folders = [f"--{name}={self.folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        self._make_network()
        command = [*self._within(), "dockerd", f"--host={self.host}", *folders, "--iptables=false", *self._options()]
        with (self.folder / "dockerd.log").open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until("the second engine to answer", self._answers, 60)

    def _within(self) -> list[str]:
        """The command that starts it where it is to be."""
        return []

    def _options(self) -> list[str]:
        return [f"--bridge={self.bridge}"]

    def _make_network(self) -> None:
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
        if self._process:  # else it could not be started
            self._process.terminate()
            self._process.wait(60)

    def clean_up(self) -> None:
        """Its bridge, and what its containers had mounted: otherwise nobody can remove the folder."""
        self._remove_network()
        self.unmount()

    def _remove_network(self) -> None:
        self._ip("link", "delete", self.bridge)

    def unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([each for each in mounts if each.startswith(str(self.folder))]):
            subprocess.run(["umount", "--lazy", mount], check=False)


class DistantEngine(PrivateEngine):
    """As if on another machine: this one reaches it at one port, with TLS, and nothing of its networks; and it sees
    nothing of the folder that it `hides`. `address` is what `up --engine` is given."""

    def __init__(self, folder: Path, hides: Path):
        super().__init__(folder)
        self._hides = hides
        self._here, self._there = (f"10.238.{os.getpid() % 256}.{end}" for end in (1, 2))
        pki.prepare(folder / "pki", [self._there])
        mine = folder / "client"
        mine.mkdir()
        shutil.copy(folder / "pki" / "ca.crt", mine / "ca.pem")
        for name, pem in zip(("cert", "key"), pki.client_certificate(folder / "pki", "orrery", []), strict=True):
            (mine / f"{name}.pem").write_bytes(pem)
        self.address = f"tcp://{self._there}:2376,{mine}"

    def _within(self) -> list[str]:
        hidden = ['mount -t tmpfs none "$0" && exec "$@"', str(self._hides)]
        return ["nsenter", f"--net=/run/netns/{self.bridge}", "unshare", "--mount", "sh", "-c", *hidden]

    def _options(self) -> list[str]:
        own = self.folder / "pki"
        files = [f"--tlscacert={own}/ca.crt", f"--tlscert={own}/server.crt", f"--tlskey={own}/server.key"]
        return [f"--host=tcp://{self._there}:2376", "--tlsverify", *files]

    def _make_network(self) -> None:
        if Path("/run/netns", self.bridge).exists():
            return
        self._ip("netns", "add", self.bridge)
        self._ip("link", "add", self.bridge, "type", "veth", "peer", "name", "eth0", "netns", self.bridge)
        self._ip("address", "add", f"{self._here}/24", "dev", self.bridge)
        self._ip("-n", self.bridge, "address", "add", f"{self._there}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            self._ip("-n", self.bridge, "link", "set", device, "up")
        self._ip("link", "set", self.bridge, "up")

    def _remove_network(self) -> None:
        super()._remove_network()  # a wire, whose other end goes along; with its namespace it would, a moment later
        self._ip("netns", "delete", self.bridge)
