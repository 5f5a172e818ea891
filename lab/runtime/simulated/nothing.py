"""Talking to a process that there is not, and writing to a volume that nobody keeps."""

from pathlib import Path

from lab.runtime.stream import STDERR


class Nothing:
    """A `lab.runtime.stream.Stream` that says in one line that nothing runs here, and ends."""

    def __init__(self, words: str, code: int):
        self._words = words.encode()
        self._code = code

    def read(self) -> tuple[int, bytes] | None:
        words, self._words = self._words, b""
        return (STDERR, words) if words else None

    def write(self, data: bytes) -> None:
        pass

    def end_input(self) -> None:
        pass

    def resize(self, columns: int, rows: int) -> None:
        pass

    def exit_code(self) -> int:
        return self._code

    def close(self) -> None:
        pass


class NoVolumes:
    """A `lab.runtime.VolumeService` where no file is written."""

    def ensure(self, cluster: str, name: str) -> str:
        return name

    def place(self, source: str) -> Path | None:
        return None

    def share(self, sandbox_id: str, uid: str) -> None:
        pass

    def remove(self, cluster: str, name: str) -> None:
        pass

    def present(self) -> list[tuple[str, str]]:
        return []
