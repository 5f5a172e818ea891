"""The first run, in a folder that has never seen one: `.venv` is really made, from the real locked requirements."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.labs import HOME, clean_environment, wait_until

BASE_PYTHON = sys._base_executable
SETUP_SECONDS = 280
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What manage.py needs for its set-up, and a Django project small enough to answer `help` and `check`."""
    new = tmp_path_factory.mktemp("clone")
    for name in ("manage.py", "requirements.lock", "lab"):
        copy = shutil.copytree if (HOME / name).is_dir() else shutil.copy
        copy(HOME / name, new / name)
    return new


def start(folder: Path, *words: str) -> subprocess.Popen:
    command = [BASE_PYTHON, "manage.py", *words]
    env = clean_environment(ORRERY_DATA=str(folder / "data"))
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen) -> str:
    said, _ = process.communicate(timeout=SETUP_SECONDS)
    assert process.returncode == 0, said
    return said


def test_without_arguments_it_explains_itself_and_sets_nothing_up(folder):
    assert "manage.py up" in finish(start(folder))
    assert not (folder / ".venv").exists()


def test_a_set_up_that_was_killed_is_mended_while_two_others_wait_for_each_other(folder):
    killed = start(folder, "version")
    assert killed.stdout.readline() == "Making .venv ...\n"
    wait_until("packages arriving", lambda: "3/" in killed.stdout.readline(), SETUP_SECONDS, step=0)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    first, second = start(folder, "version"), start(folder, "version")
    said = finish(first) + finish(second)
    assert said.count("Making .venv ...") == 1  # what the killed one left is not trusted
    assert said.count("5.2.") == 2
    assert (folder / ".venv.lock").read_text() == ""


def test_once_set_up_it_starts_without_a_word(folder):
    finish(start(folder, "version"))
    assert finish(start(folder, "version")).startswith("5.2.")


def test_a_changed_lock_is_installed_anew(folder):
    finish(start(folder, "version"))
    with (folder / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert "Installing" in finish(start(folder, "version"))
    assert "Installing" not in finish(start(folder, "version"))


def test_a_python_without_venv_is_told_what_to_install(folder, tmp_path):
    shutil.copy(folder / "manage.py", tmp_path)
    (tmp_path / "requirements.lock").write_text("nothing==1 \\\n")
    code = "import sys, runpy; sys.modules['ensurepip'] = None; sys.argv = ['manage.py', 'version']; "
    code += "runpy.run_path('manage.py', run_name='__main__')"
    done = subprocess.run([BASE_PYTHON, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "sudo apt install python3-venv" in done.stderr


def test_an_old_python_is_told_which_it_needs(folder):
    code = "import sys, runpy; sys.version_info = (3, 9); sys.argv = ['manage.py', 'up']; "
    code += "runpy.run_path('manage.py', run_name='__main__')"
    done = subprocess.run([BASE_PYTHON, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stderr.startswith("Orrery needs Python 3.11 or newer; this is 3.")
