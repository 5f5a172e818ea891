"""The lab's own images, made on the spot, so that it works where there is no registry.

`orrery/pause` is a hundred bytes of machine code. The demos are one layer each on a Python image: one that the engine
has, or one made of the Python that runs the lab, which takes two seconds, or one that it can pull. An image is labelled
with the lab that made it and with a digest of what is in it: another version of the lab's programs makes it anew, and
another lab on this engine may use it, and makes its own if this lab has taken it away.
"""

import hashlib
import io
import json
import logging
import re
import tarfile
import tempfile
import threading
from collections.abc import Callable, Collection
from typing import IO

from docker.errors import APIError, ImageNotFound, NotFound

from lab import demos
from lab.runtime import RuntimeFailure, references

from . import gateway_image, host_python, labels, pause
from .engine import UNAVAILABLE, Engine, failing_as, words
from .removing import remove

logger = logging.getLogger(__name__)

PAUSE = "orrery/pause:1"
GATEWAY = "orrery/gateway:1"
OWN_PYTHON = "orrery/python:3"
OWN_PYTHON_CHANGES = [
    'CMD ["python3"]',
    "ENV PATH=/usr/local/bin:/usr/bin:/bin",
    "ENV LD_LIBRARY_PATH=/usr/local/lib:/usr/local/lib64",
]
SUITABLE_PYTHON = re.compile(r"python:3(\.\d+)*-(slim|alpine)[\w.-]*")


