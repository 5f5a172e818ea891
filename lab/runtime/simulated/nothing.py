"""Talking to a process that there is not."""

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
