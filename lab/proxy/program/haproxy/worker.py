"""One HAProxy process: starting it, talking to its Runtime API, and what its servers have done."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

log = logging.getLogger(__name__)
START_SECONDS = 10.0
CALL_SECONDS = 5.0
ANSWER_MOST = 64 * 1024 * 1024
STEP = 0.01
SAID = "haproxy.out"  # what the newest process says
PROMPT = b"\n> "
WINDOW = 512  # requests that HAProxy's means are over, sliding; it says 1024 (TIME_STATS_SAMPLES in its defaults.h)
# What a command says that has done what it was asked.
FINE = ("", "New server registered.", "Server deleted.", "no need to change the addr, port.")


class Refused(Exception):
    """HAProxy does not do it; it said why."""


@dataclass
class Counts:
    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    mean_ms: float = 0.0  # of the last ones: HAProxy's own
    total_ms: float = 0.0  # until each answer began
    unreached: int = 0  # of the errors: no connection was taken

    def __add__(self, other: "Counts") -> "Counts":
        flying, total = self.in_flight + other.in_flight, self.total_ms + other.total_ms
        unreached = self.unreached + other.unreached
        return Counts(self.requests + other.requests, self.errors + other.errors, flying, 0.0, total, unreached)

    def since(self, before: "Counts") -> "Counts":
        """With the time of all its requests, which HAProxy does not tell, from two of its sliding means: what is in the
        window now, less what was, and what has slid out of it since. What rounding makes wrong does not add up."""
        slid = max(0, self.requests - max(before.requests, WINDOW))
        there, then = (min(c.requests, WINDOW) * c.mean_ms for c in (self, before))
        return replace(self, total_ms=before.total_ms + there - then + slid * (self.mean_ms + before.mean_ms) / 2)


class Worker:
    """`counts`: (proxy's name, server's name) → what was seen last."""

    def __init__(self, process: asyncio.subprocess.Process, admin: Path, retirement: list[str]):
        self._process = process
        self._admin = admin
        self._retirement = retirement  # the commands for it
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()
        self.counts: dict[tuple[str, str], Counts] = {}
        self.retired = False

    @classmethod
    async def start(
        cls, program: str, configuration: str, admin: str, numbers: list[int], retirement: list[str]
    ) -> "Worker":
        """Returns when it serves. Raises Refused."""
        Path(admin).unlink(missing_ok=True)
        with Path(SAID).open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                program, "-db", "-f", configuration,
                pass_fds=numbers, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip
        worker = cls(process, Path(admin), retirement)
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while process.returncode is None and asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(OSError, EOFError):
                await worker.ask(["show version"])
                return worker
            await asyncio.sleep(STEP)
        worker.kill()
        alerts = [line for line in Path(SAID).read_text().splitlines() if "[ALERT]" in line]
        raise Refused(f"HAProxy did not start: {' '.join(alerts) or f'exit code {process.returncode}'}")

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def ended(self) -> None:
        await self._process.wait()
        self._hang_up()
        self._admin.unlink(missing_ok=True)

    async def retire(self) -> None:
        """Take no new connection, finish what there is, then end. Returns when it listens no more: whoever comes
        after a change shall not be served as before it."""
        self.retired = True
        with contextlib.suppress(OSError, EOFError):
            await self.ask(self._retirement)

    async def finish(self) -> None:
        """End a retired one that has nothing left."""
        with contextlib.suppress(OSError, EOFError):
            if "\nCurrConns: 0\n" in (await self.ask(["show info"]))[0]:
                await self.look()
                self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ask(self, commands: list[str]) -> list[str]:
        """What it says to each of the commands. Raises OSError, or EOFError, if it goes away."""
        async with self._turn, asyncio.timeout(CALL_SECONDS):
            try:
                reader, writer = self._line = self._line or await self._dial()
                answers = []
                for command in commands:
                    writer.write(command.encode() + b"\n")
                    answers.append((await reader.readuntil(PROMPT))[: -len(PROMPT)].decode().strip())
                return answers
            except BaseException:
                self._hang_up()  # an answer that comes too late would be taken for that of the next question
                raise

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self._admin, limit=ANSWER_MOST)
        writer.write(b"prompt\n")
        await reader.readuntil(PROMPT)
        return reader, writer

    def _hang_up(self) -> None:
        if self._line:
            self._line[1].close()
            self._line = None

    async def order(self, commands: list[str]) -> None:
        """Do all of this. Raises Refused at the first that is not done."""
        if commands:
            for command, said in zip(commands, await self.ask(commands), strict=True):
                if not said.startswith(FINE[1:]) and said not in FINE:
                    raise Refused(f"{command}: {said}")

    async def look(self) -> None:
        """Bring `counts` up to date; a worker that has just ended keeps what was seen last."""
        try:
            table = (await self.ask(["show stat -1 4 -1"]))[0]
        except (OSError, EOFError):
            return
        seen = read_statistics(table)
        self.counts = {place: now.since(self.counts.get(place, Counts())) for place, now in seen.items()}


def read_statistics(table: str) -> dict[tuple[str, str], Counts]:
    """HAProxy's CSV of its servers. Pure."""
    first, *rows = table.lstrip("# ").splitlines()
    columns = {name: index for index, name in enumerate(first.split(","))}

    def number(row: list[str], name: str) -> int:
        return int(row[columns[name]] or 0)

    found = {}
    for line in rows:
        row = line.split(",")
        if len(row) < len(columns) - 1:
            continue
        found[row[columns["pxname"]], row[columns["svname"]]] = Counts(
            number(row, "stot") - number(row, "wretr") - number(row, "wredis"),  # each try counts as one there
            number(row, "hrsp_5xx") + number(row, "econ") + number(row, "eresp"),
            number(row, "scur"),
            float(sum(number(row, name) for name in ("qtime", "ctime", "rtime"))),
            unreached=number(row, "econ"),
        )
    return found
