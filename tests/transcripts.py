"""Transcripts of a terminal, played again: what stands behind `$` is typed, and the rest is what a person then reads.

In what is read, `...` stands for anything, alone on a line for any lines, and `[exit N]` for a command that did not end
well. Columns may be wider or narrower than they were written.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path


def played(transcript: str) -> Iterator[tuple[str, str]]:
    """(command, what is read after it), in order; lines before the first command say what it is about."""
    for part in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
        typed, *lines = part.splitlines()
        yield typed, "\n".join(lines).strip()


def matches(expected: str, seen: str) -> bool:
    """Whether that is what was seen, but for how wide columns are, and for what `...` stands for."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else _pattern(line) + r" *\n" for line in expected.splitlines()
    )
    return bool(re.fullmatch(pattern, f"{seen.rstrip()}\n" if seen.strip() else ""))


def _pattern(line: str) -> str:
    known = ".*".join(re.escape(part) for part in line.rstrip().split("..."))
    return re.sub(r"(\\ ){2,}", " {2,}", known)


def deviations(transcript: str, run: Callable[[str], str]) -> str:
    """What was read otherwise than written, as a transcript of its own; the commands all run in any case."""
    read = [(typed, expected, run(typed)) for typed, expected in played(transcript)]
    return "".join(
        f"$ {typed}\n{seen}-- instead of\n{expected}\n" for typed, expected, seen in read if not matches(expected, seen)
    )


def shell(kubectl: str, kubeconfig: Path, folder: Path) -> Callable[[str], str]:
    """A shell in `folder` whose kubectl is this one: a command → what is read of it."""
    (folder / "bin").mkdir()
    (folder / "bin" / "kubectl").symlink_to(kubectl)
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "HOME": str(folder), "KUBECONFIG": str(kubeconfig), "PATH": path}

    def run(command: str) -> str:
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        # What kubectl's own log says beside, of a watch that it has just ended, is no part of what it answers.
        answered = re.sub(r"^[IWE]\d{4} .*\n", "", done.stdout, flags=re.MULTILINE)
        return answered + (f"[exit {done.returncode}]\n" if done.returncode else "")

    return run
