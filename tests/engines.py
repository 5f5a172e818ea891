"""A second Docker engine, for tests that must stop theirs: others may be working on the machine's own."""

import subprocess
from pathlib import Path

import docker

from .labs import wait_until


class PrivateEngine:
    """`dockerd` with folders and a socket of its own, that leaves the machine's firewall and default bridge alone."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        folders = [f"--{name}={self.folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        with (self.folder / "dockerd.log").open("a") as log:
            self._process = subprocess.Popen(
                ["dockerd", f"--host={self.host}", *folders, "--bridge=none", "--iptables=false", "--ip-masq=false"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until("the second engine to answer", self._answers, 60)

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

    def unmount(self) -> None:
        """What its containers had mounted; otherwise nobody can remove the folder."""
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([each for each in mounts if each.startswith(str(self.folder))]):
            subprocess.run(["umount", "--lazy", mount], check=False)
