"""Build: an image made of a few files, named, and rolled out. Kubernetes leaves it to others: Tekton, kpack."""

import re
from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, required, too_long, unchanged

TIMEOUT_SECONDS, MOST_SECONDS = 120, 600
MOST_BYTES = 256 * 1024
DOCKERFILE = "Dockerfile"
FILE = re.compile(r"[\w][\w.-]{0,99}")
REPOSITORY = re.compile(r"[a-z0-9]+([._/-][a-z0-9]+)*")


class BuildStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        obj.setdefault("spec", {}).setdefault("timeoutSeconds", TIMEOUT_SECONDS)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        files, seconds, repository = spec.get("files") or {}, spec["timeoutSeconds"], spec.get("repository")
        if not spec.get("deployment"):
            yield required("spec.deployment")
        if DOCKERFILE not in files:
            yield required(f"spec.files[{DOCKERFILE}]", "what to do with the other files")
        for name in files:
            if not FILE.fullmatch(name):
                yield invalid("spec.files", name, "a file's name, without folders")
        if sum(len(text.encode()) for text in files.values()) > MOST_BYTES:
            yield too_long("spec.files", MOST_BYTES)
        if not 0 < seconds <= MOST_SECONDS:
            yield invalid("spec.timeoutSeconds", seconds, f"must be more than 0 and at most {MOST_SECONDS}")
        if repository is not None and not REPOSITORY.fullmatch(repository):
            yield invalid("spec.repository", repository, "the name of an image, without a tag")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from unchanged("spec", new["spec"], old["spec"])
