"""What a line of a log looks like: for people, or (`ORRERY_LOG_FORMAT=json`) one JSON object an event. No secrets.

A secret is what lets somebody in: tokens, passwords, cookies, the code of a class. The cluster of a learner has the
code in its name, so here it is called `hidden-<seat>`. `shown` is pure, and asked for every line, whoever wrote it.
"""

import datetime
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from contextvars import ContextVar

JSON = "json"
FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"
HIDDEN = "hidden"
# What is being done, for all lines that are written meanwhile; a thread that a request hands its work to has it too.
request_id: ContextVar[str] = ContextVar("request_id", default="")
cluster: ContextVar[str] = ContextVar("cluster", default="")

CODE = "[BCDFGHJKMNPQRSTVWXZ]"  # as `workshops/codes.py` draws them
SECRETS = [
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # a JSON web token
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"/(back|through|key)/[\w:-]+"), rf"/\1/{HIDDEN}"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password\d?|token|secret|csrftoken|orrery-seat|orrery-staff)|code)(\"?'?\s*=\s*|[\"']:\s*)"
            r"[bf]?[\"']?[^\s\"'&;,)]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(rf"\b{CODE}{{4}}(-{CODE}{{4}}){{2}}\b"), HIDDEN),  # the password that is printed once
    (re.compile(rf"\b{CODE}{{6}}\b"), HIDDEN),
    (re.compile(rf"(?<![a-z0-9]){CODE.lower()}{{6}}(?=-\d)"), HIDDEN),
]


def shown(text: str) -> str:
    """The same without secrets."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


class Line(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


class JsonLine(logging.Formatter):
    """For programs: what is not known of an event is left out."""

    def format(self, record: logging.LogRecord) -> str:
        error = self.formatException(record.exc_info) if record.exc_info else ""
        about = {"cluster": cluster.get(), "request": request_id.get(), "error": error}
        return as_json(record.created, record.levelname, own_part(), record.getMessage(), logger=record.name, **about)


def as_json(created: float, level: str, part: str, message: str, **more: str) -> str:
    time = datetime.datetime.fromtimestamp(created, datetime.UTC).isoformat(timespec="milliseconds")
    said = {"time": time.replace("+00:00", "Z"), "level": level, "part": part, **more, "message": message}
    return json.dumps({name: shown(value) for name, value in said.items() if value}, ensure_ascii=False)


def own_part() -> str:
    """Which of the lab's processes this is."""
    return os.environ.get("ORRERY_PART") or part_of(sys.argv)


def part_of(argv: Sequence[str]) -> str:
    """`…/lab/web.py` → web, `…/lab/proxy/program/__main__.py` → proxy, `manage.py prepare` → prepare."""
    found = re.search(r"lab/(\w+)(?:/program/__main__)?\.py$", argv[0] if argv else "")
    return found[1] if found else argv[1] if len(argv) > 1 else "lab"


def settings_of(format: str, level: str) -> dict:
    """`settings.LOGGING`."""
    kind = JsonLine if format == JSON else Line
    logging.captureWarnings(format == JSON)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"lab.logs.{kind.__name__}", "format": FORMAT}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        # A 404 is an answer, not an incident: clients ask for what may not exist.
        "loggers": {
            "celery": {"level": "WARNING"},
            "docker": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
        },
    }
