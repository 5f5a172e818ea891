"""Building an image on the engine: what `docker build` does, its words as they come, and an end even if it hangs."""

import io
import json
import threading
from collections.abc import Generator, Iterator

import docker
from docker.errors import ImageNotFound
from docker.types.daemon import CancellableStream

from lab import demos
from lab.runtime import BUILD_FAILED, Image, RuntimeFailure, dockerfile, references

from . import labels
from .engine import Engine, failing_as
from .making import ImageMaker, archive

MEMORY_BYTES = 512 << 20
# The steps run what somebody typed in a browser: without a network, with a limit of memory (`memswap` is memory and
# swap together, so there is no swap), and with a quarter of the CPU that others get while they want it.
LIMITS = {"memory": MEMORY_BYTES, "memswap": MEMORY_BYTES, "cpushares": 256}
BOUNDS = {"network_mode": "none", "container_limits": LIMITS}
OPTIONS = {"custom_context": True, "decode": True, "rm": True, "forcerm": True, **BOUNDS}
HERE_ONLY = "builds of a workshop get no image from a registry; your instructor can bring it here: docker pull"
_naming = threading.Lock()


class Build:
    """One build; see `lab.runtime.ImageService`. `close()` hangs up, and an engine to whom nobody listens gives up: it
    removes the container that it was in, and there is no image."""

    def __init__(
        self, engine: Engine, maker: ImageMaker, lab_id: str, repository: str, files: dict[str, bytes], seconds: float,
        owner: str,
    ):  # fmt: skip
        self._engine = engine
        self._maker = maker
        self._repository, _ = references.parse(repository)
        self._files = files
        self._seconds = seconds
        self._owner = owner
        self._labels = {labels.MAKER: lab_id, labels.OWNER: owner}
        self._closed = threading.Event()
        self._stream: CancellableStream | None = None

    def close(self) -> None:
        self._closed.set()
        if self._stream:
            self._stream.close()

    def __iter__(self) -> Iterator[str | Image]:
        try:
            self._files = dockerfile.labelled(dockerfile.as_read(self._files), self._labels)
        except ValueError as error:
            raise RuntimeFailure(BUILD_FAILED, str(error)) from None
        for base in dockerfile.bases(self._files):
            if base in demos.IMAGES:
                self._maker.make_demo(base)
            elif self._owner:
                self._find(base)
        client, limit = self._engine.new_client(), threading.Timer(self._seconds, self.close)
        limit.daemon = True
        limit.start()
        try:
            image = None
            while image is None:
                tag = self._next_tag()
                image_id = yield from self._made(client, tag)
                image = self._named(image_id, tag)
            yield image
        finally:
            limit.cancel()
            client.close()

    def _find(self, base: str) -> None:
        """Raises RuntimeFailure where an image is not here: the engine would ask a registry for it."""
        with failing_as(BUILD_FAILED):
            try:
                self._engine.client.inspect_image(references.full(base))
            except ImageNotFound:
                raise RuntimeFailure(BUILD_FAILED, f"FROM {base}: {HERE_ONLY}") from None

    def _made(self, client: docker.APIClient, tag: str) -> Generator[str, None, str]:
        """The engine's words; returns the id of the image."""
        with failing_as(BUILD_FAILED):
            self._stream = stream = self._begin(client, tag)
            if self._closed.is_set():
                stream.close()
            image_id = yield from _words(stream)
        if self._closed.is_set():
            raise RuntimeFailure(BUILD_FAILED, f"ended: it was not done within {self._seconds:g} s")
        if not image_id:
            raise RuntimeFailure(BUILD_FAILED, "the engine stopped in the middle of it")
        return image_id

    def _begin(self, client: docker.APIClient, tag: str) -> CancellableStream:
        answers: list = []
        client.hooks["response"].append(lambda answer, *_, **__: answers.append(answer))
        context = io.BytesIO(archive(self._files))
        arguments = {dockerfile.TAG: tag} if dockerfile.asks_for_tag(self._files) else {}
        # The labels once more: these are the last step of all, after any other that a Dockerfile gives.
        options = {"labels": self._labels, "buildargs": arguments, "timeout": self._seconds + 5, **OPTIONS}
        lines = client.build(fileobj=context, **options)
        if answers[-1].status_code >= 400:
            raise RuntimeFailure(BUILD_FAILED, json.loads(answers[-1].content)["message"])
        return CancellableStream(lines, answers[-1])

    def _next_tag(self) -> str:
        with failing_as(BUILD_FAILED):
            there = (name for row in self._engine.client.images() for name in row["RepoTags"] or ())
            return references.next_version((*demos.IMAGES, *there), self._repository)

    def _named(self, image_id: str, tag: str) -> Image | None:
        """Only now it gets its name: a build that fails leaves none behind. None if another lab was quicker, and the
        image, which may have been told its tag, must be made once more with the next; most of it is there already."""
        with _naming, failing_as(BUILD_FAILED):
            if self._next_tag() != tag:
                return None
            self._engine.client.tag(image_id, self._repository, tag)
            row = self._engine.client.inspect_image(image_id)
        return Image(row["Id"], (f"{self._repository}:{tag}",), row["Size"])


def _words(stream: CancellableStream) -> Generator[str, None, str]:
    """The engine's words; returns the id of the image, or "" if they end without one."""
    image_id = ""
    for told in stream:
        if "error" in told:
            raise RuntimeFailure(BUILD_FAILED, told["error"])
        image_id = told.get("aux", {}).get("ID", image_id)
        yield from filter(None, told.get("stream", told.get("status", "")).splitlines())
    return image_id