class ImageMaker:
    """`pull` brings an image from a registry."""

    def __init__(self, engine: Engine, lab_id: str, pull: Callable[[str], None]):
        self._engine = engine
        self._lab_id = lab_id
        self._pull = pull
        self._making = threading.Lock()  # several pods want the same image at once: one makes it, the others find it
        self._making_gateway = threading.Lock()  # for which no pod shall wait
        self._making_python = threading.Lock()

    def make_pause(self) -> None:
        with self._making:
            if self._labels_of(PAUSE) is not None:
                return
            architecture = self._architecture()
            if architecture not in pause.PROGRAMS:
                raise RuntimeFailure("FailedCreatePodSandBox", f"no pause program for {architecture} engines")
            self._import(PAUSE, pause.root_filesystem(architecture), ['ENTRYPOINT ["/pause"]'])

    def make_demo(self, image: str) -> None:
        with self._making:
            if self._has(image, content(image)):
                return
            program, environment = demos.IMAGES[image]
            folder = program.parent.name
            start = {"Entrypoint": demos.entrypoint(program), "User": demos.USER}
            start["Env"] = [f"{key}={value}" for key, value in environment.items()]
            self._layer(image, self._python(), content(image), folder, start, archive(demos.files(program)))

    def make_gateway(self) -> str:
        """The id of the gateway's image."""
        with self._making_gateway:
            base = self._python()
            own_python = base == OWN_PYTHON
            wanted = gateway_image.content(own_python)
            if not self._has(GATEWAY, wanted):
                with tempfile.TemporaryFile() as files:
                    gateway_image.write_archive(own_python, files)
                    self._layer(GATEWAY, base, wanted, "program", gateway_image.START, files)
            with failing_as("ImageInspectError"):
                return self._engine.client.inspect_image(GATEWAY)["Id"]

    def remove_made(self, keep: Collection[str]) -> list[str]:
        """Remove what this lab made and no container uses; what went, in words. What somebody has had built stays if it
        is named in `keep`, and so does what it stands on: else that would be made, and stored, a second time."""
        with failing_as("ImageInspectError"):
            rows = self._engine.client.images(filters={"label": [f"{labels.MAKER}={self._lab_id}"]})
            found = {row["Id"]: self._engine.client.inspect_image(row["Id"]) for row in rows}
        layers = {image: told["RootFS"].get("Layers") or [] for image, told in found.items()}
        wanted = {name for name in keep if not _is_own(name)}
        kept = [layers[row["Id"]] for row in rows if not wanted.isdisjoint(names_of(row))]
        removed = []
        # An image cannot go before those that stand on it, and a name may have passed to another lab's image since.
        for row in sorted(rows, key=lambda row: row["Created"], reverse=True):
            own = layers[row["Id"]]
            if any(one[: len(own)] == own for one in kept):
                continue
            for name in names_of(row) or [row["Id"]]:
                try:
                    self._engine.client.remove_image(name)
                    removed.append(name)
                except NotFound:
                    continue
                except APIError as error:
                    logger.info("image %s stays: %s", name, words(error))
        return removed

    def remains(self) -> list[str]:
        """Containers of an image that was being made when its maker was killed."""
        with failing_as(UNAVAILABLE):
            filters = {"name": [f"^/{self.making_name('')}"]}
            return [row["Id"] for row in self._engine.client.containers(all=True, filters=filters)]

    def _labels_of(self, image: str) -> dict | None:
        with failing_as("ImageInspectError"):
            try:
                return self._engine.client.inspect_image(image)["Config"].get("Labels") or {}
            except ImageNotFound:
                return None

    def _has(self, image: str, wanted: str) -> bool:
        return (self._labels_of(image) or {}).get(labels.CONTENT) == wanted

    def making_name(self, image: str) -> str:
        return f"orrery-making-{self._lab_id}-" + re.sub(r"\W", "-", image)

    def _layer(
        self, image: str, base: str, digest: str, folder: str, start: dict, files: bytes | IO[bytes]
    ) -> None:  # fmt: skip
        """What `docker build` would do in five steps with a container each: one container, its files, a commit."""
        logger.info("making image %s on %s", image, base)
        about = {labels.MAKER: self._lab_id, labels.CONTENT: digest}
        config = {"Image": base, "Labels": about, **start}
        client, name = self._engine.client, self.making_name(image)
        with failing_as("ErrImagePull", gone_is_fine=True):
            remove(client, name)
        with failing_as("ErrImagePull"):
            made = client.create_container_from_config(config, name=name)["Id"]
            try:
                client.put_archive(made, "/", files)
                client.commit(made, *references.parse(image), message=f"COPY {folder}/ /app/{folder}/")
            finally:
                remove(client, made)

    def _python(self) -> str:
        """The name of an image with a Python 3 in it: the quickest of the ways in which it can be had."""
        with self._making_python:
            return self._find_python() or self._make_python()

    def _find_python(self) -> str | None:
        with failing_as("ImageInspectError"):
            names = [name for row in self._engine.client.images() for name in names_of(row)]
        if OWN_PYTHON in names and self._has(OWN_PYTHON, host_python.content()):
            return OWN_PYTHON
        present = list(filter(SUITABLE_PYTHON.fullmatch, names))
        return present[0] if present else None

    def _make_python(self) -> str:
        why_not = host_python.why_not(self._architecture())
        if why_not:
            return self._pulled_python(why_not)
        logger.info("making %s of this machine's Python", OWN_PYTHON)
        with tempfile.TemporaryFile() as archive:
            host_python.write_root_filesystem(archive)
            archive.seek(0)
            about = f"LABEL {labels.CONTENT}={host_python.content()}"
            self._import(OWN_PYTHON, archive, [*OWN_PYTHON_CHANGES, about])
        return OWN_PYTHON

    def _pulled_python(self, why_not: str) -> str:
        logger.info("pulling %s, which the demo programs run on: %s", demos.PYTHON, why_not)
        try:
            self._pull(demos.PYTHON)
        except RuntimeFailure as failure:
            advice = f"{why_not}; connect to the internet, or load an image: docker pull {demos.PYTHON}"
            raise RuntimeFailure("ErrImagePull", f"no image with Python: {failure.message}, and {advice}") from failure
        return demos.PYTHON

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
        with failing_as(UNAVAILABLE):
            return self._engine.client.version()["Arch"]


def content(image: str) -> str:
    """A digest of what goes into one of the lab's images, whatever Python it stands on."""
    program, environment = demos.IMAGES[image]
    told = hashlib.sha256(json.dumps([environment, demos.USER, program.name], sort_keys=True).encode())
    for path, data in demos.files(program).items():
        told.update(f"\0{path}\0".encode() + data)
    return told.hexdigest()[:16]


def names_of(row: dict) -> list[str]:
    return [name for name in row["RepoTags"] or () if name != "<none>:<none>"]


def _is_own(name: str) -> bool:
    """Whether the lab makes this image by itself, whenever a pod asks for it."""
    return name in demos.IMAGES or name in (PAUSE, GATEWAY, OWN_PYTHON)


def archive(files: dict[str, bytes]) -> bytes:
    """A tar archive of these files, by their paths."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
