"""The tests of all that trusts in the database's promises, once more on PostgreSQL.

In a session of pytest of its own, since one session has one database.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from .labs import clean_environment

HOME = Path(__file__).parents[1]


@pytest.mark.parametrize("folder", ["store", "client"])
def test_it_holds_on_postgresql_too(postgres, folder):
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", f"tests/{folder}"]
    env = clean_environment(TEST_DATABASE_URL=postgres)
    done = subprocess.run(command, cwd=HOME, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout, done.stdout[-2000:]
