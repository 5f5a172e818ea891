"""Which engine will run the containers: a real one if it answers, else local processes."""

import subprocess
import sys
import time

from .state import HOME, CannotStart

RUNTIMES = ("docker", "process", "simulated")
# Asked in a process of its own: what it imports would stay in this one for as long as the lab runs.
QUESTION = "from lab.runtime.engines import detect, docker_host; print(detect(), docker_host())"


PATIENCE = 60.0  # seconds that an engine may take to start: with images and volumes of years it takes many


def choose_runtime(wanted: str, before: str = "") -> str:
    """`auto` or one of RUNTIMES to one of RUNTIMES. Raises CannotStart if what was asked for is not there.

    `before` is what a lab in the same folder ran on when it was torn away, empty if it ended in order: its nodes are
    the engine's, so if that is still on its way up, as after the host has restarted, it is waited for.
    """
    if wanted not in ("auto", "docker"):
        return wanted
    found, address = _ask()
    if found != "docker" and before == "docker":
        print("No Docker engine answers yet; this lab ran on one. Waiting for it ...", flush=True)
        deadline = time.monotonic() + PATIENCE
        while found != "docker" and time.monotonic() < deadline:
            time.sleep(0.5)
            found, address = _ask()
    if wanted == "auto" or found == wanted:
        return found
    raise CannotStart(
        f"No Docker engine answers{f' at {address}' if address else ''}. Start it and see that you may use it "
        "(`docker info`), or run without one: --runtime process"
    )


def _ask() -> tuple[str, str]:
    """The best engine there is, and where Docker's should answer."""
    asked = subprocess.run([sys.executable, "-c", QUESTION], cwd=HOME, capture_output=True, text=True, check=True)
    found, _, address = asked.stdout.strip().partition(" ")
    return found, address
