"""Which port is the front door's."""

import socket

import pytest

from lab.supervisor.state import CannotStart
from lab.supervisor.up import front_door, listen, parse


def free_pair() -> int:
    """A port whose next one is free too."""
    while True:
        with listen("127.0.0.1", 0) as trial, socket.socket() as following:
            port = trial.getsockname()[1]
            if following.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


def test_it_is_the_one_after_the_boards():
    with listen("127.0.0.1", free_pair()) as board, front_door(parse([]), board) as door:
        assert door.getsockname()[1] == board.getsockname()[1] + 1


def test_it_is_any_if_that_is_taken():
    port = free_pair()
    with listen("127.0.0.1", port) as board, listen("127.0.0.1", port + 1), front_door(parse([]), board) as door:
        assert door.getsockname()[1] not in (0, port + 1)


def test_one_that_was_asked_for_and_is_taken_stands_in_the_way():
    with listen("127.0.0.1", 0) as board, listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"--front-door-port {port + 1}"):
            front_door(parse(["--front-door-port", str(port)]), board)
