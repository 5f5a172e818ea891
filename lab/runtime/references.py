"""Names of images, by the grammar of the distribution project (`reference.go`). Pure."""

import re
from collections.abc import Iterable

from lab.runtime import RuntimeFailure

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<repository>(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def parse(image: str) -> tuple[str, str]:
    """(repository, tag or digest), `latest` where nothing is said; raises RuntimeFailure("InvalidImageName")."""
    match = _REFERENCE.fullmatch(image)
    if not match:
        words = "couldn't parse image reference: invalid reference format"
        raise RuntimeFailure("InvalidImageName", f'Failed to apply default image tag "{image}": {words}')
    return match["repository"], match["digest"] or match["tag"] or "latest"


def next_version(names: Iterable[str], repository: str) -> str:
    """`v4` where there are v1 to v3 of it among `names`."""
    versions = (re.fullmatch(rf"{re.escape(repository)}:v?(\d+)", name) for name in names)
    return f"v{max((int(found[1]) for found in versions if found), default=0) + 1}"


def full(image: str) -> str:
    """The name with its tag, as engines list it: `busybox` is `busybox:latest`."""
    repository, version = parse(image)
    return f"{repository}@{version}" if version.startswith("sha256:") else f"{repository}:{version}"
