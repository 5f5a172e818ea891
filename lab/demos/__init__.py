"""The small programs that run in the cluster: what a learner deploys, breaks and watches being healed.

May use Python's standard library, one file a program, started by its path. Must never import anything of the lab:
in a container there is no lab.
"""

from pathlib import Path

_HERE = Path(__file__).parent
HELLO = _HERE / "hello" / "__main__.py"

# Image name → (its program, the environment that makes this version differ). Every runtime can supply these.
IMAGES: dict[str, tuple[Path, dict[str, str]]] = {
    "orrery/hello:v1": (HELLO, {"VERSION": "v1"}),
    "orrery/hello:v2": (HELLO, {"VERSION": "v2"}),
    "orrery/hello:v3": (HELLO, {"VERSION": "v3"}),
    # Starts, answers, and never becomes ready: a release to roll back.
    "orrery/hello:broken": (HELLO, {"VERSION": "broken", "READY_AFTER": "31536000"}),
}
