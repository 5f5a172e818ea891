"""Images: which there are, and getting one: from a registry, or (the lab's own) by making it."""

from docker.errors import ImageNotFound

from lab import demos
from lab.runtime import Image, Layer, RuntimeFailure, references

from . import labels
from .building import Build
from .engine import Engine, failing_as
from .making import ImageMaker, content, names_of

HERE_ONLY = "pods of a workshop get no image from a registry; your instructor can bring it here: docker pull"


class Images:
    def __init__(self, engine: Engine, lab_id: str):
        self._engine = engine
        self._lab_id = lab_id
        self.maker = ImageMaker(engine, lab_id, self._pull)

    def status(self, image: str) -> Image | None:
        """The image if the engine has it; a demo of another version of the lab does not count."""
        with failing_as("ImageInspectError"):
            try:
                row = self._engine.client.inspect_image(references.full(image))
            except ImageNotFound:
                return None
        if image in demos.IMAGES and (row["Config"].get("Labels") or {}).get(labels.CONTENT) != content(image):
            return None
        return _image(row, row["Config"].get("Labels"), row["Config"].get("User") or "")

    def present(self) -> list[Image]:
        with failing_as("ImageInspectError"):
            rows = self._engine.client.images()
        return [_image(row, row["Labels"]) for row in rows]

    def layers(self, image: str) -> list[Layer]:
        with failing_as("ImageInspectError"):
            steps = reversed(self._engine.client.history(image))
        return [Layer(_made_by(step), step["Size"]) for step in steps]

    def pull(self, image: str, abroad: bool = True) -> Image:
        references.parse(image)
        if image in demos.IMAGES:
            self.maker.make_demo(image)
        elif abroad:
            self._pull(image)
        else:
            raise RuntimeFailure("ErrImagePull", f'failed to pull image "{image}": {HERE_ONLY}')
        found = self.status(image)
        if not found:
            raise RuntimeFailure("ErrImagePull", f'the engine says it pulled "{image}" and does not have it')
        return found

    def build(self, repository: str, files: dict[str, bytes], seconds: float, owner: str = "") -> Build:
        return Build(self._engine, self.maker, self._lab_id, repository, files, seconds, owner)

    def forget(self, owner: str) -> None:
        wanted = [f"{labels.MAKER}={self._lab_id}", f"{labels.OWNER}={owner}"]
        with failing_as("ImageRemoveError", gone_is_fine=True):
            for row in self._engine.client.images(filters={"label": wanted}):
                for name in names_of(row) or [row["Id"]]:
                    self._engine.client.remove_image(name)

    def volumes(self, image: str) -> list[str]:
        """The folders of which an image says that they are to be volumes; none where there is no such image."""
        with failing_as("ImageInspectError"):
            try:
                return sorted(self._engine.client.inspect_image(references.full(image))["Config"].get("Volumes") or ())
            except ImageNotFound:
                return []

    def _pull(self, image: str) -> None:
        repository, tag = references.parse(image)
        with failing_as("ErrImagePull"):
            for line in self._engine.client.pull(repository, tag=tag, stream=True, decode=True):
                if "error" in line:
                    raise RuntimeFailure("ErrImagePull", f'failed to pull image "{image}": {line["error"]}')


def _image(row: dict, about: dict | None, user: str | None = None) -> Image:
    about = about or {}
    owner = about.get(labels.OWNER, "")
    return Image(row["Id"], tuple(row["RepoTags"] or ()), row["Size"], labels.MAKER in about, user, owner)


def _made_by(step: dict) -> str:
    """The line of a Dockerfile, or what was said when a layer was made without one."""
    return step["CreatedBy"].removeprefix("/bin/sh -c #(nop) ").strip() or step["Comment"]
