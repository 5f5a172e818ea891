"""A class plays for some minutes, each learner with eight pods of their own; beside it the engine alone with as many.

    python -m tests.bench.bench_class [learners] [--minutes 10] [--runtime docker|simulated] [--every 5]

A lab with a room; clusters made ahead; learners come by their door, open their boards (two websockets each), and make
two Deployments of four; an instructor's wall is open. Then each does one act each five seconds, as their board does
it: one replica more, a pod deleted, one less, a restart. Counted: acts that were refused, that failed, that the log
has not; websockets that closed. Timed: from the click until the learner's own board and the wall have it. Measured:
memory, step by step, and the processor while nobody clicks; from that, how many learners find room in 24 GiB, and what
ends first. The bare engine makes the same pods as in `bench_scale`, eight at a time, on one network.

Ctrl-C ends it at any time, and nothing stays.
"""

import argparse
import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.flow.room import made, root_of, teacher_of  # noqa: E402
from tests.labs import LabUnderTest, wait_until  # noqa: E402

from .acted import Became, Log, became, rows_of  # noqa: E402
from .bench_drill import room  # noqa: E402
from .bench_join import LESSON, warm  # noqa: E402
from .classreport import Report  # noqa: E402
from .classroom import PODS, Learner, Wall  # noqa: E402
from .machine import Machine, Sample, percent_of_a_core, used_mb  # noqa: E402
from .measure import AT_ONCE, BareEngine, timed  # noqa: E402

JOINS_A_SECOND = 3.0  # behind one address
REST_SECONDS, IDLE_SECONDS = 15.0, 30.0
LAST_WORDS = 5.0  # after the last act, until the boards have what comes of it
REMOVED_A_SECOND = 1.0  # pods, at least, on a machine that does much else


def main(learners: int, minutes: float, runtime: str, every: float) -> None:
    machine, report = Machine(runtime), Report(learners, every)
    report.samples["before"] = machine.sample()
    ending = 120 + learners * PODS / REMOVED_A_SECOND
    with room(runtime, ending) as lab, contextlib.closing(Class(lab, machine, report)) as them:
        them.come()
        report.lab_starts = them.start()
        them.look("all pods run", REST_SECONDS)
        report.idle = percent_of_a_core(machine, lab, IDLE_SECONDS)
        report.played(lambda: them.play(60 * minutes, every))
        with ThreadPoolExecutor(1) as aside:
            settled = aside.submit(them.settled)
            time.sleep(LAST_WORDS)
            report.became, report.left_out = them.became(), sum(learner.left_out for learner in them.learners)
            print("they have played:", *report.times(), sep="\n", flush=True)
            report.settled = settled.result()
        them.look("after they played")
        report.closed = them.closed()
        report.wrong = [words for learner in them.learners for words in learner.differs()]
        report.pods = machine.count_of_pods(lab), sum(one.pods() for one in them.learners)
        report.lab_stops = them.end()
        report.complaints = complaints(lab)
        try:
            if runtime == "docker":
                bare(report, learners * PODS)
        finally:  # whatever becomes of the engine alone
            steps = (report.samples[when] for when in ("lab alone", "all pods run", "after they played"))
            print(report.text(machine.limits(*steps, learners)))


