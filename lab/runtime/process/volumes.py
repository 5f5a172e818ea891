"""Volumes of processes: folders below the lab's own, `volumes/<cluster>/<name>`; and how a process finds its mounts.

A process sees this machine's files: nothing can be mounted for it. So what it is told is rewritten instead: where its
environment, its command or its arguments name the path of a mount (`/data/bank.json`, `sh -c "date >> /data/log"`), the
path of the folder behind it is put. A path that a program knows by itself is not found, and `readOnly` is not enforced.
"""

import re
import shutil
from pathlib import Path

BEFORE, AFTER = r"(?<![\w./-])", r"(?![\w.-])"  # only a whole path, or the beginning of one


class Volumes:
    def __init__(self, data_dir: Path):
        self._folder = data_dir.resolve() / "volumes"

    def ensure(self, cluster: str, name: str) -> str:
        place = self._folder / cluster / name
        place.mkdir(parents=True, exist_ok=True)
        return str(place)

    def place(self, source: str) -> Path | None:
        return Path(source)

    def share(self, sandbox_id: str, uid: str) -> None:
        pass

    def remove(self, cluster: str, name: str) -> None:
        shutil.rmtree(self._folder / cluster / name, ignore_errors=True)

    def present(self) -> list[tuple[str, str]]:
        return sorted((place.parent.name, place.name) for place in self._folder.glob("*/*"))


def rewritten(text: str, mounts: list[dict]) -> str:
    """`text` with the folders of the mounts in place of their paths."""
    sources = {mount["target"].rstrip("/"): mount["source"] for mount in mounts}
    sources.pop("", None)
    if not sources:
        return text
    # The longest first: /data/deep before /data.
    paths = "|".join(re.escape(path) for path in sorted(sources, key=len, reverse=True))
    return re.sub(f"{BEFORE}({paths}){AFTER}", lambda found: sources[found[1]], text)
