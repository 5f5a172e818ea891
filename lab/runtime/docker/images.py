"""Images: pulled from a registry, but for the lab's own, which are made on the spot.

`orrery/pause` is a hundred bytes of machine code. The demos are one layer each on a Python image: one that the engine
has, or one it can pull, or one made of the Python that runs the lab; so the lab works where there is no registry.
An image is labelled with the lab that made it and with a digest of what is in it: another version of the lab's
programs makes it anew, and another lab on this engine may use it, and makes its own if this lab has taken it away.
"""

import hashlib
import io
import json
import logging
import re
import socket
import tarfile
import tempfile
import threading
from typing import IO

from docker.errors import APIError, ImageNotFound

from lab import demos
from lab.runtime import Image, RuntimeFailure, references

from . import host_python, labels, pause
from .engine import Engine, failing_as, words

logger = logging.getLogger(__name__)

PAUSE = "orrery/pause:1"
OWN_PYTHON = "orrery/python:3"
OWN_PYTHON_CHANGES = [
    'CMD ["python3"]',
    "ENV PATH=/usr/local/bin:/usr/bin:/bin",
    "ENV LD_LIBRARY_PATH=/usr/local/lib:/usr/local/lib64",
]
SLIM_PYTHON = "python:3.13-slim"
SUITABLE_PYTHON = re.compile(r"python:3(\.\d+)*-(slim|alpine)[\w.-]*")
REGISTRY = ("registry-1.docker.io", 443)
REGISTRY_ANSWERS_SECONDS = 1.0
DOCKERFILE = """FROM {base}
COPY program.py /app/program.py
{environment}
USER 65534:65534
ENTRYPOINT ["python3", "-S", "-E", "/app/program.py"]
"""


class Images:
    def __init__(self, engine: Engine, lab_id: str):
        self._engine = engine
        self._lab_id = lab_id
        self._making = threading.Lock()

    def status(self, image: str) -> Image | None:
        """The image if the engine has it; a demo of another version of the lab does not count."""
        with failing_as("ImageInspectError"):
            try:
                row = self._engine.client.inspect_image(references.full(image))
            except ImageNotFound:
                return None
        if image in demos.IMAGES and (row["Config"].get("Labels") or {}).get(labels.CONTENT) != content(image):
            return None
        return Image(row["Id"], tuple(row["RepoTags"]), row["Size"])

    def present(self) -> list[Image]:
        with failing_as("ImageInspectError"):
            rows = self._engine.client.images()
        return [Image(row["Id"], tuple(row["RepoTags"] or ()), row["Size"]) for row in rows]

    def pull(self, image: str) -> Image:
        references.parse(image)
        if image in demos.IMAGES:
            self._make_once(image)
        else:
            self._pull(image)
        found = self.status(image)
        if not found:
            raise RuntimeFailure("ErrImagePull", f'the engine says it pulled "{image}" and does not have it')
        return found

    def make_pause(self) -> None:
        with self._making:
            architecture = self._architecture()
            if architecture not in pause.PROGRAMS:
                raise RuntimeFailure("FailedCreatePodSandBox", f"no pause program for {architecture} engines")
            self._import(PAUSE, pause.root_filesystem(architecture), ['ENTRYPOINT ["/pause"]'])

    def remove_made(self) -> list[str]:
        """Remove what this lab made and no container uses; names of what went."""
        with failing_as("ImageInspectError"):
            rows = self._engine.client.images(filters={"label": [f"{labels.MAKER}={self._lab_id}"]})
        removed = []
        # Names with many layers first: an image cannot go before those built on it.
        for name in sorted((tag for row in rows for tag in row["RepoTags"] or ()), key=lambda tag: tag == OWN_PYTHON):
            try:
                self._engine.client.remove_image(name)
                removed.append(name)
            except APIError as error:
                logger.info("image %s stays: %s", name, words(error))
        return removed

    def _pull(self, image: str) -> None:
        repository, tag = references.parse(image)
        with failing_as("ErrImagePull"):
            for line in self._engine.client.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in line:
                    raise RuntimeFailure("ErrImagePull", f'failed to pull image "{image}": {line["error"]}')

    def _make_once(self, image: str) -> None:
        with self._making:
            if self.status(image):
                return
            program, environment = demos.IMAGES[image]
            base = self._python()
            logger.info("making image %s on %s", image, base)
            lines = "\n".join(f"ENV {key}={value}" for key, value in environment.items())
            self._build(image, DOCKERFILE.format(base=base, environment=lines), program.read_bytes())

    def _build(self, image: str, dockerfile: str, program: bytes) -> None:
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, data in (("Dockerfile", dockerfile.encode()), ("program.py", program)):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
        about = {labels.MAKER: self._lab_id, labels.CONTENT: content(image)}
        with failing_as("ErrImagePull"):
            for line in self._engine.client.build(
                fileobj=io.BytesIO(context.getvalue()), custom_context=True, tag=image, labels=about, rm=True,
                forcerm=True, decode=True,
            ):  # fmt: skip
                if "error" in line:
                    raise RuntimeFailure("ErrImagePull", f'failed to make image "{image}": {line["error"]}')

    def _python(self) -> str:
        """The name of an image with a Python 3 in it: the quickest of the ways in which it can be had."""
        names = [name for image in self.present() for name in image.names]
        present = [name for name in names if name == OWN_PYTHON or SUITABLE_PYTHON.fullmatch(name)]
        if present:
            return present[0]
        if _reachable(REGISTRY):
            try:
                logger.info("pulling %s, which the demo programs run on", SLIM_PYTHON)
                self._pull(SLIM_PYTHON)
                return SLIM_PYTHON
            except RuntimeFailure as failure:
                logger.info("no %s: %s", SLIM_PYTHON, failure.message)
        why_not = host_python.why_not(self._architecture())
        if why_not:
            advice = f"{why_not}; connect to the internet, or load an image: docker pull {SLIM_PYTHON}"
            raise RuntimeFailure("ErrImagePull", f"no image with Python: no registry can be reached, and {advice}")
        logger.info("no registry can be reached: making %s of this machine's Python", OWN_PYTHON)
        with tempfile.TemporaryFile() as archive:
            host_python.write_root_filesystem(archive)
            archive.seek(0)
            self._import(OWN_PYTHON, archive, OWN_PYTHON_CHANGES)
        return OWN_PYTHON

    def _import(self, name: str, archive: bytes | IO[bytes], changes: list[str]) -> None:
        """Make an image of one tar archive."""
        repository, tag = references.parse(name)
        changes = [*changes, f"LABEL {labels.MAKER}={self._lab_id}"]
        with failing_as("ErrImagePull"):
            told = self._engine.client.import_image_from_data(archive, repository, tag, changes)
        # The answer is a line of JSON a step, and 200 even where a step failed.
        for line in filter(None, told.splitlines()):
            if "error" in json.loads(line):
                raise RuntimeFailure("ErrImagePull", f'failed to make image "{name}": {json.loads(line)["error"]}')

    def _architecture(self) -> str:
        with failing_as("EngineUnavailable"):
            return self._engine.client.version()["Arch"]


def content(image: str) -> str:
    """A digest of what goes into one of the lab's images, whatever Python it stands on."""
    program, environment = demos.IMAGES[image]
    parts = [program.read_text(), json.dumps(environment, sort_keys=True), DOCKERFILE]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _reachable(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, REGISTRY_ANSWERS_SECONDS):
            return True
    except OSError:
        return False