class Class:
    def __init__(self, lab: LabUnderTest, machine: Machine, report: Report):
        self.lab, self.machine, self.report = lab, machine, report
        self.enough = threading.Event()
        teacher, root = teacher_of(lab), root_of(lab)
        time.sleep(REST_SECONDS)
        report.alone = percent_of_a_core(machine, lab, IDLE_SECONDS)
        self.look("lab alone")
        self.code = made(teacher, LESSON, report.learners)
        self.said(f"{report.learners} clusters made ahead", warm(teacher, self.code, report.learners))
        self.look("clusters empty", REST_SECONDS)
        self.wall = Wall(teacher, self.code)
        self.learners = [Learner(root, self.code, number) for number in range(1, report.learners + 1)]

    def look(self, when: str, rest: float = 2.0) -> Sample:
        time.sleep(rest)
        self.report.samples[when] = self.machine.sample(self.lab)
        return self.report.samples[when]

    def said(self, what: str, seconds: float) -> float:
        print(f"{what}: {seconds:.1f} s", flush=True)
        return seconds

    def come(self) -> None:
        start = time.monotonic()

        def join(learner: Learner) -> None:
            time.sleep(max(0.0, start + learner.number / JOINS_A_SECOND - time.monotonic()))
            learner.join(self.code)

        self.said("all have joined, and their boards are open", timed(lambda: self.each(join)))
        self.look("learners there")

    def each(self, act: Callable[[Learner], object]) -> None:
        with ThreadPoolExecutor(min(len(self.learners), 16)) as threads:
            list(threads.map(act, self.learners))

    def start(self) -> float:
        """Seconds until all their pods are ready."""
        began = time.monotonic()
        self.each(Learner.deploy)
        self._settle()
        return self.said("all pods ready", time.monotonic() - began)

    def play(self, seconds: float, every: float) -> None:
        first, count = time.time() + 1, len(self.learners)
        threads = [
            threading.Thread(target=learner.play, args=(first + every * n / count, first + seconds, every, self.enough))
            for n, learner in enumerate(self.learners)
        ]
        for thread in threads:
            thread.daemon = True
            thread.start()
        for thread in threads:
            thread.join()

    def settled(self) -> float | None:
        """Seconds until everything is as they wished for it last; None: it did not become so."""
        began = time.monotonic()
        try:
            self._settle()
        except AssertionError as error:
            print(error, flush=True)
            return None
        return self.said("all is as they wished after", time.monotonic() - began)

    def _settle(self) -> None:
        until = time.monotonic() + 60.0 + 5.0 * PODS * len(self.learners) / AT_ONCE  # for all together
        for learner in self.learners:
            left = max(0.0, until - time.monotonic())
            wait_until(f"{learner.cluster} to be whole", learner.is_whole, left, 0.5)

    def closed(self) -> list[str]:
        sockets = [self.wall.socket, *(socket for learner in self.learners for socket in learner.sockets)]
        return [socket.ended for socket in sockets if socket.ended]

    def became(self) -> list[Became]:
        found = []
        for learner in self.learners:
            log = Log(rows_of(self.lab.data / "orrery.sqlite3", learner.cluster))
            turned = self.wall.turned[learner.cluster]
            untils = [*(act.sent for act in learner.acts[1:]), math.inf]
            pairs = zip(learner.acts, untils, strict=False)
            found += [became(act, log, learner.heard, turned, until) for act, until in pairs]
        return found

    def end(self) -> float:
        """Seconds until nothing of theirs is left."""
        began = time.monotonic()
        self.each(Learner.undeploy)
        for learner in self.learners:
            wait_until(f"{learner.cluster} to be empty", lambda one=learner: one.pods() == 0, 600, 0.5)
        return self.said("all pods gone", time.monotonic() - began)

    def close(self) -> None:
        self.enough.set()
        self.wall.close()
        for learner in self.learners:
            learner.leave()


def complaints(lab: LabUnderTest) -> list[str]:
    """Warnings and errors in the lab's own logs."""
    lines = [line for path in (lab.data / "logs").glob("*.log") for line in path.read_text().splitlines()]
    return [line for line in lines if line[24:27] in ("W ", "E ", "C ") or line.startswith("Traceback")]


def bare(report: Report, pods: int) -> None:
    """The same number of the same pods, beside a lab that has none any more: with it, its images would go."""
    engine = BareEngine()
    try:
        before = used_mb()
        report.bare_starts = engine.pods(pods)
        time.sleep(REST_SECONDS)
        report.bare_mb = used_mb() - before
        report.bare_stops = timed(engine.clear)
    finally:
        engine.close()


def interrupted(*_: object) -> None:
    """Once: who presses Ctrl-C again while all is being removed would leave the rest."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    print("stopping; what was started is being removed", flush=True)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupted)
    words = argparse.ArgumentParser(description="A class plays for some minutes.")
    words.add_argument("learners", type=int, nargs="?", default=60)
    words.add_argument("--minutes", type=float, default=10.0)
    words.add_argument("--runtime", choices=("docker", "simulated"), default="docker")
    words.add_argument("--every", type=float, default=5.0, help="seconds from one act of a learner to the next")
    with contextlib.suppress(KeyboardInterrupt):
        main(**vars(words.parse_args()))
