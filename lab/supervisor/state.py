"""What a running lab leaves in its data folder for others to find: a hold on the folder, and `run.json`."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

HOME = Path(__file__).resolve().parents[2]
LEAST_FREE_BYTES = 20 * 1024 * 1024


class CannotStart(Exception):
    """Something outside the lab stands in the way; the message says what, and what to do."""


def data_folder() -> Path:
    return Path(os.environ.get("ORRERY_DATA") or HOME / ".data")


def check_writable(data: Path) -> None:
    """Make the folder, and prove that it takes a file and has some room: raises CannotStart."""
    try:
        (data / "logs").mkdir(parents=True, exist_ok=True)
        trial = data / ".trial"
        trial.write_bytes(b"\0" * 4096)
        trial.unlink()
        space = os.statvfs(data)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise CannotStart(_full(data)) from error
        raise CannotStart(
            f"Cannot write to the data folder {data}: {error.strerror}. Choose another with --data DIR."
        ) from error
    if space.f_bavail * space.f_frsize < LEAST_FREE_BYTES:
        raise CannotStart(_full(data))


def _full(data: Path) -> str:
    return (
        f"The disk where {data} lies is full. The lab needs {LEAST_FREE_BYTES // 1024**2} MB to start: "
        "free some, or choose another folder with --data DIR."
    )


@contextlib.contextmanager
def hold(data: Path) -> Iterator[IO[str] | None]:
    """The folder's hold, or None if a running lab has it. The kernel gives it back however the holder ends."""
    with (data / "up.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def is_running(data: Path) -> bool:
    if not (data / "up.lock").exists():
        return False
    with hold(data) as held:
        return held is None


def read_run(data: Path) -> dict:
    """What the lab in this folder last said about itself; empty if it never ran."""
    try:
        return json.loads((data / "run.json").read_text())
    except (OSError, ValueError):
        return {}


def write_run(data: Path, run: dict) -> None:
    """Replaced in one step, so that a reader never sees half of it. A full disk does not stop the lab."""
    text, fresh = json.dumps(run, indent=1), data / "run.json.new"
    try:
        fresh.write_text(text)
        fresh.replace(data / "run.json")
    except OSError:
        with contextlib.suppress(OSError):
            _overwrite(data / "run.json", text)


def _overwrite(path: Path, text: str) -> None:
    """Where it lies, which takes no more room."""
    with path.open("r+") as file:
        file.write(text)
        file.truncate()


def remove_run(data: Path) -> None:
    with contextlib.suppress(OSError):
        (data / "run.json").unlink(missing_ok=True)
