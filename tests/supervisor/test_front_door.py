"""Which ports are the front door's and the TLS port's."""

import socket

import pytest

from lab.supervisor.state import CannotStart
from lab.supervisor.up import beside, is_loopback, listen, listen_everywhere, parse


def free_ports() -> int:
    """A port whose next two are free too."""
    while True:
        with listen("127.0.0.1", 0) as trial, socket.socket() as following, socket.socket() as second:
            port = trial.getsockname()[1]
            taken = [one.connect_ex(("127.0.0.1", port + at)) for at, one in enumerate((following, second), 1)]
            if all(taken):
                return port


def test_they_are_those_after_the_boards():
    def taken_after(port: int) -> list[int]:
        sockets = list(listen_everywhere(parse(["--port", str(port)])))
        found = [each.getsockname()[1] - port for each in sockets]
        for each in sockets:
            each.close()
        return found

    # Somebody else on this machine may take one of them meanwhile, but not every time.
    assert [0, 2, 1] in [taken_after(free_ports()) for _ in range(5)]


def test_it_is_any_if_that_is_taken():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with beside("127.0.0.1", port, None, "--tls-port") as door:
            assert door.getsockname()[1] not in (0, port)


def test_one_that_was_asked_for_and_is_taken_stands_in_the_way():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"--front-door-port {port + 1}"):
            beside("127.0.0.1", 0, port, "--front-door-port")


def test_only_the_loopback_is_the_machines_own():
    assert all(map(is_loopback, ("127.0.0.1", "127.0.1.1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.1.7", "lab.example.com")))
