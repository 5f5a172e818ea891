"""When a CronJob is due: cron's five fields, or a word such as @hourly, in a time zone. Pure.

The fields are cronsim's to read, which follows Debian's cron, daylight saving included. Kubernetes' parser
(robfig/cron) knows `@every 5m` too; that is refused here, for it has no fixed minutes to miss.
"""

import datetime
import zoneinfo

from cronsim import CronSim, CronSimError

WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Of minutes, hours, days, months and days of the week: the least, the most, and the names from the least on.
FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, MONTHS),
    (0, 6, DAYS),
)
MINUTE = datetime.timedelta(minutes=1)


class Unscheduled(ValueError):
    """The schedule, or its time zone, cannot be understood; the words say why."""


class Schedule:
    """`text` and `zone` as a CronJob has them; without a zone, that of the lab. Raises Unscheduled."""

    def __init__(self, text: str, zone: str | None = None):
        self.zone = _zone(zone)
        self._fields = WORDS.get(text.strip().lower(), text).replace("?", "*")
        if text.strip().startswith("@") and self._fields.startswith("@"):
            raise Unscheduled(f"unrecognized descriptor: {text}")
        fields = self._fields.split()
        if len(fields) != len(FIELDS):
            raise Unscheduled(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
        try:
            CronSim(self._fields, datetime.datetime.now(self.zone))
        except CronSimError as error:
            wrong = (_wrong_in(part, *FIELDS[at]) for at, field in enumerate(fields) for part in field.split(","))
            raise Unscheduled(next(filter(None, wrong), f"{error}: {text}")) from None

    def after(self, time: float) -> float | None:
        """The first time after `time`; None if there is none, as on the 31st of February."""
        found = next(CronSim(self._fields, self._local(time)), None)
        return found.timestamp() if found else None

    def last(self, time: float) -> float | None:
        """The latest time that is not after `time`."""
        # Going back, cronsim begins before the minute that it is given.
        start = self._local(time).replace(second=0, microsecond=0) + MINUTE
        found = next(CronSim(self._fields, start, reverse=True), None)
        return found.timestamp() if found else None

    def missed(self, after: float, until: float, most: int) -> int:
        """How many times there are after the one and not after the other; counting stops beyond `most`."""
        count, time = 0, self.after(after)
        while time is not None and time <= until and count <= most:
            count, time = count + 1, self.after(time)
        return count

    def _local(self, time: float) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(time, self.zone)


def _wrong_in(part: str, least: int, most: int, named: tuple[str, ...]) -> str:
    """What robfig's getRange says of a number, a range or a step, `2-10/3`; nothing if it has no complaint."""
    span, slash, step = part.partition("/")
    low, hyphen, high = span.partition("-")
    if "/" in step:
        return f"too many slashes: {part}"
    if "-" in high:
        return f"too many hyphens: {part}"
    try:
        start = least if low == "*" else _number(low, least, named)
        end = most if low == "*" or (slash and not hyphen) else _number(high, least, named) if hyphen else start
        stride = _number(step, least, ()) if slash else 1
    except ValueError as error:
        return str(error)
    if start < least:
        return f"beginning of range ({start}) below minimum ({least}): {part}"
    if end > most:
        return f"end of range ({end}) above maximum ({most}): {part}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {part}"
    return "" if stride else f"step of range should be a positive number: {part}"


def _number(text: str, least: int, named: tuple[str, ...]) -> int:
    """Raises ValueError, in robfig's words."""
    if text.lower() in named:
        return least + named.index(text.lower())
    if not text.isdecimal():
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _zone(name: str | None) -> datetime.tzinfo:
    if name is None:
        return datetime.datetime.now().astimezone().tzinfo or datetime.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Unscheduled(f"unknown time zone {name}") from None
