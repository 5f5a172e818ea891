"""A container's log, with the options of kubectl logs. Source: pkg/kubelet/kuberuntime/logs."""

import datetime
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lab.runtime import Container, Lines, LogOptions, Runtime, RuntimeFailure

from .records import PodRecord
from .status import of_name


@dataclass(frozen=True)
class Wanted:
    """`previous`: the log of the container that was there before."""

    lines: LogOptions
    previous: bool = False
    limit_bytes: int | None = None


def options(query: dict[str, list[str]]) -> Wanted:
    """From a query string as `parse_qs` gives it; the API server has checked the values."""

    def one(name: str) -> str:
        return query.get(name, [""])[0]

    since = 0.0
    if one("sinceSeconds"):
        since = time.time() - int(one("sinceSeconds"))
    elif one("sinceTime"):
        since = datetime.datetime.fromisoformat(one("sinceTime").replace("Z", "+00:00")).timestamp()
    tail = int(one("tailLines")) if one("tailLines") else None
    lines = LogOptions(one("follow") == "true", tail, since, one("timestamps") == "true")
    return Wanted(lines, one("previous") == "true", int(one("limitBytes")) if one("limitBytes") else None)


def open_log(runtime: Runtime, record: PodRecord, name: str, wanted: Wanted) -> Lines:
    """The lines. Raises RuntimeFailure in the kubelet's words if there is no such container."""
    container = chosen(record, name, wanted.previous)
    lines = runtime.logs(container.id, wanted.lines)
    return lines if wanted.limit_bytes is None else Lines(_limited(iter(lines), wanted.limit_bytes), lines.close)


def chosen(record: PodRecord, name: str, previous: bool) -> Container:
    """The newest; or the last one that has ended, which for one that waits for its restart is the newest too."""
    found = of_name(record.sandbox, name)
    if previous:
        before = found if name in record.waiting else found[1:]
        found = [container for container in before if container.state == "exited"]
    pod = record.address[2]
    if not found:
        kind = "previous terminated container" if previous else "container"
        raise RuntimeFailure("NotFound", f'{kind} "{name}" in pod "{pod}" not found')
    return found[0]


def _limited(lines: Iterator[bytes], left: int) -> Iterator[bytes]:
    """The first so many bytes."""
    while left > 0 and (line := next(lines, b"")):
        yield line[:left]
        left -= len(line)
