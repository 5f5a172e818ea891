"""The connection to a Docker engine: a client a thread, a timeout on every call, one kind of error.

The low-level client only: the high-level one inspects every container it lists, ten times the work.
"""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound
from docker.transport import UnixHTTPAdapter
from docker.utils import kwargs_from_env

from lab.runtime import RuntimeFailure
from lab.runtime.engines import docker_host

UNAVAILABLE = "EngineUnavailable"  # the reason of a RuntimeFailure that is nobody's fault but the engine's
# What an answer that comes in pieces may break with.
BROKEN = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, DockerException, OSError)
CALL_SECONDS = 30
POOL_SIZE = 2  # a thread makes one call at a time; a stream beside it may hold a connection for longer


class OnePool(UnixHTTPAdapter):
    """docker-py keeps a pool of connections for every address it was ever asked for, and lets 25 of them stand: with
    forty threads a thousand sockets. There is but one engine, so one pool will do."""

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        return super().get_connection("http+docker://localhost", proxies)


class Client(docker.APIClient):
    """An engine behind TLS has an authority of its own, in whose place what the environment names for the web would be
    asked (REQUESTS_CA_BUNDLE)."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        own = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, own, cert)


class Engine:
    """Which engine it is, is said by its address alone: ids that engines report of themselves are not unique."""

    def __init__(self) -> None:
        self._options = kwargs_from_env()
        self._options.setdefault("base_url", docker_host() or None)
        self._threads = threading.local()
        self._api_version = "auto"
        self._facts: dict = {}
        self._shares_host: bool | None = None

    @property
    def client(self) -> Client:
        """This thread's client. Raises RuntimeFailure("EngineUnavailable") if it is the first and none answers."""
        client = getattr(self._threads, "client", None)
        if client is None:
            client = self._threads.client = self.new_client()
        return client

    def new_client(self) -> Client:
        """A client for a thread that will not live long; close it."""
        with failing_as(UNAVAILABLE):
            client = Client(version=self._api_version, timeout=CALL_SECONDS, **self._options)
        scheme, _, path = (self._options["base_url"] or "").partition("://")
        if scheme == "unix":
            client.mount("http+docker://", OnePool(path, CALL_SECONDS, max_pool_size=POOL_SIZE))
        self._api_version = client.api_version  # negotiated once, with the first
        return client

    def facts(self) -> dict:
        """What the engine says of itself (`docker info`), asked once."""
        if not self._facts:
            with failing_as(UNAVAILABLE):
                self._facts = self.client.info()
        return self._facts

    def on_this_host(self) -> bool:
        """Whether its containers' processes and cgroups are those that we see: not through TCP, not from a
        container with the engine's socket in it, not in a virtual machine as Docker Desktop has it."""
        if self._shares_host is None:
            same_name = self.facts().get("Name") == os.uname().nodename
            self._shares_host = same_name and _peer(self._options["base_url"] or "") > 0
        return self._shares_host


def _peer(address: str) -> int:
    """The process that listens on a unix socket, as our own process ids count; 0 if it is in another world."""
    if not address.startswith("unix://") or not hasattr(socket, "SO_PEERCRED"):
        return 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CALL_SECONDS)
        try:
            connection.connect(address.removeprefix("unix://"))
            return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        except OSError:
            return 0


@contextmanager
def failing_as(reason: str, gone_is_fine: bool = False) -> Iterator[None]:
    """Turn what the Docker client raises into RuntimeFailure(reason); into nothing for a 404 if `gone_is_fine`."""
    try:
        yield
    except NotFound as error:
        if not gone_is_fine:
            raise RuntimeFailure(reason, words(error)) from error
    except APIError as error:
        raise RuntimeFailure(reason, words(error)) from error
    except BROKEN as error:
        raise RuntimeFailure(UNAVAILABLE, f"the container engine does not answer: {error}") from error


def words(error: APIError) -> str:
    """What the engine itself said."""
    return str(error.explanation or error)
