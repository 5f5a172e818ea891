#!/usr/bin/env python3
"""The one command. It needs nothing but Python: on first use it makes `.venv` from the locked requirements.

Only the standard library until Django is there, and no syntax newer than Python 3.6, so that an old Python is told
what it lacks instead of stumbling.
"""

import hashlib
import os
import re
import subprocess
import sys

HOME = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HOME, ".venv")
VENV_PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "orrery-installed")  # the hashes of the lock files that are installed there
SETUP_LOCK = os.path.join(HOME, ".venv.lock")
REQUIREMENTS = os.path.join(HOME, "requirements.lock")
TEST_REQUIREMENTS = os.path.join(HOME, "tests", "requirements.lock")  # holds all of the former, and more
OLDEST_PYTHON = (3, 11)

USAGE = """Orrery, a working model of Kubernetes.

  manage.py up [--port N] [--runtime R] [--data DIR] [--no-browser]   start the lab and open its board
  manage.py status [--json]             what runs, where, and what is missing for more
  manage.py kubeconfig [CLUSTER]        a kubeconfig for kubectl
  manage.py down [--purge]              stop, and remove everything the lab made on the engine
  manage.py backup FILE                 workshops, learners and clusters in one file, while the lab runs
  manage.py restore FILE                put such a file in the place of all that is there
  manage.py lessons VERB                list, check, new, watch, schema, prove: the guided tutorials
  manage.py test [pytest's arguments]   run the tests
  manage.py COMMAND --help              more about one of them; `help` lists Django's own commands
"""


def main(argv):
    if sys.version_info < OLDEST_PYTHON:
        return f"Orrery needs Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer; this is {sys.version.split()[0]}."
    command = argv[1] if len(argv) > 1 else ""
    if command in ("", "-h", "--help"):
        print(USAGE, end="")
        return None
    lock = TEST_REQUIREMENTS if command == "test" else REQUIREMENTS
    if not is_installed(lock):
        make_venv(lock)
    if os.path.exists(STAMP) and os.path.realpath(sys.prefix) != os.path.realpath(VENV):
        return replace_process([VENV_PYTHON] + argv)
    if command == "test":
        os.chdir(HOME)
        return replace_process([sys.executable, "-m", "pytest"] + argv[2:])
    set_data_folder(argv)
    if command == "up":
        from lab.supervisor.up import main as up

        return up(argv[2:])
    return django_command(argv)


def django_command(argv):
    if argv[1] in ("backup", "restore"):
        os.environ.setdefault("ORRERY_ROOM", "/")  # accounts are part of it, whether or not there is a room just now
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        return f"{error}. The Python under .venv may have changed: remove the folder .venv and run this again."
    return execute_from_command_line(argv)


def set_data_folder(argv):
    """`--data DIR` goes into the environment before anything reads the settings, whatever the command."""
    for index, word in enumerate(argv):
        if word == "--":
            return
        if word == "--data" and index + 1 < len(argv):
            os.environ["ORRERY_DATA"] = os.path.abspath(argv[index + 1])
        elif word.startswith("--data="):
            os.environ["ORRERY_DATA"] = os.path.abspath(word[len("--data=") :])


def replace_process(command):
    """Become `command`. Windows has no exec: there its exit code is handed on instead."""
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


def is_installed(lock):
    """Whether the locked packages are there: in `.venv`, or in the interpreter that runs this (as in the image)."""
    if os.path.exists(VENV_PYTHON):
        return hash_of(lock) in read(STAMP).split()
    from importlib import metadata

    # A line with a marker (`; sys_platform == …`) may rightly be absent; the others must be there, as locked.
    for name, version in re.findall(r"^([\w.\-]+)(?:\[.*\])?==(\S+) \\$", read(lock), re.MULTILINE):
        try:
            if metadata.version(name) != version:
                return False
        except metadata.PackageNotFoundError:
            return False
    return True


def make_venv(lock):
    """Make or mend `.venv`. Two first runs at once take turns; one that was killed half-way is begun anew."""
    from importlib.util import find_spec

    if not (find_spec("venv") and find_spec("ensurepip")):
        sys.exit(
            "This Python cannot make virtual environments: its venv module is missing.\n"
            "On Debian or Ubuntu: sudo apt install python3-venv"
        )
    try:
        with open(SETUP_LOCK, "a+") as turn:
            take_turn(turn)
            if not is_installed(lock):
                install(lock, turn)
    except OSError as error:
        sys.exit(f"Cannot set up .venv beside manage.py: {error}")


def install(lock, turn):
    turn.seek(0)
    cut_short = turn.read() == "at work"
    if cut_short or not venv_works():
        print("Making .venv ...", flush=True)
        base = getattr(sys, "_base_executable", None) or sys.executable
        if subprocess.call([base, "-m", "venv", "--clear", VENV], **keeping(turn)) != 0:
            sys.exit("Making .venv failed; the reason stands above.")
    write(turn, "at work")
    run_pip(lock, turn)
    with open(STAMP, "w") as stamp:
        satisfied = [lock] if lock == REQUIREMENTS else [REQUIREMENTS, lock]
        stamp.write("\n".join(hash_of(each) for each in satisfied))
    write(turn, "")


def venv_works():
    return os.path.exists(VENV_PYTHON) and subprocess.call([VENV_PYTHON, "-c", "import pip"]) == 0


def run_pip(lock, turn):
    """Install exactly what is locked, one line of progress a package; pip's own words only if it fails."""
    total = len(re.findall(r"^[\w.\-]+(?:\[.*\])?==", read(lock), re.MULTILINE))
    print(f"Installing {total} packages into .venv, once ...", flush=True)
    command = [VENV_PYTHON, "-m", "pip", "install", "--require-hashes", "--requirement", lock]
    if not sys.dont_write_bytecode:
        command += ["--no-compile"]  # what is imported is compiled then, and that is less than half of it
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    pip = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, **keeping(turn)
    )
    said, seen = [], 0
    for line in pip.stdout:
        said.append(line)
        words = line.split()
        if words[:1] == ["Collecting"]:
            seen += 1
            show_progress(f"  {seen}/{total} {words[1].split('==')[0]}")
        elif words[:1] == ["Installing"]:
            show_progress("  unpacking ...")
    if pip.wait() != 0:
        sys.exit(
            f"\n{''.join(said[-15:])}\n"
            "The packages could not be installed; pip's reason stands above. Without internet, point pip to a folder\n"
            "of wheels: PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/to/wheels python3 manage.py up"
        )
    show_progress("  done\n" if sys.stdout.isatty() else "  done")


def keeping(turn):
    """The child keeps our turn even if we are killed: until it has ended too, nobody else may touch `.venv`."""
    return {} if os.name == "nt" else {"pass_fds": [turn.fileno()]}


def show_progress(text):
    if sys.stdout.isatty():
        print("\r\033[K" + text, end="", flush=True)
    else:
        print(text, flush=True)


def take_turn(file):
    """Wait until no other process sets up this folder; the hold ends with this process."""
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another process is setting up .venv: waiting for it ...", flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)


def write(file, text):
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def hash_of(path):
    return hashlib.sha256(read(path).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
