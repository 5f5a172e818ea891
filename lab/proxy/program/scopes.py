"""What each scope (cluster) last wanted, kept on disk: a program that was killed serves again before it is told."""

import contextlib
import json
import re
from pathlib import Path

SCOPE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class Scopes:
    def __init__(self, folder: Path):
        self._folder = folder
        self.desired: dict[str, dict] = {}
        for path in sorted(folder.glob("*.json")):
            # A file cut short by a full disk: the agent will say it again.
            with contextlib.suppress(OSError, ValueError):
                self.desired[path.stem] = json.loads(path.read_text())

    def put(self, scope: str, desired: dict) -> None:
        """Raises ValueError for a name that is none. A full disk costs only the memory of it."""
        if not SCOPE.fullmatch(scope):
            raise ValueError(f"a scope is the name of a cluster, not {scope!r}")
        if self.desired.get(scope) == desired:
            return
        path = self._folder / f"{scope}.json"
        with contextlib.suppress(OSError):
            if desired:
                fresh = path.with_suffix(".new")
                fresh.write_text(json.dumps(desired))
                fresh.replace(path)
            else:
                path.unlink(missing_ok=True)
        self.desired = {**self.desired, scope: desired}
        if not desired:
            del self.desired[scope]
