"""What an engine has besides pods: images, which in the CRI too are a service of their own, and volumes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Image:
    """An image on the engine: its id, every name it has, its size in bytes; `ours`: whether a lab has made it. `user`
    runs it unless a pod says who; "" is root, and None where the engine does not say. `owner`: the cluster of the
    stranger who had it built; "" of all others."""

    id: str
    names: tuple[str, ...]
    size: int = 0
    ours: bool = False
    user: str | None = None
    owner: str = ""


BUILD_FAILED = "BuildFailed"


@dataclass(frozen=True)
class Layer:
    """A step of an image's making, and the bytes that it added."""

    made_by: str
    size: int = 0


class Build(Protocol):
    """A build under way: its words, line by line, and last the Image. Raises RuntimeFailure(BUILD_FAILED)."""

    def __iter__(self) -> Iterator[str | Image]: ...

    def close(self) -> None:
        """End it, from any thread: what is not done is undone."""


class ImageService(Protocol):
    """The images of an engine."""

    def status(self, image: str) -> Image | None: ...

    def pull(self, image: str, abroad: bool = True) -> Image:
        """Raises RuntimeFailure("ErrImagePull") with the engine's own words if it cannot be had. Not `abroad`: from no
        registry, so it is one that the lab makes itself."""

    def present(self) -> list[Image]: ...

    def layers(self, image: str) -> list[Layer]:
        """How an image was made, its base first."""

    def build(self, repository: str, files: dict[str, bytes], seconds: float, owner: str = "") -> Build:
        """Do what the Dockerfile among `files` says, within so many seconds. The image's name is `repository` and the
        next number, which its `ARG TAG` is told, given to it when it is done: a build that fails changes nothing. With
        an `owner`, a stranger's cluster, it stands on images that are here."""

    def forget(self, owner: str) -> None:
        """Remove what was built for that cluster. Raises RuntimeFailure for one that a container still runs."""


class VolumeService(Protocol):
    """The volumes that this lab has made on an engine; in Kubernetes a CSI driver's."""

    def ensure(self, cluster: str, name: str) -> str:
        """Make the volume if it is missing: it outlives pods, nodes and the lab. The `source` of a mount of it. How
        large it may grow nobody watches."""

    def place(self, source: str) -> Path | None:
        """Where a volume, by what `ensure` has answered, lies on this machine, if it does."""

    def share(self, sandbox_id: str, uid: str) -> None:
        """Bring what has changed in the files of that pod to where its containers see them, if they do not see ours.
        Raises RuntimeFailure."""

    def remove(self, cluster: str, name: str) -> None:
        """With all that was written. Raises RuntimeFailure while a container has it."""

    def present(self) -> list[tuple[str, str]]:
        """(cluster, name) of each."""
