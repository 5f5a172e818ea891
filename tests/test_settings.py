"""What each process of a lab reads as it begins."""

import subprocess
import sys

from .labs import HOME, clean_environment

# Drawing the name takes a moment, in which the others begin.
ASK = """
import secrets, sys, time
draw = secrets.token_hex
secrets.token_hex = lambda length: time.sleep(1) or draw(length)
sys.stdin.read(1)
from lab.settings import LAB_ID, SECRET_KEY
print(LAB_ID, SECRET_KEY)
"""


def test_processes_that_begin_a_lab_at_once_agree_on_its_name_and_its_key(tmp_path):
    env = clean_environment(ORRERY_DATA=str(tmp_path))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", ASK], cwd=HOME, env=env, **pipes) for _ in range(6)]
    for process in processes:
        process.stdin.write("x")
        process.stdin.flush()
    said = {process.communicate(timeout=120)[0] for process in processes}
    assert len(said) == 1
    name, key = said.pop().split()
    assert (len(name), len(key)) == (8, 64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab-id", "secret-key"]
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
