"""Images where there is no engine: the demo programs, and versions of them with another page, made by a "build".

Such a version is a folder in the lab's data: the page, and a line on which program and which environment it goes with.
"""

import json
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from lab import demos
from lab.runtime import BUILD_FAILED, Image, Layer, RuntimeFailure, dockerfile, references

PAGE = "page.html"
STEPS = f"FROM one of its own images, COPY {PAGE} …, ARG {dockerfile.TAG} and ENV"
KNOWN = f"this lab runs without a container engine, and knows {STEPS}"


class Images:
    def __init__(self, folder: Path):
        """`folder` is the engine's: place.folder()."""
        self._folder = folder / "images"

    def find(self, image: str) -> tuple[Path, dict[str, str]] | None:
        """The program and the environment that an image is."""
        if image in demos.IMAGES:
            return demos.IMAGES[image]
        if ".." in image:
            return None
        about = self._about(image)
        if about is None:
            return None
        program, environment = demos.IMAGES[about["base"]]
        return program, {**environment, **about["env"], "PAGE": str(self._folder / image / PAGE)}

    def _about(self, image: str) -> dict | None:
        """What a build has kept of it."""
        try:
            return json.loads((self._folder / image / "image.json").read_text())
        except (OSError, ValueError):
            return None

    def _owner(self, image: str) -> str:
        return (self._about(image) or {}).get("owner", "")

    def names(self) -> list[str]:
        made = sorted(path.parent for path in self._folder.rglob("image.json") if not path.parent.name.startswith("."))
        return [*demos.IMAGES, *(str(folder.relative_to(self._folder)) for folder in made)]

    def present(self) -> list[Image]:
        return [image for name in self.names() if (image := self.status(name))]

    def pull(self, image: str, abroad: bool = True) -> Image:
        references.parse(image)
        found = self.status(image)
        if not found:
            raise RuntimeFailure(
                "ErrImagePull",
                "this lab runs without a container engine, so it can only run its own demo images: "
                f"{', '.join(self.names())}; install Docker to run any image",
            )
        return found

    def status(self, image: str) -> Image | None:
        layers = self.layers(image)
        if not layers:
            return None
        size = sum(layer.size for layer in layers)
        return Image(f"process:{image}", (image,), size, ours=True, owner=self._owner(image))

    def layers(self, image: str) -> list[Layer]:
        """None of an image that there is not."""
        found = self.find(image)
        if not found:
            return []
        program, environment = found
        layers = [Layer(f"COPY {path}", len(data)) for path, data in demos.files(program).items()]
        page = Path(environment.get("PAGE", ""))
        return [*layers, Layer(f"COPY /app/{PAGE}", page.stat().st_size)] if page.is_file() else layers

    def build(
        self, repository: str, files: dict[str, bytes], seconds: float, owner: str = ""
    ) -> Generator[str | Image, None, None]:
        """A moment's work. The three instructions that there is something to do for, in the words of `docker build`."""
        repository, _ = references.parse(repository)
        tag = references.next_version(self.names(), repository)
        base, page = "", None
        env: dict[str, str] = {}
        steps = dockerfile.steps(files)
        for number, step in enumerate(steps, 1):
            yield f"Step {number}/{len(steps)} : {step}"
            if step.word == "FROM" and step.rest in demos.IMAGES:
                base = step.rest
            elif step.word == "COPY" and step.rest.split()[:1] == [PAGE]:
                page = files.get(PAGE)
                if page is None:
                    raise RuntimeFailure(BUILD_FAILED, f"COPY failed: there is no file {PAGE}")
            elif step.word == "ENV" and "=" in step.rest:
                words = step.rest.replace(f"${dockerfile.TAG}", tag).split()
                env |= dict(word.split("=", 1) for word in words if "=" in word)
            elif str(step) != f"ARG {dockerfile.TAG}":
                raise RuntimeFailure(BUILD_FAILED, f"{step}: {KNOWN}; install Docker to build with everything")
        if not base or page is None:
            raise RuntimeFailure(BUILD_FAILED, f"nothing to make: {KNOWN}")
        name = f"{repository}:{tag}"
        self._keep(name, page, {"base": base, "env": env, "owner": owner})
        yield f"Successfully built {name}"
        made = self.status(name)
        assert made
        yield made

    def forget(self, owner: str) -> None:
        for name in self.names():
            if name not in demos.IMAGES and self._owner(name) == owner:
                shutil.rmtree(self._folder / name, ignore_errors=True)

    def _keep(self, name: str, page: bytes, about: dict) -> None:
        """All of it at once: whoever lists the images never sees half a one."""
        folder = self._folder / name
        beside = folder.with_name(f".{folder.name}")  # not yet among the names
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        (beside / PAGE).write_bytes(page)
        (beside / "image.json").write_text(json.dumps(about))
        os.rename(beside, folder)
