"""The lab's settings for tests: data and broker of this run's own, so that no test meets a lab that somebody uses.

TEST_DATABASE_URL names another database than SQLite: `test_postgresql.py` sets it, and runs tests once more.
"""

import atexit
import os
import shutil
import socket
import tempfile

_folder = tempfile.mkdtemp(prefix="orrery-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["ORRERY_DATA"] = _folder
os.environ["ORRERY_ROOM"] = "http://testserver/"
for _name in ("DATABASE_URL", "ORRERY_PORT", "ORRERY_RUNTIME", "ORRERY_CLOCK", "ORRERY_LAB_ID"):
    os.environ.pop(_name, None)
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

with socket.socket() as _trial:
    _trial.bind(("127.0.0.1", 0))
    BROKER_PORT = _trial.getsockname()[1]
os.environ["REDIS_URL"] = f"redis://127.0.0.1:{BROKER_PORT}/0"

from lab.settings import *  # noqa: E402, F403
from lab.settings import DATA_DIR, DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody steals them, and they are checked often

if "DATABASE_URL" not in os.environ:
    # In a file: other threads, and other processes, read it too.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")}
