"""Visitors: people who ask for a page again and again. Ours; Kubernetes leaves load to others (k6, wrk, hey)."""

import re
from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, required, unlike

RATES, PEOPLE, TIMEOUTS, THOUGHTS = (0, 5000), (1, 1000), (0.1, 60), (0.01, 3600)
MOST_PATH = 2000
PATH = re.compile(r"/[!-~]*")  # what may stand in a request's first line


class VisitorsStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        """Nobody comes until somebody says how many: by `rate`, or by `thinkSeconds` for `concurrency` people."""
        spec = obj.setdefault("spec", {})
        for field, value in (("path", "/"), ("concurrency", 16), ("timeoutSeconds", 5)):
            spec.setdefault(field, value)
        if "thinkSeconds" not in spec:
            spec.setdefault("rate", 0)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from _validate_service(spec.get("service", ""))
        if not PATH.fullmatch(spec["path"]):
            yield invalid("spec.path", spec["path"], "must begin with '/' and have no spaces or control characters")
        elif len(spec["path"]) > MOST_PATH:
            yield invalid("spec.path", spec["path"][:20] + "…", f"must be no more than {MOST_PATH} characters")
        yield from _between(spec, "rate", RATES)
        yield from _between(spec, "concurrency", PEOPLE)
        yield from _between(spec, "thinkSeconds", THOUGHTS)
        yield from _between(spec, "timeoutSeconds", TIMEOUTS)


def _validate_service(text: str) -> Iterator[Cause]:
    """`name` or `name:port`, the port by its name or number."""
    name, colon, port = text.partition(":")
    if not text:
        yield required("spec.service", "the Service to visit, as `name` or `name:port`")
        return
    yield from unlike("spec.service", text, names.dns1035_label(name))
    if colon and not (port.isdecimal() and 1 <= int(port) <= 65535):
        yield from unlike("spec.service", text, names.port_name(port))


def _between(spec: dict, field: str, limits: tuple[float, float]) -> Iterator[Cause]:
    least, most = limits
    if field in spec and not least <= spec[field] <= most:
        yield invalid(f"spec.{field}", spec[field], f"must be between {least:g} and {most:g}, inclusive")
