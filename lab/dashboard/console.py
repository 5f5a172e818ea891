"""The page's command line: a real kubectl, where this machine has one, for the cluster of the page.

It is given this lab's address and nothing of whoever started the lab: neither kubeconfig nor PATH, so that no plug-in
is found; and it ends after a while, or when nobody listens any more. What may be typed, `commandline` says.
"""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_POST

from lab.apimachinery.errors import ApiError, Cause, bad_request, too_many_requests
from lab.apiserver.threads import in_thread
from lab.httpserver import AT_END, author_for

from .answers import check_act, comes_by_room, own_cluster, refused
from .commandline import addressed, arguments, reads, wants_input

MOST_SECONDS = 120.0
MOST_BYTES = 1 << 19
PIECE_BYTES = 1 << 14
MOST_MEMORY = 512 << 20  # bytes: kubectl takes some tens of MiB, but a template as many as somebody writes into it
MOST_AT_ONCE = 4  # of one learner: each is a process of this machine
MISSING = "no kubectl is installed on the machine of this lab"


_running: Counter[str] = Counter()


def program() -> str | None:
    """Where this machine has its kubectl."""
    return shutil.which("kubectl")


def kubeconfig_command(cluster: str) -> str:
    """What to type for a cluster's kubeconfig: with the data folder where it is not the usual one."""
    name = "" if cluster == settings.DEFAULT_CLUSTER else f" {cluster}"
    elsewhere = "" if settings.DATA_DIR == settings.BASE_DIR / ".data" else f" --data {settings.DATA_DIR}"
    return f"python3 manage.py kubeconfig{name}{elsewhere} > orrery.yaml"


@require_POST
async def run(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """`{command, input}` in; out come lines of JSON as they are said: `{"out"}`, `{"err"}`, and at last `{"exit"}`, or
    `{"note"}` where it was ended. A command that may not be run is answered with a Status."""
    try:
        asked = orjson.loads(request.body)
        words = arguments(str(asked["command"]))
        pasted = str(asked.get("input") or "").encode()
    except (KeyError, TypeError, AttributeError):
        return refused(bad_request("the body must be an object with a command"))
    except ValueError as error:
        return refused(bad_request(str(error)))
    try:
        if not reads(words):
            await in_thread(check_act, request, cluster)
    except ApiError as error:
        return refused(error)
    kubectl = program()
    if not kubectl:
        return refused(ApiError(503, "ServiceUnavailable", MISSING))
    if own := own_cluster(request):
        if _running[own] >= MOST_AT_ONCE:
            why = f"{MOST_AT_ONCE} commands of yours are running: wait for one, or stop it"
            return refused(too_many_requests(why, Cause("", why, "TooManyOpen"), 1))
        _running[own] += 1  # at once: while a process is begun, the others would find room
        request.scope[AT_END].callback(_running.subtract, [own])
    # The room's door asks for a seat or an account, which kubectl has not: it goes in at the machine's own.
    host, port = ("127.0.0.1", settings.PORT) if comes_by_room(request) else request.scope["server"]
    base, asks = addressed(words, cluster)
    server = f"http://{f'[{host}]' if ':' in host else host}:{port}{base}"
    command = [author_for(request, kubectl), f"--server={server}", *asks]  # as it is called, so it calls itself
    lines = said(kubectl, command, pasted if wants_input(words) else b"")
    return StreamingHttpResponse(lines, content_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


async def said(program: str, command: list[str], pasted: bytes) -> AsyncIterator[bytes]:
    """Run it by the name that the command begins with, and pass on what it says."""
    process = await asyncio.create_subprocess_exec(
        *command,
        executable=program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        **place(),
    )
    _hold(process.pid)
    pieces: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue(4)  # who listens slowly slows it down
    talk = asyncio.create_task(_talk(process, pasted, pieces))
    left = MOST_BYTES
    try:
        async with asyncio.timeout(MOST_SECONDS):
            while piece := await pieces.get():
                kind, data = piece
                yield _line(kind, data[:left].decode(errors="replace"))
                left -= len(data)
                if left <= 0:
                    yield _line("note", f"It was ended: it said more than {MOST_BYTES >> 10} KiB.")
                    return
            yield _line("exit", await process.wait())
    except TimeoutError:
        yield _line("note", f"It was ended: a command has {MOST_SECONDS:g} s here.")
    finally:
        talk.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def place() -> dict:
    """A folder and an environment that hold nothing but what kubectl has found out about this lab."""
    home = settings.DATA_DIR / "kubectl"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {"HOME": str(home), "KUBECONFIG": os.devnull, "PATH": ""}
    if differ := shutil.which("diff"):
        environment["KUBECTL_EXTERNAL_DIFF"] = differ
    return {"cwd": home, "env": environment}


def _hold(pid: int) -> None:
    """A program of Go that gets no more memory ends, with an error. What counts is its data: of addresses it reserves
    more than it ever fills. It is told from here, for between fork and exec nothing is safe beside other threads."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it has ended, or it is not for us to hold, as a snap's
            resource.prlimit(pid, resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


async def _talk(process: asyncio.subprocess.Process, pasted: bytes, pieces: asyncio.Queue) -> None:
    tells, says, complains = process.stdin, process.stdout, process.stderr
    assert tells and says and complains  # pipes, all three

    async def hear(kind: str, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(PIECE_BYTES):
            await pieces.put((kind, data))

    async def tell() -> None:
        with contextlib.suppress(OSError):  # who has heard enough does not read on
            tells.write(pasted)
            await tells.drain()
        tells.close()

    await asyncio.gather(tell(), hear("out", says), hear("err", complains))
    await pieces.put(None)


def _line(kind: str, held: str | int) -> bytes:
    return orjson.dumps({kind: held}) + b"\n"
