"""What stands in the gateway's image on top of a Python: the data plane's program, and HAProxy where it can run.

HAProxy comes from this machine, with the libraries that it is linked with, so only onto the Python that is this
machine's too; elsewhere the program balances by itself.
"""

import hashlib
import shutil
import tarfile
from pathlib import Path
from typing import IO

from . import host_python

PROGRAM = Path(__file__).parents[2] / "proxy" / "program"
PLACES = "/usr/sbin:/usr/local/sbin"
START = {"Entrypoint": ["python3", "-S", "-E", "-m", "program"], "WorkingDir": "/app", "User": "0:0"}


def haproxy() -> Path | None:
    found = shutil.which("haproxy") or shutil.which("haproxy", path=PLACES)
    return Path(found).resolve() if found else None


def content(own_python: bool) -> str:
    """A digest of what goes in."""
    digest = hashlib.sha256(repr(START).encode())
    for path in _sources():
        digest.update(f"{path.relative_to(PROGRAM)}\0".encode() + path.read_bytes())
    if own_python and (balancer := haproxy()):
        facts = balancer.stat()
        digest.update(f"{host_python.content()} {balancer} {facts.st_size} {facts.st_mtime}".encode())
    return digest.hexdigest()[:16]


def write_archive(own_python: bool, file: IO[bytes]) -> None:
    """Write the tar archive of it. Not in memory: it has twenty megabytes, which the process would keep for good."""
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.dereference = True
        for path in _sources():
            tar.add(path, f"app/program/{path.relative_to(PROGRAM)}")
            # The compiled file beside it, if there is one, takes a tenth of a second off the start.
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                tar.add(compiled, f"app/program/{compiled.relative_to(PROGRAM)}")
        if own_python and (balancer := haproxy()):
            tar.add(balancer, "usr/sbin/haproxy")
            for library in host_python.libraries([balancer]):
                tar.add(library, str(library))
    file.seek(0)


def _sources() -> list[Path]:
    return sorted(PROGRAM.rglob("*.py"))
