"""`manage.py lessons prove`, in a lab of its own, with real local processes."""

import json
from pathlib import Path

import pytest

from lab.tutorials import authoring

from ..labs import is_alive, manage


@pytest.fixture
def lessons(tmp_path, settings) -> Path:
    """A lesson of two steps: one that holds, and one whose check holds before anything was done."""
    settings.LESSONS_DIR = tmp_path / "lessons"
    settings.LESSONS_DIR.mkdir()
    folder = authoring.new("trying")
    early = (folder / "1-ask-for-four.md").read_text().replace("deployment/web ready == 4", "deployment/web ready == 3")
    (folder / "2-too-early.md").write_text(early)
    return settings.LESSONS_DIR


def test_a_step_that_holds_is_told_from_one_that_does_not_and_nothing_is_left(lessons, tmp_path):
    spare = tmp_path / "spare"
    spare.mkdir()
    words = ("lessons", "prove", "--json", "--runtime", "process")
    done = manage(*words, data=tmp_path / "data", timeout=280, ORRERY_LESSONS=str(lessons), TMPDIR=str(spare))
    proofs = {proof["step"]: proof for proof in map(json.loads, done.stdout.splitlines())}
    assert proofs["ask-for-four"]["wrong"] == "", done.stdout
    assert set(proofs["ask-for-four"]["measured"]) == {"deployment/web ready", "took made"}
    assert "four holds before anything was done" in proofs["too-early"]["wrong"]
    assert done.returncode == 1, done.stderr
    assert list(spare.glob("orrery-prove-*")) == [] and running_in(spare) == []


def running_in(folder: Path) -> list[int]:
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if is_alive(pid) and str(folder).encode() in command_of(pid)]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
