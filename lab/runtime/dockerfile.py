"""Dockerfiles, as far as the lab itself reads them: which images one stands on, and its instructions. Pure.

Read as engines do (buildkit's `frontend/dockerfile/parser`): a line ends at a line feed and nowhere else, a word at a
space or a tab. What one engine may read in another way than the next is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = "Dockerfile"
SHOWN = 100  # characters of a step that is refused
TAG = "TAG"  # what `ARG TAG` gets: the tag that the image will have, which nobody knows before its engine builds it
KNOWN = frozenset((
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "RUN", "SHELL",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
))  # fmt: skip
# The engine would ask the address that is named after ADD from where it is itself: on the machine's loopback, where the
# lab's plain port asks nobody's name. ONBUILD may hold one for a later build.
REFUSED = {
    "ADD": "use COPY: an address would be asked by the engine itself",
    "ONBUILD": "write its step where it is due",
}
_BLANK = " \t"
_BLANKS = re.compile(f"[{_BLANK}]+")
# Any other white space there is, and control characters: somebody may take them for the end of a line or of a word.
_UNSEEN = re.compile(rf"[^\S{_BLANK}]|[\x00-\x08\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Instruction:
    word: str  # in capitals
    rest: str

    def __str__(self) -> str:
        return f"{self.word} {self.rest}"

    @property
    def words(self) -> list[str]:
        return _BLANKS.split(self.rest)


def instructions(text: str) -> Iterator[Instruction]:
    step = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        line = line.rstrip(_BLANK)
        if not line or line.lstrip(_BLANK).startswith("#"):
            continue  # in the middle of a step too
        step += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield _instruction(step)
            step = ""
    if step.strip(_BLANK):
        yield _instruction(step)


def _instruction(step: str) -> Instruction:
    word, *rest = _BLANKS.split(step.strip(_BLANK), maxsplit=1)
    return Instruction(word.upper() if word.isascii() else word, "".join(rest))


def steps(files: dict[str, bytes]) -> list[Instruction]:
    return list(instructions(files.get(NAME, b"").decode("utf-8-sig", errors="replace")))


def as_read(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files, with each instruction on a line: so an engine reads what was read here, whatever it thinks of escapes.
    Raises ValueError for an instruction that is refused."""
    found = steps(files)
    for step in found:
        if why := _why_refused(step):
            raise ValueError(f"{str(step)[:SHOWN]!r}: {why}")
    return _with(files, found)


def _why_refused(step: Instruction) -> str:
    """Nothing if it is not."""
    if step.word in REFUSED:
        return f"{step.word} is not for builds here; {REFUSED[step.word]}"
    if step.word not in KNOWN:
        return "no instruction begins like this"
    if unseen := _UNSEEN.search(step.rest):
        return f"it has a character that is not seen, U+{ord(unseen[0]):04X}; take it out, or use a space"
    if step.rest.endswith("\\"):
        return "it ends in a backslash, and would go on with the next step"
    if step.word in ("COPY", "RUN") and "<<" in step.rest:
        return "<< would take the steps that follow for the text of a file; give it a file of its own"
    if step.rest.startswith("--") and not step.rest.isascii():
        # Engines read options by bytes, and "à" has one that is a space to them.
        return "a step with options is written in ASCII"
    return ""


def labelled(files: dict[str, bytes], labels: dict[str, str]) -> dict[str, bytes]:
    """The files, with these labels from the first step on: a build that fails leaves its layers, and they have them."""
    label = Instruction("LABEL", " ".join(f'{name}="{value}"' for name, value in labels.items()))
    return _with(files, [each for step in steps(files) for each in ([step, label] if step.word == "FROM" else [step])])


def _with(files: dict[str, bytes], found: list[Instruction]) -> dict[str, bytes]:
    return {**files, NAME: "\n".join(map(str, found)).encode()}


def bases(files: dict[str, bytes]) -> list[str]:
    """What is named after FROM."""
    return [one.words[0] for one in steps(files) if one.word == "FROM" and one.rest]


def copies_from_elsewhere(files: dict[str, bytes]) -> bool:
    """Whether a step may copy from an image and not from the files. How the engine reads options that are quoted, or
    broken by a backslash, is its own: so what is not known is taken for that one."""
    options = (word for one in steps(files) if one.word == "COPY" for word in one.words if word.startswith("--"))
    return any(not word.startswith(("--chown=", "--chmod=")) for word in options)


def asks_for_tag(files: dict[str, bytes]) -> bool:
    return any(one.word == "ARG" and one.rest.partition("=")[0] == TAG for one in steps(files))
