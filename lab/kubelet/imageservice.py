"""Images over the kubelet's HTTP server: which there are, how each was made, and building one.

Kubernetes has none of this: there a registry and a build service stand beside the cluster. The lab has neither, so the
image is built where it will run, by whoever looks after that engine.
"""

import json
from collections.abc import Iterator

from lab.runtime import Build, Image, ImageService, RuntimeFailure

NAMELESS = "<none>:<none>"  # what an engine says of an image whose name another has taken


def told(images: ImageService) -> list[dict]:
    """Every image with a name; with the steps that it was made in, where the lab had a hand in it."""
    return [
        {"id": image.id, "names": image.names, "size": image.size, "layers": _layers(images, image)}
        for image in images.present()
        if image.names and NAMELESS not in image.names
    ]


def _layers(images: ImageService, image: Image) -> list[dict]:
    layers = images.layers(image.names[0]) if image.ours else ()
    return [{"madeBy": layer.made_by, "size": layer.size} for layer in layers]


class BuildLines:
    """A build as lines of JSON: `{"line": …}` each, and last `{"image": …, "id": …}` or `{"error": …}`. A stream that
    ends without one of those was cut off, and nothing came of it."""

    def __init__(self, images: ImageService, order: dict):
        files = {path: text.encode() for path, text in order["files"].items()}
        self._build: Build = images.build(order["repository"], files, order["seconds"], order["owner"])

    def close(self) -> None:
        self._build.close()

    def __iter__(self) -> Iterator[bytes]:
        try:
            for said in self._build:
                words = {"image": said.names[0], "id": said.id} if isinstance(said, Image) else {"line": said}
                yield json.dumps(words).encode() + b"\n"
        except RuntimeFailure as failure:
            yield json.dumps({"error": failure.message}).encode() + b"\n"
