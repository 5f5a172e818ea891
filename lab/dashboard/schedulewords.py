"""A CronJob's schedule in words, where it is a simple one. Pure."""

from lab.apimachinery.schedules import WORDS

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def schedule_words(text: str) -> str:
    """`every 5 minutes`, `every Monday at 03:00`; the schedule as it stands where words would be longer than it."""
    fields = WORDS.get(text.strip().lower(), text).split()
    if len(fields) != 5 or fields[2:4] != ["*", "*"]:
        return text
    minute, hour, _, _, day = fields
    days = _days(day)
    if not days:
        return text
    if minute.isdecimal() and hour.isdecimal():
        return f"every {days} at {int(hour):02}:{int(minute):02}"
    if day != "*":
        return text
    if hour == "*" and minute.isdecimal():
        return f"every hour at :{int(minute):02}"
    if hour == "*":
        return (
            f"every {_step(minute, 60)}minute{'s' if minute != '*' else ''}" if _step(minute, 60) is not None else text
        )
    if minute.isdecimal() and _step(hour, 24):
        return f"every {_step(hour, 24)}hours at :{int(minute):02}"
    return text


def _days(field: str) -> str:
    if field == "*":
        return "day"
    if field == "1-5":
        return "weekday"
    return DAYS[int(field)] if field.isdecimal() and int(field) < len(DAYS) else ""


def _step(field: str, whole: int) -> str | None:
    """`5 ` of `*/5`, nothing of `*`; None where the steps are not all of one length."""
    if field == "*":
        return ""
    step = field.removeprefix("*/")
    even = field.startswith("*/") and step.isdecimal() and int(step) > 1 and whole % int(step) == 0
    return f"{int(step)} " if even else None
