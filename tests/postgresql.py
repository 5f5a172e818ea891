"""A PostgreSQL of the tests' own: empty, on a free port of this machine, gone without a trace."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg

from .labs import clean_environment, free_port

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # of each version that is installed


class PostgreSQL:
    """`url` is its DATABASE_URL. It may be stopped, as with its machine, and started: what was committed stays."""

    def __init__(self) -> None:
        # Not among pytest's folders: each session closes them to others, and PostgreSQL refuses to run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="orrery-postgres-"))
        self._user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        if self._user:
            shutil.chown(self._folder, "postgres")
        self._data, self._port = self._folder / "data", free_port()
        self._turn = threading.Lock()
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
        self.start()

    def start(self) -> None:
        """Unless it runs."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off"
        with self._turn:
            if not (self._data / "postmaster.pid").exists():
                self._run("pg_ctl", "-w", "-o", options, "-l", self._data / "log", "start")

    def stop(self) -> None:
        """At once: it has to recover when it starts again. Unless it is stopped."""
        with self._turn:
            if (self._data / "postmaster.pid").exists():
                self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url).close()
            return True
        return False

    def dump(self, database: str, file: Path) -> None:
        with file.open("w") as out:
            url = f"{self.url.rpartition('/')[0]}/{database}"
            subprocess.run([PROGRAMS[-1] / "pg_dump", url], stdout=out, check=False)

    def remove(self) -> None:
        shutil.rmtree(self._folder)

    def _run(self, program: str, *words: str | Path) -> None:
        command = [*self._user, PROGRAMS[-1] / program, "-D", self._data, *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=clean_environment())
