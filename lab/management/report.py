"""What `manage.py status` tells: where the lab is, which of its processes answer, and what is missing for more."""

import os
import shutil

from celery import current_app
from celery.utils.nodenames import default_nodename
from django.conf import settings

from lab.runtime import RuntimeFailure
from lab.runtime.engines import detect, open_runtime
from lab.supervisor.probe import answers_control, answers_ping, http_get
from lab.supervisor.state import is_running, read_run

DEMO_IMAGE = "orrery/hello:v1"
PING_SECONDS = 2.0


def report() -> dict:
    """The whole status as data. `front_door` is where Services are reached from outside, `tls` the API for whoever
    shows who they are; null while nothing runs."""
    running = is_running(settings.DATA_DIR)
    run = read_run(settings.DATA_DIR) if running else {}
    board = run.get("board") or f"http://127.0.0.1:{settings.PORT}/"
    return {
        "running": running,
        "board": board,
        "api": f"{board}clusters/{settings.DEFAULT_CLUSTER}",
        "tls": f"{run['tls']}clusters/{settings.DEFAULT_CLUSTER}" if "tls" in run else None,
        "cluster": settings.DEFAULT_CLUSTER,
        "runtime": run.get("runtime") or _expected_runtime(),
        "data": str(settings.DATA_DIR),
        "processes": [{**process, "healthy": _is_healthy(process, run)} for process in run.get("processes", ())],
        "missing": _missing(run.get("runtime") or _expected_runtime()),
        "front_door": run.get("front_door"),
    }


def _expected_runtime() -> str:
    return detect() if settings.RUNTIME == "auto" else settings.RUNTIME


def _is_healthy(process: dict, run: dict) -> bool:
    """Asks those who can answer for themselves; of the others the process must be there."""
    if process["name"] == "broker":
        return answers_ping(run["broker"])
    if process["name"] == "web":
        path = f"/clusters/{settings.DEFAULT_CLUSTER}/version"
        return http_get(("127.0.0.1", run["port"]), path, PING_SECONDS)[0] == 200
    if process["name"] == "proxy":
        return answers_control(str(settings.DATA_DIR / "proxy" / "control.sock"), PING_SECONDS)
    if process["name"].startswith("worker"):
        return answers_ping(run["broker"]) and _worker_answers(process["name"], run["broker"])
    return _is_alive(process["pid"])


def _worker_answers(name: str, broker: str) -> bool:
    current_app.conf.broker_url = broker  # chosen at the start of the lab, and not in our environment
    return bool(current_app.control.ping([default_nodename(f"{name}@")], timeout=PING_SECONDS))


def _is_alive(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except OSError:
        return False
    return pid is not None


def _missing(runtime: str) -> list[dict]:
    """What is not there, and what would change if it were."""
    missing = []
    if detect() != "docker":
        missing.append(
            {
                "what": "Docker engine",
                "hint": "Without one, containers are local processes. Install Docker, then start the lab again.",
            }
        )
    elif runtime == "docker" and not _has_image(DEMO_IMAGE):
        missing.append(
            {"what": f"image {DEMO_IMAGE}", "hint": "The lab makes it when the first pod that wants it starts."}
        )
    if not shutil.which("kubectl"):
        missing.append(
            {"what": "kubectl", "hint": "The board needs none; with one: python3 manage.py kubeconfig > orrery.yaml"}
        )
    return missing


def _has_image(image: str) -> bool:
    try:
        return open_runtime("docker", settings.LAB_ID, settings.DATA_DIR).images.status(image) is not None
    except RuntimeFailure:
        return False
