"""How a simulated container behaves: a table of rules with their defaults, set by annotations of its pod. Pure.

Behaviour is data, as the stages of kwok (kwok.sigs.k8s.io) are. Each field of `Behaviour` is a rule: the annotation
`simulated.orrery.io/crash-after: 20s` sets it for all containers of the pod, `simulated.orrery.io/web.crash-after: 20s`
for its container `web` alone, and wins. Times are `90`, `90s`, `500ms`, `2m` or `1h`. So a Deployment of a thousand
replicas that crash after twenty seconds is one annotation in its pod template:

    metadata: {annotations: {simulated.orrery.io/crash-after: 20s, simulated.orrery.io/jitter: "0.5"}}

What is an attribute of the image and not of the pod (how long it takes to pull, whether there is one) goes by the
image's name: see `images.py`. The demo's own READY_AFTER works here too.
"""

import dataclasses
import functools
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lab.runtime import RuntimeFailure

WORK_SECONDS = 2.0
PREFIX = "simulated.orrery.io/"
READY_AFTER = "READY_AFTER"  # the demo program's own variable, in seconds
T = TypeVar("T")
UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|)")


def seconds(text: str) -> float:
    """`90`, `90s`, `500ms`, `2m`, `1h`. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError("is no duration such as 500ms, 20s or 2m")
    return float(found[1]) * UNITS[found[2]]


def number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("is no whole number")
    return int(text)


def share(text: str) -> float:
    if not re.fullmatch(r"0(\.[0-9]+)?|1(\.0+)?", text):
        raise ValueError("is no number from 0 to 1")
    return float(text)


def yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError('is neither "true" nor "false"')
    return text == "true"


def rule(parse: Callable[[str], object], default: T) -> T:
    """A field of `Behaviour`: what reads the annotation's text, and what holds without one."""
    return dataclasses.field(default=default, metadata={"parse": parse})


@dataclass(frozen=True)
class Behaviour:
    """The rules. The name of each annotation is the field's with dashes; None means never."""

    # How long the engine takes. The defaults were measured on a Docker engine of two cores.
    sandbox: float = rule(seconds, 0.120)  # until a pod has its network, and its first container can run
    restart: float = rule(seconds, 0.089)  # until a container runs again
    stop: float = rule(seconds, 0.089)  # from SIGTERM until it has ended
    init: float = rule(seconds, 0.3)  # how long an init container runs before it ends with 0

    # What its probes hear, counted from its start.
    ready_after: float = rule(seconds, 0.0)  # startup and readiness probes fail until then
    unready_after: float | None = rule(seconds, None)  # the readiness probe fails from then on
    unhealthy_after: float | None = rule(seconds, None)  # the liveness probe fails from then on

    # How it ends by itself.
    work: float | None = rule(seconds, None)  # its work is done, and it ends with 0; a Job's is after WORK_SECONDS
    crash_after: float | None = rule(seconds, None)  # it ends so long after each start
    crash_times: int | None = rule(number, None)  # only its first so many runs do
    exit_code: int = rule(number, 1)  # with this code; 0: its work is done
    oom: bool = rule(yes, False)  # or killed by the kernel, for its memory

    # What the engine refuses. The text is the message.
    fail_sandbox: str = rule(str, "")  # FailedCreatePodSandBox
    fail_create: str = rule(str, "")  # CreateContainerError
    fail_start: str = rule(str, "")  # RunContainerError
    fail_hook: str = rule(str, "")  # postStart and preStop hooks fail
    ignore_term: bool = rule(yes, False)  # only SIGKILL ends it, when the grace is over

    exec_code: int = rule(number, 126)  # how a command run in it ends; 126: it cannot be run
    cpu_millis: int | None = rule(number, None)  # what it uses; None: a fifth of what it requests, at least 5
    memory_mib: int = rule(number, 24)
    log_every: float = rule(seconds, 10.0)  # it writes a line so often; 0: only at its start and end

    # Every time above is longer or shorter by up to this share, the same for the same seed, container and run.
    jitter: float = rule(share, 0.1)
    seed: str = rule(str, "")


RULES = {field.name.replace("_", "-"): field for field in dataclasses.fields(Behaviour)}


def behaviour_of(
    annotations: Mapping[str, str], container: str = "", ready_after: str = "", works: bool = False
) -> Behaviour:
    """The rules for one container of a pod, or (no name) for the pod itself; `ready_after` is the demo's own variable,
    and what `works` is a Job's.

    Raises RuntimeFailure for a rule that there is not, or a value that it cannot have.
    """
    given = tuple(sorted((key, text) for key, text in annotations.items() if key.startswith(PREFIX)))
    return _behaviour(given, container, ready_after, works)


@functools.lru_cache(maxsize=1024)
def _behaviour(given: tuple[tuple[str, str], ...], container: str, ready_after: str, works: bool) -> Behaviour:
    """Cached: the pods of a thousand replicas carry the same annotations."""
    found: dict[str, Any] = {"work": WORK_SECONDS} if works else {}
    own: dict[str, Any] = {}
    if ready_after:
        found["ready_after"] = _parsed(READY_AFTER, RULES["ready-after"], ready_after)
    for key, text in given:
        whose, _, name = key.removeprefix(PREFIX).rpartition(".")
        if name not in RULES:
            raise RuntimeFailure("InvalidSimulation", f"there is no rule {key}; there are: {', '.join(RULES)}")
        value = _parsed(key, RULES[name], text)
        if not whose:
            found[RULES[name].name] = value
        elif whose == container:
            own[RULES[name].name] = value
    return Behaviour(**found | own)


def _parsed(key: str, field: dataclasses.Field, text: str) -> object:
    try:
        return field.metadata["parse"](text)
    except ValueError as error:
        raise RuntimeFailure("InvalidSimulation", f"{key}: {text!r} {error}") from error


def jittered(time: float, rules: Behaviour, *what: object) -> float:
    """`time`, longer or shorter by up to the jitter, as the seed and `what` decide: no two pods in step, and yet the
    same each time."""
    if not rules.jitter or not time:
        return time
    chance = zlib.crc32("/".join((rules.seed, *map(str, what))).encode()) / 0xFFFFFFFF
    return time * (1 + rules.jitter * (2 * chance - 1))
