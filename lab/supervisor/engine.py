"""Which engine will run the containers: a real one if it answers, else local processes."""

import subprocess
import sys

from .state import HOME, CannotStart

RUNTIMES = ("docker", "process", "simulated")
# Asked in a process of its own: what it imports would stay in this one for as long as the lab runs.
QUESTION = "from lab.runtime.engines import detect, docker_host; print(detect(), docker_host())"


def choose_runtime(wanted: str) -> str:
    """`auto` or one of RUNTIMES to one of RUNTIMES. Raises CannotStart if what was asked for is not there."""
    if wanted not in ("auto", "docker"):
        return wanted
    asked = subprocess.run([sys.executable, "-c", QUESTION], cwd=HOME, capture_output=True, text=True, check=True)
    found, _, address = asked.stdout.strip().partition(" ")
    if wanted == "auto" or found == wanted:
        return found
    raise CannotStart(
        f"No Docker engine answers{f' at {address}' if address else ''}. Start it and see that you may use it "
        "(`docker info`), or run without one: --runtime process"
    )
