"""Progress to take along: Lessons as a file of Kubernetes' objects, and back into a cluster.

The file is what `kubectl get lessons -o yaml` would say, without what concerns only the cluster it was read of.
"""

from typing import Any

import yaml

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS
from lab.apimachinery.manifests import Loader
from lab.client import Client

from . import shelf
from .lesson import Lesson

MOST_BYTES = 1 << 20
KEPT = {"passed": dict, "runs": int, "seconds": int | float, "skipped": bool}  # what every page reads of a passed step


def packed(objects: list[dict]) -> str:
    """The steps that were passed, as YAML: a List of Lessons."""
    items = [
        {
            "apiVersion": LESSONS.api_version,
            "kind": LESSONS.kind,
            "metadata": {"name": obj["metadata"]["name"]},
            "spec": {"step": obj["spec"]["step"], "run": 0},
            "status": {"steps": obj["status"]["steps"]},
        }
        for obj in objects
        if obj.get("status", {}).get("steps")
    ]
    return yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}, sort_keys=False, allow_unicode=True)


def unpack(client: Client, text: bytes) -> int:
    """Write what a file says that was passed, beside what is passed here already, which stays; how many steps there
    were. All of it is looked at before the first is written. Raises ApiError, in words."""
    if len(text) > MOST_BYTES:
        raise bad_request("this file is too large to be progress: at most 1 MiB")
    try:
        found = yaml.load(text, Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise bad_request(f"this is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        raise bad_request("this is no progress: choose the file that Download has written, a List of Lessons")
    read = [_read(item) for item in found["items"]]
    for lesson, steps in read:
        _add(client, lesson, steps)
    return sum(len(steps) for _, steps in read)


def _read(item: Any) -> tuple[Lesson, dict[str, dict]]:
    """A Lesson of the file, and the steps of it that it says are passed."""
    try:
        name, steps = item["metadata"]["name"], item["status"]["steps"]
        shelved = shelf.find(name)
        if item["kind"] != LESSONS.kind or not shelved or not shelved.lesson:
            raise bad_request(f"there is no lesson {name} here")
        lesson = shelved.lesson
        known = {id: kept for id, kept in steps.items() if lesson.step(id)}
        whole = all(isinstance(kept[key], kind) for kept in known.values() for key, kind in KEPT.items())
        if not whole or not all(isinstance(kept["passed"]["time"], int | float) for kept in known.values()):
            raise TypeError
    except (KeyError, TypeError, AttributeError):
        raise bad_request("this is no progress: it has something in it that is no Lesson with passed steps") from None
    return lesson, known


def _add(client: Client, lesson: Lesson, steps: dict[str, dict]) -> None:
    obj = client.find(LESSONS, "", lesson.id)
    if obj is None:
        first = next((step.id for step in lesson.steps if step.id not in steps), lesson.steps[0].id)
        spec = {"step": first, "run": 1, "paused": True}  # the stage is set when its learner comes
        obj = client.create(LESSONS, {"metadata": {"name": lesson.id}, "spec": spec})
    status = obj.get("status", {})
    try:
        client.update_status(LESSONS, {**obj, "status": {**status, "steps": {**steps, **status.get("steps", {})}}})
    except ApiError as error:
        if error.code != 409:
            raise
        _add(client, lesson, steps)  # its tutor wrote meanwhile
