"""One run: a lab, its visitors, storms and calms, and at the end nothing left."""

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..flow.visiting import Visitors, address_of
from ..labs import LabUnderTest, manage, processes_of, wait_until
from . import manifests
from .engineroom import EngineRoom
from .faults import Faults
from .findings import Findings
from .hands import Hands
from .owned import Owned
from .plan import FRONT, Plan, Step
from .quiet import check_ledger, check_silence, settle
from .rules import Rules
from .twoworkers import LabOfTwoWorkers
from .watchers import FOLLOWED, Watcher

RATE = 10.0  # visitors' requests a second
BUDGET = f"/apis/policy/v1/namespaces/{manifests.NAMESPACE}/poddisruptionbudgets"
MOST_EVENTS_A_REVISION = 3


class Run:
    """`findings` fills while `go()` runs. `faults`: the names of those that it can have."""

    def __init__(self, seed: int, runtime: str, own: frozenset[str], faults: tuple[str, ...]):
        self.findings = Findings()
        self._plan = Plan(seed, faults)
        self._folder = Path(tempfile.mkdtemp(prefix="orrery-chaos-"))
        self._owned = Owned(own, self._folder)
        lab = LabOfTwoWorkers if "second" in own else LabUnderTest
        self.lab = lab(self._folder / "data", runtime, **self._owned.env)

    def go(self, seconds: float, rounds: int) -> None:
        """Rounds until the time is over, or so many; returns when nothing of the lab is left."""
        try:
            self._owned.start()
            try:
                self.lab.start()
                self._live(time.monotonic() + seconds, rounds)
            finally:
                self._end()
        finally:
            self._owned.end()

    def _live(self, deadline: float, rounds: int) -> None:
        hands = self._hands = Hands(self.lab, self.findings)
        hands.ask("POST", "/api/v1/namespaces", {"metadata": {"name": manifests.NAMESPACE}})
        rules = Rules(self.findings, hands.ledger)
        self._watchers = [Watcher(self.lab, kind, rules, self.findings) for kind in FOLLOWED]
        room = EngineRoom(self.lab, self.findings)
        self._faults = Faults(self.lab, hands, room, self.findings, self._owned)
        try:
            self._open_front()
            number = 0
            while number < rounds and (time.monotonic() < deadline or number == 0) and self._round(number):
                number += 1
            self.findings.count("rounds", number)
            self._check_events()
        finally:
            self._faults.end()
            room.stop()
            for watcher in self._watchers:
                watcher.stop()
            for watcher in self._watchers:
                watcher.join(60)

    def _open_front(self) -> None:
        self._hands.create_deployment(FRONT, 3, "orrery/hello:v1", "RollingUpdate")
        self._hands.create_service(FRONT, FRONT)
        self._hands.ask("POST", BUDGET, manifests.disruption_budget(FRONT))
        settle(self.lab, self._hands.ledger, self.findings)
        wait_until("the front door to lead there", self._is_open)

    def _visitors(self) -> Visitors:
        host = f"{FRONT}.{manifests.NAMESPACE}.default.localhost"
        return Visitors(address_of(self.lab), host, RATE)

    def _is_open(self) -> bool:
        with self._visitors() as first:
            time.sleep(0.2)
        return bool(first.visits) and not first.failures

    def _round(self, number: int) -> bool:
        """Storm, quiet, calm; whether to go on: who has not settled would only be found not to settle again."""
        self.findings.did(f"-- storm {number}")
        with self._visitors() as visitors:
            for step in self._plan.storm(number):
                self._do(step)
            self._faults.end()
            if not self._check(f"-- quiet {number}"):
                return False
        self.findings.count("visits in storms", len(visitors.visits))
        self.findings.count("visits that failed in storms", len(visitors.failures))
        wait_until("the front door to lead there", self._is_open)
        self.findings.did(f"-- calm {number}")
        with self._visitors() as visitors:
            for step in self._plan.calm(number):
                self._do(step)
            settled = self._check(f"-- quiet again {number}")
        self.findings.count("visits in calms", len(visitors.visits))
        for visit in visitors.failures:
            self.findings.add(f"a visit failed in the calm of round {number}: {visit.status} {visit.trouble}")
        return settled

    def _do(self, step: Step) -> None:
        time.sleep(step.pause)
        self.findings.did(step)
        self.findings.count("steps")
        if step.verb in self._faults.names:
            return self._faults.begin(step.verb, **step.arguments)
        getattr(self._hands, step.verb)(**step.arguments)

    def _check(self, what: str) -> bool:
        self.findings.did(what)
        if not settle(self.lab, self._hands.ledger, self.findings):
            return False
        check_silence(self._watchers, self.findings)
        with ThreadPoolExecutor(len(self._watchers)) as pool:  # each waits a second for the end of a watch
            list(pool.map(Watcher.check, self._watchers))
        check_ledger(self._watchers, self._hands.ledger, self.findings)
        return True

    def _check_events(self) -> None:
        """They tell of changes, so there are not many more of them."""
        listed = self._hands.ask("GET", "/api/v1/events")["items"]
        self.findings.count("events", len(listed))
        if len(listed) > MOST_EVENTS_A_REVISION * self.findings.counts["revisions"]:
            self.findings.add(f"{len(listed)} events of {self.findings.counts['revisions']} revisions")

    def _end(self) -> None:
        """As a user ends it: nothing may be left, neither while the data is there nor afterwards."""
        if self.lab.process and self.lab.process.poll() is None:
            self.lab.stop()
        manage("down", data=self.lab.data, **self.lab.env)
        left = processes_of(self.lab.data)
        if left:
            self.findings.add(f"after `down` there is left: {left}")
        if not self.findings.found:
            manage("down", "--purge", "--yes", data=self.lab.data, **self.lab.env)
            shutil.rmtree(self._folder)
        else:
            self._owned.keep(self._folder)
            self.findings.did(f"the lab's data and logs are kept in {self._folder}")
