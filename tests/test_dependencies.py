"""Under which licences what the lab stands on may be used, as the installed packages say themselves."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
LOCKS = [HOME / "requirements.lock", HOME / "tests/requirements.lock"]
# Free to use and to pass on beside code of any licence; in SPDX's words, and in those of older packages.
FREE = {
    "MIT", "MIT-0", "MIT License", "BSD", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0",
    "Apache Software License", "PSF-2.0", "Python Software Foundation License", "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)", "DFSG approved",
}  # fmt: skip
# Whoever changes these must publish the change; the lab imports them as they are.
LESSER = {"psycopg": {"LGPL-3.0-only"}, "psycopg-binary": {"LGPL-3.0-only"}}


def locked() -> Iterator[str]:
    names = {name for lock in LOCKS for name in re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)}
    for name in sorted(names):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:  # of another platform
            continue
        yield name


def licences(name: str) -> set[str]:
    about = metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return set(re.split(r" AND | OR ", re.sub(r"[()]", "", expression)))
    classified = {each.split(" :: ")[-1] for each in about.get_all("Classifier") or () if each.startswith("License")}
    return classified or {about.get("License", "")}


@pytest.mark.parametrize("name", list(locked()))
def test_what_the_lab_stands_on_may_be_used_freely(name):
    said = licences(name)
    assert said and said <= FREE | LESSER.get(name, set())
