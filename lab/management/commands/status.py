"""`manage.py status`: addresses, processes and their health, and what is missing for more."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lab.management.report import report

NOT_RUNNING = 3  # the exit code of `systemctl status` for what does not run


class Command(BaseCommand):
    help = "Tell where the lab is, which of its processes answer, and what is missing for more. Exit code 3: stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON")
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")

    def handle(self, **options: Any) -> None:
        status = report()
        self.stdout.write(json.dumps(status, indent=1) if options["json"] else "\n".join(lines(status)))
        if not status["running"]:
            sys.exit(NOT_RUNNING)


def lines(status: dict) -> list[str]:
    """The same for reading: what it says depends on nothing but `status`."""
    if not status["running"]:
        said = ["The lab is not running. Start it: python3 manage.py up"]
    else:
        said = [f"{name:<9} {status[name]}" for name in ("board", "api", "tls", "cluster", "runtime")]
        said.append(f"services  {status['front_door']}")
    for process in status["processes"]:
        health = "ok" if process["healthy"] else "does not answer"
        restarts = f", restarted {process['restarts']} times" if process["restarts"] else ""
        said.append(f"{process['name']:<9} {health} (process {process['pid']}{restarts})")
    return said + [f"missing   {each['what']}: {each['hint']}" for each in status["missing"]]
