import threading

from lab.runtime.docker.gate import BEGIN, FINISH, HEAL, RESERVED, SHARE, StartGate
from tests.labs import wait_until


class Line:
    """Threads that want a place, and the order in which they got one."""

    def __init__(self, limit: int):
        self.gate = StartGate(limit)
        self.got: list[str] = []
        self._go = {}

    def come(self, name: str, rank: int, stranger: str = "") -> None:
        self._go[name] = threading.Event()
        threading.Thread(target=self._run, args=(name, rank, stranger), daemon=True).start()
        arrived = len(self._go)
        wait_until(f"{name} to ask", lambda: len(self.got) + len(self.gate._waiting) == arrived, 10, 0.002)

    def _run(self, name: str, rank: int, stranger: str) -> None:
        with self.gate.slot(rank, stranger):
            self.got.append(name)
            self._go[name].wait(60)

    def leave(self, name: str) -> None:
        before = len(self.got)
        self._go[name].set()
        wait_until("the next one", lambda: len(self.got) > before, 10, 0.002)


def test_no_more_than_the_limit_get_in_and_then_in_the_order_of_asking():
    line = Line(2)
    for name in "abcd":
        line.come(name, BEGIN)
    assert line.got == ["a", "b"]
    line.leave("b")
    assert line.got == ["a", "b", "c"]


def test_what_has_begun_is_finished_before_something_new_is_begun():
    line = Line(1)
    line.come("first", BEGIN)
    line.come("new", BEGIN)
    line.come("begun", FINISH)
    line.leave("first")
    assert line.got == ["first", "begun"]


def test_healing_has_places_of_its_own_and_then_the_next_one():
    line = Line(1)
    line.come("first", BEGIN)
    line.come("new", FINISH)
    for number in range(RESERVED + 1):
        line.come(f"heal-{number}", HEAL)
    assert line.got == ["first", "heal-0", "heal-1"]
    line.leave("heal-0")
    assert line.got[-1] == "heal-2"


def test_a_stranger_has_a_share_and_holds_up_nobody_however_much_of_theirs_has_to_be_healed():
    line = Line(SHARE + 1)
    for number in range(SHARE + 2):
        line.come(f"theirs-{number}", HEAL, "bcdfgh-1")
    assert line.got == [f"theirs-{number}" for number in range(SHARE)]
    line.come("another's", BEGIN, "bcdfgh-2")
    assert line.got[-1] == "another's"
    line.come("new", BEGIN)  # all places are taken but those that only healing gets
    assert "new" not in line.got
    line.come("heal", HEAL)
    assert line.got[-1] == "heal"
    line._go["heal"].set()
    line.leave("theirs-0")
    assert line.got[-1] == f"theirs-{SHARE}"
    line.leave("another's")
    assert line.got[-1] == "new"


def test_a_place_is_free_again_though_its_holder_failed():
    gate = StartGate(1)
    for _ in range(3):
        try:
            with gate.slot(BEGIN):
                raise ValueError
        except ValueError:
            pass
    line = Line(1)
    line.gate = gate
    line.come("next", BEGIN)
    wait_until("its place", lambda: line.got == ["next"], 2, 0.01)
