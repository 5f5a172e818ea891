"""A root filesystem made of the Python that runs the lab: what demo images stand on where no registry can be reached.

The interpreter, its standard library (compiled files kept: they halve the start; tests, Tk and installed packages
left out), a few tools, and the shared libraries that `ldd` names for them. About 70 MB in two seconds. Linux only.
"""

import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

LEFT_OUT = (
    "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data", "site-packages",
    "dist-packages",
)  # fmt: skip
TOOLS = (
    "sh", "ls", "cat", "echo", "env", "sleep", "kill", "date", "hostname", "id", "touch", "rm", "mkdir", "head", "tail",
    "grep", "ps",
)  # fmt: skip
# The C library loads these by name when it first looks up a host or a user.
LOADED_LATER = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
GROUP = b"root:x:0:\nnogroup:x:65534:\n"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def content() -> str:
    """What goes in, in short: where this differs, an image made earlier is another one."""
    return hashlib.sha256(f"{sys.version}{LEFT_OUT}{TOOLS}{LOADED_LATER}".encode()).hexdigest()[:16]


def why_not(engine_architecture: str) -> str:
    """Why this host's interpreter cannot run on that engine; "" if it can."""
    if not sys.platform.startswith("linux"):
        return "this machine is not Linux, so its Python cannot run in a container"
    if ARCHITECTURES.get(platform.machine()) != engine_architecture:
        return f"this machine is {platform.machine()} and the engine {engine_architecture}"
    return "" if shutil.which("ldd") else "there is no ldd to find the interpreter's libraries with"


def write_root_filesystem(target: IO[bytes]) -> None:
    """Write the tar archive."""
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()  # not that of a virtual environment
    library = Path(sysconfig.get_path("stdlib"))
    tools = {f"bin/{tool}": Path(found).resolve() for tool in TOOLS if (found := shutil.which(tool))}
    linked = libraries([interpreter, *tools.values(), *library.glob("lib-dynload/*.so")])
    with tarfile.open(fileobj=target, mode="w") as tar:
        tar.dereference = True
        for path in [interpreter, *sorted(linked), *_modules(library)]:
            tar.add(path, _place(path))
        for name, path in tools.items():
            tar.add(path, name)
        for name in ("usr/local/bin/python", "usr/local/bin/python3"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, _place(interpreter)
            tar.addfile(link)
        _add(tar, "etc/passwd", PASSWD)
        _add(tar, "etc/group", GROUP)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)


def _place(path: Path) -> str:
    """Where a file of this host stands in the image: an interpreter from someone's home moves to /usr/local as a
    whole, which it does not mind: it looks for its library relative to itself."""
    home = Path(sys.base_prefix)
    if home not in (Path("/usr"), Path("/usr/local")) and path.is_relative_to(home):
        return str("/usr/local" / path.relative_to(home))
    return str(path)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _modules(library: Path) -> Iterator[Path]:
    """The files of the standard library that a small server may need."""
    wanted = (".py", ".so", ".json", ".txt", f".{sys.implementation.cache_tag}.pyc")
    for folder, below, names in os.walk(library):  # pathlib needs a second for the same, most of it in what is left out
        below[:] = [name for name in below if name not in LEFT_OUT and not name.startswith("config-")]
        yield from (Path(folder, name) for name in names if name.endswith(wanted))


def libraries(programs: list[Path]) -> set[Path]:
    """Every shared library the programs are linked with, and the loader, by the paths they are looked up under."""
    # ldd says 1 if one of many is static; what matters is what it printed.
    told = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, timeout=60, check=False).stdout
    found = {Path(match) for match in re.findall(r"(?:=> |^\s)(/\S+) \(0x", told, re.MULTILINE)}
    beside = {path.parent for path in found if path.name.startswith("libc.so")}
    return found | {folder / name for folder in beside for name in LOADED_LATER if (folder / name).exists()}
