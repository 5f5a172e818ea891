"""The bank in its two shapes, running."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import demos

from .processes import Program


@pytest.fixture
def monolith(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path, "bank").start()
    yield program
    program.end(9)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[dict[str, Program]]:
    """By part. Accounts and payments keep their records in storage."""
    programs = {part: Program(tmp_path, part) for part in demos.BANK_PARTS}
    urls = {f"{part.upper()}_URL": program.url for part, program in programs.items()}
    for part, program in programs.items():
        store = {"STORE": urls["STORAGE_URL"]} if part in ("accounts", "payments") else {}
        program._environment |= urls | store
        program.start()
    yield programs
    for program in programs.values():
        program.end(9)
