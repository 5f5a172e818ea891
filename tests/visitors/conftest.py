from collections.abc import Iterator
from pathlib import Path

import pytest

from .door import Door
from .program import Program


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as door:
        yield door


@pytest.fixture
def program(door: Door, tmp_path: Path) -> Iterator[Program]:
    """The load generator, before that door, without orders yet."""
    program = Program(tmp_path, f"http://localhost:{door.port}/").start()
    yield program
    program.kill()
