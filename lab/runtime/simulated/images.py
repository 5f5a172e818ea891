"""Simulated images: whether there is one, and how long it takes to pull it, goes by its name.

All simulated nodes share one engine, and so one store of images, as the nodes on one Docker engine do: an image is
pulled once. The lab's own demo images are there from the beginning, as on every engine of a lab.
"""

import re
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from lab import demos
from lab.runtime import BUILD_FAILED, Build, Image, Layer, RuntimeFailure, references

MIB = 1 << 20
SMALLEST, LARGEST = 20 * MIB, 300 * MIB
BYTES_A_SECOND = 150 * MIB


@dataclass(frozen=True)
class Rule:
    """What part of an image's name (repository and tag) means."""

    part: str
    error: str = ""  # the registry's answer; "": it has the image
    seconds: float = 0.0  # how long the pull takes; 0: as its size says


# The first that fits. The words are a real registry's.
RULES = (
    Rule("missing", "manifest for {image} not found: manifest unknown: manifest unknown"),
    Rule(
        "private",
        "pull access denied for {image}, repository does not exist or may require 'docker login': denied: "
        "requested access to the resource is denied",
    ),
    Rule("unreachable", 'failed to resolve reference "{image}": dial tcp: lookup registry: no such host', 2.0),
    Rule("slow", seconds=8.0),
)
ORDINARY = Rule("")
# What was built on the lab's real engine (`ImageService.build`) is here too, since here only its name matters.
SHIPPED = re.compile("|".join(sorted({rf"{re.escape(name.partition(':')[0])}:v\d+" for name in demos.IMAGES})))


class Images:
    """The store. Pulling sleeps in the thread that asks; a kubelet has only a few of those."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep):
        self._sleep = sleep
        self._lock = threading.Lock()
        self._present = {references.full(name): _image(name) for name in demos.IMAGES}

    def status(self, image: str) -> Image | None:
        found = self._present.get(references.full(image))
        return found or (self.add(image) if SHIPPED.fullmatch(image) else None)

    def pull(self, image: str, abroad: bool = True) -> Image:
        """Raises RuntimeFailure("ErrImagePull") where a rule says so, and for a demo image that there is none of."""
        rule = next((rule for rule in RULES if rule.part in image), ORDINARY)
        found = _image(image)
        self._sleep(rule.seconds or found.size / BYTES_A_SECOND)
        unknown_demo = image.startswith("orrery/") and references.full(image) not in self._present
        if rule.error or unknown_demo:
            words = (rule if rule.error else RULES[0]).error.format(image=references.full(image))
            raise RuntimeFailure("ErrImagePull", f"simulated registry: {words}")
        return self.add(image)

    def add(self, image: str) -> Image:
        found = _image(image)
        with self._lock:
            return self._present.setdefault(references.full(image), found)

    def present(self) -> list[Image]:
        with self._lock:
            return list(self._present.values())

    def layers(self, image: str) -> list[Layer]:
        found = self.status(image)
        return [Layer("simulated", found.size)] if found else []

    def build(self, repository: str, files: dict[str, bytes], seconds: float, owner: str = "") -> Build:
        raise RuntimeFailure(BUILD_FAILED, "nothing is built on simulated nodes: add a node of another runtime")

    def forget(self, owner: str) -> None:
        pass


def _image(name: str) -> Image:
    """The image of that name, of a size that is always the same. Raises RuntimeFailure("InvalidImageName")."""
    full = references.full(name)
    digest = zlib.crc32(full.encode())
    size = SMALLEST + digest % (LARGEST - SMALLEST)
    return Image(f"simulated:{digest:08x}", (full,), size, full.startswith("orrery/"))
