"""Dockerfiles, as far as the lab itself reads them: which images one stands on, and its instructions. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = "Dockerfile"
TAG = "TAG"  # what `ARG TAG` gets: the tag that the image will have, which nobody knows before its engine builds it
_CONTINUED = re.compile(r"\\[ \t]*\n")


@dataclass(frozen=True)
class Instruction:
    word: str  # in capitals
    rest: str

    def __str__(self) -> str:
        return f"{self.word} {self.rest}"


def instructions(text: str) -> Iterator[Instruction]:
    for line in _CONTINUED.sub(" ", text.replace("\r\n", "\n")).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word and not word.startswith("#"):
            yield Instruction(word.upper(), rest.strip())


def bases(files: dict[str, bytes]) -> list[str]:
    """What is named after FROM."""
    return [one.rest.split()[0] for one in _of(files) if one.word == "FROM" and one.rest]


def asks_for_tag(files: dict[str, bytes]) -> bool:
    return any(one.word == "ARG" and one.rest.partition("=")[0] == TAG for one in _of(files))


def _of(files: dict[str, bytes]) -> Iterator[Instruction]:
    return instructions(files.get(NAME, b"").decode(errors="replace"))
