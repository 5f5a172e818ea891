"""What a run has of its own beside the lab, so that it may break it."""

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path

from lab.supervisor.probe import answers_ping

from ..flow.databases import create_database
from ..postgresql import PostgreSQL
from .broker import OwnBroker
from .clock import OwnClock
from .ownengine import OwnEngine

DATABASE = "chaos"


class Owned:
    """`names`: some of `faultnames.OWN`. What is not named is None: the lab has what every lab has."""

    def __init__(self, names: Collection[str], folder: Path):
        self.names = names
        self.broker = OwnBroker() if "broker" in names else None
        self.engine = OwnEngine() if "engine" in names else None
        self.clock = OwnClock(folder) if "clock" in names else None
        self.database = PostgreSQL() if "database" in names else None
        self.env = self.clock.env if self.clock else {}  # of a lab that shall use all of it
        self.env |= {"REDIS_URL": self.broker.url} if self.broker else {}
        self.env |= {"DOCKER_HOST": self.engine.host} if self.engine else {}
        self.env |= {"DATABASE_URL": create_database(self.database.url, DATABASE)} if self.database else {}

    def start(self) -> None:
        if self.engine:
            self.engine.start()

    def is_up(self) -> bool:
        """Whether a lab can start: it says so, and does not, where its broker or its database is away."""
        broker_is = not self.broker or answers_ping(self.broker.url)
        return broker_is and (not self.database or self.database.answers())

    def keep(self, folder: Path) -> None:
        """For who wants to know what happened."""
        if self.engine:
            shutil.copy(self.engine.folder / "dockerd.log", folder)
        if self.database:
            self.database.dump(DATABASE, folder / "store.sql")

    def end(self) -> None:
        """Nothing is left of it."""
        with contextlib.ExitStack() as stack:  # the last comes first, and each comes
            if self.database:
                stack.callback(self.database.remove)
                stack.callback(self.database.stop)
            if self.broker:
                stack.callback(self.broker.stop)
            if self.engine:
                stack.callback(shutil.rmtree, self.engine.folder)
                stack.callback(self.engine.clean_up)
                stack.callback(self.engine.stop)
