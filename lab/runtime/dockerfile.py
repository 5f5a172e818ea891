"""Dockerfiles, as far as the lab itself reads them: which images one stands on, and its instructions. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = "Dockerfile"
TAG = "TAG"  # what `ARG TAG` gets: the tag that the image will have, which nobody knows before its engine builds it
# The engine would ask the address that is named after ADD from where it is itself: on the machine's loopback, where the
# lab's plain port asks nobody's name. ONBUILD may hold one for a later build.
REFUSED = {
    "ADD": "use COPY: an address would be asked by the engine itself",
    "ONBUILD": "write its step where it is due",
}
_CONTINUED = re.compile(r"\\[ \t]*\n(?:[ \t]*(?:#.*)?\n)*")


@dataclass(frozen=True)
class Instruction:
    word: str  # in capitals
    rest: str

    def __str__(self) -> str:
        return f"{self.word} {self.rest}"


def instructions(text: str) -> Iterator[Instruction]:
    lines = _CONTINUED.sub(" ", text.replace("\r\n", "\n")).splitlines()
    for word, *rest in (line.split(None, 1) for line in lines if line.strip()):
        if not word.startswith("#"):
            yield Instruction(word.upper(), "".join(rest).strip())


def as_read(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files, with each instruction on a line: so an engine reads what was read here, whatever it thinks of escapes.
    Raises ValueError for an instruction that is refused."""
    steps = list(_of(files))
    for step in steps:
        if step.word in REFUSED:
            raise ValueError(f"{step}: {step.word} is not for builds here; {REFUSED[step.word]}")
    return {**files, NAME: "\n".join(map(str, steps)).encode()}


def bases(files: dict[str, bytes]) -> list[str]:
    """What is named after FROM."""
    return [one.rest.split()[0] for one in _of(files) if one.word == "FROM" and one.rest]


def runs(files: dict[str, bytes]) -> bool:
    """Whether a step of it starts a program."""
    return any(one.word == "RUN" for one in _of(files))


def copies_from_elsewhere(files: dict[str, bytes]) -> bool:
    """Whether a step may copy from an image and not from the files. How the engine reads options that are quoted, or
    broken by a backslash, is its own: so what is not known is taken for that one."""
    options = (word for one in _of(files) if one.word == "COPY" for word in one.rest.split() if word.startswith("--"))
    return any(not word.startswith(("--chown=", "--chmod=")) for word in options)


def asks_for_tag(files: dict[str, bytes]) -> bool:
    return any(one.word == "ARG" and one.rest.partition("=")[0] == TAG for one in _of(files))


def _of(files: dict[str, bytes]) -> Iterator[Instruction]:
    return instructions(files.get(NAME, b"").decode(errors="replace"))
