"""The small programs that run in the cluster: what a learner deploys, breaks and watches being healed.

May use Python's standard library, a folder a program, started by the path of its `__main__.py`. Must never import
anything of the lab: in a container there is no lab.
"""

import json
from pathlib import Path

_HERE = Path(__file__).parent
HELLO = _HERE / "hello" / "__main__.py"
BANK = _HERE / "bank" / "__main__.py"
BANK_PARTS = ("ui", "accounts", "loans", "payments", "storage")
MANIFESTS = {shape: _HERE / "bank" / f"{shape}.yaml" for shape in ("monolith", "services")}
BANK_STORES = {"v1": "file:/data/bank.json", "v2": "journal:/data/bank.journal"}

# Image name → (its program, whose folder goes into the image; the environment that makes this version differ).
# Every runtime can supply these.
IMAGES: dict[str, tuple[Path, dict[str, str]]] = {
    "orrery/hello:v1": (HELLO, {"VERSION": "v1"}),
    "orrery/hello:v2": (HELLO, {"VERSION": "v2"}),
    "orrery/hello:v3": (HELLO, {"VERSION": "v3"}),
    # Starts, answers, and never becomes ready: a release to roll back.
    "orrery/hello:broken": (HELLO, {"VERSION": "broken", "READY_AFTER": "31536000"}),
    # Becomes ready, and fails one visit in five: a release that only its visitors can judge.
    "orrery/hello:faulty": (HELLO, {"VERSION": "faulty", "FAIL_EVERY": "5"}),
}
for _version in ("v1", "v2"):
    # The bank as one program, and each of its parts as a service of its own: the same files, told to be another part.
    IMAGES[f"orrery/bank:{_version}"] = (BANK, {"VERSION": _version, "PART": "bank"})
    for _part in BANK_PARTS:
        IMAGES[f"orrery/bank-{_part}:{_version}"] = (BANK, {"VERSION": _version, "PART": _part})
    # What the two versions of storage differ in, and nobody else can tell.
    IMAGES[f"orrery/bank-storage:{_version}"][1]["STORE"] = BANK_STORES[_version]
PYTHON = "python:3.13-slim"  # what they stand on where nothing is nearer
USER = "65534:65534"


def entrypoint(program: Path) -> list[str]:
    """How it is started in its image: without what a Python installation would add to it."""
    return ["python3", "-S", "-E", f"/app/{program.parent.name}/{program.name}"]


def dockerfile(image: str) -> str:
    """What makes one of these images where there is no lab, beside `files` of its program."""
    program, environment = IMAGES[image]
    env = "".join(f"ENV {key}={value}\n" for key, value in environment.items())
    return f"FROM {PYTHON}\nCOPY app /app\n{env}USER {USER}\nENTRYPOINT {json.dumps(entrypoint(program))}\n"


def files(program: Path) -> dict[str, bytes]:
    """What goes into a program's image, by its path there: all of its folder that it runs on."""
    folder = program.parent
    found = sorted(path for path in folder.iterdir() if path.suffix in (".py", ".html"))
    return {f"/app/{folder.name}/{path.name}": path.read_bytes() for path in found}
