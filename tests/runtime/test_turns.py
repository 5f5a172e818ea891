"""How a container waits for its start on Docker is known from its making on. No engine is asked."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from lab.runtime import ContainerSpec, SandboxSpec
from lab.runtime.docker.gate import FINISH, HEAL
from lab.runtime.docker.runtime import DockerRuntime


class Turns:
    def __init__(self, monkeypatch, folder):
        self.runtime, self.asked = DockerRuntime("test-turns", folder), []
        self.runtime._engine._threads.client = SimpleNamespace(start=lambda container_id: None)
        monkeypatch.setattr(self.runtime._cgroups, "grant", lambda *_: 0)
        monkeypatch.setattr(self.runtime, "_create", lambda config, name: f"id of {name}")
        monkeypatch.setattr(self.runtime.images, "volumes", lambda image: ())
        monkeypatch.setattr(self.runtime, "_rows", self._rows)
        monkeypatch.setattr(self.runtime._gate, "slot", self._slot)
        self.while_listing = lambda: None

    def _rows(self, filters: dict) -> list[dict]:
        self.while_listing()
        return []

    def _slot(self, *turn):
        self.asked.append(turn)
        return nullcontext()

    def make(self, attempt: int, stranger: bool) -> str:
        pod = SandboxSpec("bcdfgh-1", "node-a", "default", "web", "uid-1", stranger=stranger)
        return self.runtime.create_container("box", pod, ContainerSpec("main", "orrery/hello:v1", attempt=attempt))


@pytest.mark.parametrize(
    ("attempt", "stranger", "turn"),
    [(0, True, (FINISH, "bcdfgh-1")), (1, True, (HEAL, "bcdfgh-1")), (1, False, (HEAL, ""))],
)
def test_a_container_that_is_made_while_the_others_are_listed_waits_as_it_should(
    monkeypatch, tmp_path, attempt, stranger, turn
):
    turns, made = Turns(monkeypatch, tmp_path), []
    turns.while_listing = lambda: made.append(turns.make(attempt, stranger))
    turns.runtime.list_pods()
    turns.runtime.start_container(made[0])
    assert turns.asked == [turn, turn]


def test_of_a_container_that_has_gone_before_it_was_started_nothing_is_remembered(monkeypatch, tmp_path):
    turns = Turns(monkeypatch, tmp_path)
    turns.make(0, stranger=True)
    turns.runtime.list_pods()
    assert not turns.runtime._turns
