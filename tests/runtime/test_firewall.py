"""The machine's side of closed networks: tried until it has been said, and nothing is left of the tries."""

from types import SimpleNamespace

import pytest
import requests
from docker.errors import NotFound

from lab.runtime import RuntimeFailure
from lab.runtime.docker.firewall import Firewall


class Client:
    """An engine that knows one container at a time."""

    def __init__(self):
        self.there: set[str] = {"orrery-abc-firewall"}  # of a worker that was killed at it
        self.trouble: Exception | None = None
        self.exit_code, self.runs = 0, 0

    def create_container_from_config(self, config: dict, name: str) -> dict:
        assert name not in self.there
        self.there.add(name)
        return {"Id": name}

    def start(self, id: str) -> None:
        self.runs += 1

    def wait(self, id: str, timeout: float) -> dict:
        if self.trouble:
            raise self.trouble
        return {"StatusCode": self.exit_code}

    def logs(self, id: str) -> bytes:
        return b"iptables: command not found"

    def remove_container(self, id: str, **_) -> None:
        if id not in self.there:
            raise NotFound("no such container", SimpleNamespace(status_code=404), "")
        self.there.discard(id)

    def inspect_container(self, id: str) -> dict:
        raise NotFound("no such container", SimpleNamespace(status_code=404), "")


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def firewall(client) -> Firewall:
    return Firewall(SimpleNamespace(client=client), "abc", SimpleNamespace(make_gateway=lambda: ""))


def test_it_is_closed_once_whatever_is_left_of_who_was_killed_at_it(firewall, client):
    firewall.close()
    firewall.close()
    assert client.runs == 1 and not client.there


def test_while_the_engine_does_not_answer_there_is_no_such_network(firewall, client):
    client.trouble = requests.exceptions.ReadTimeout("30 s")
    for _ in range(2):
        with pytest.raises(RuntimeFailure):
            firewall.close()
    client.trouble = None
    firewall.close()
    assert client.runs == 3 and firewall._closed


def test_what_the_machine_cannot_do_is_said_once_and_pods_run_anyhow(firewall, client, caplog):
    client.exit_code = 127
    for _ in range(2):
        firewall.close()
    assert client.runs == 1 and [record.message[-17:] for record in caplog.records] == ["command not found"]
