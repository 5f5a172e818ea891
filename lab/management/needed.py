"""What the stored clusters will need on the engine when the lab is up again."""

from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError

from lab.client import Client, cluster_names


def images_needed() -> set[str]:
    """The images that an object of any cluster names: a pod, what makes pods, what an undo goes back to, a Build."""
    try:
        views = [Client(cluster, "down").view() for cluster in cluster_names()]
    except DatabaseError:  # no lab has been up in this folder yet
        return set()
    return {
        image
        for view in views
        for resource in view.resources()
        for obj in view.list(resource)
        for image in images_of(obj)
    }


def images_of(obj: Any) -> Iterator[str]:
    """What stands in a field called `image`, wherever an object has one. Pure."""
    if isinstance(obj, dict):
        if isinstance(obj.get("image"), str):
            yield obj["image"]
        obj = list(obj.values())
    if isinstance(obj, list):
        for inside in obj:
            yield from images_of(inside)
