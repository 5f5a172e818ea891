"""What any test may ask for: a broker, a running lab, two kubectls, helm, a browser, PostgreSQL, the Docker engine.

Each is the real thing. Where one is not installed, the tests that need it are left out on a newcomer's machine, and
fail in CI, where `.ci/run` has installed all of them.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest
import uvicorn
from django.conf import settings
from django.contrib.contenttypes.management import create_contenttypes
from django.db.models.signals import post_migrate
from hypothesis import HealthCheck
from hypothesis import settings as given_settings
from playwright.sync_api import Browser, Page, Response, sync_playwright
from playwright.sync_api import Error as BrowserError

from lab.httpserver import QuietServer
from lab.management import pki
from lab.runtime.engines import detect
from lab.supervisor.broker import server_program
from lab.supervisor.probe import answers_ping
from lab.web import plain, secured

from .engines import DistantEngine, PrivateEngine
from .labs import LabUnderTest, free_port, wait_until
from .postgresql import PROGRAMS, PostgreSQL

IN_CI = os.environ.get("CI") == "true"
# How long an example takes says something of the machine, and what it does beside.
given_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
given_settings.load_profile("busy")
# The same engine without a browser's windows needs a third less of the processor.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def chromium_program() -> str | None:
    """The path of a Chromium."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def need(what: str, found: object) -> None:
    """Leave the test out where `what` is not `found`; in CI, fail."""
    if not found:
        (pytest.fail if IN_CI else pytest.skip)(f"needs {what}")


@pytest.fixture(scope="session", autouse=True)
def broker() -> Iterator[str]:
    """The broker that tests.settings names, empty."""
    command = [server_program(), "--port", str(settings.BROKER_PORT), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, cwd=settings.DATA_DIR, stdout=subprocess.DEVNULL)
    wait_until("the broker to answer", lambda: answers_ping(settings.REDIS_URL), step=0.01)
    yield settings.REDIS_URL
    server.kill()
    server.wait()


@pytest.fixture(scope="session", autouse=True)
def authority() -> Path:
    """What `manage.py prepare` makes before there is a cluster: the authority, and what signs tokens."""
    pki.prepare(settings.PKI_DIR, ["127.0.0.1"])
    return settings.PKI_DIR


@pytest.fixture(scope="session", autouse=True)
def no_permissions() -> None:
    """Django's own, which the lab never asks for: after each test its tables are emptied, and would be filled anew."""
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.fixture(scope="session")
def web_server(broker: str) -> Iterator[int]:
    """The lab's web server on a free port, in a thread of the tests: the port."""
    yield from _serving(plain())


@pytest.fixture(scope="session")
def tls_server(broker: str, authority: Path) -> Iterator[int]:
    """The same at its TLS port, with an authority of the tests' own."""
    yield from _serving(secured())


def _serving(config: uvicorn.Config) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = QuietServer(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_until("the web server to serve", lambda: server.started, step=0.01)
        yield listening.getsockname()[1]
        server.should_exit = server.force_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.APIClient]:
    """The Docker engine of this machine. Only touch what you made."""
    need("a Docker engine", detect() == "docker")
    client = docker.APIClient(timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="session")
def docker_lab(engine: docker.APIClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    """A running lab on the Docker engine, shared by all tests that leave it as they found it."""
    yield from _running(LabUnderTest(tmp_path_factory.mktemp("docker") / "data", "docker"))


@pytest.fixture(scope="session")
def process_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    """A running lab whose containers are local processes, shared likewise."""
    path = os.pathsep.join([str(Path(os.environ.get("KUBECTL_NEW", "")).parent), os.environ["PATH"]])
    yield from _running(LabUnderTest(tmp_path_factory.mktemp("process") / "data", "process", PATH=path))


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[LabUnderTest]:
    """A lab on local processes for one test alone, which may break it. Not started yet."""
    lab = LabUnderTest(tmp_path / "data", "process")
    yield lab
    lab.clean_up()


@pytest.fixture
def own_docker_lab(engine: docker.APIClient, tmp_path: Path) -> Iterator[LabUnderTest]:
    """The same on the Docker engine."""
    lab = LabUnderTest(tmp_path / "data", "docker")
    yield lab
    lab.clean_up()


def _running(lab: LabUnderTest) -> Iterator[LabUnderTest]:
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whoever asks for a kubectl runs with the new one; those that are about what a kubectl sends
    (`@pytest.mark.both_kubectls`), with an old one too."""
    chosen = any("kubectl" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "kubectl" in metafunc.fixturenames and not chosen:
        both = metafunc.definition.get_closest_marker("both_kubectls")
        names = ["KUBECTL_OLD", "KUBECTL_NEW"] if both else ["KUBECTL_NEW"]
        metafunc.parametrize("kubectl", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def kubectl(request: pytest.FixtureRequest) -> str:
    """The path of a kubectl."""
    found = os.environ.get(request.param) or (shutil.which("kubectl") if not IN_CI else None)
    need(f"kubectl ({request.param} names one)", found)
    return found


@pytest.fixture(scope="session")
def helm() -> str:
    """The path of a helm."""
    found = os.environ.get("HELM") or (shutil.which("helm") if not IN_CI else None)
    need("helm (HELM names one)", found)
    return found


@pytest.fixture(scope="session", autouse=True)
def pages_load_again() -> Iterator[None]:
    """Chrome drops what it loads when an interface comes or goes, as with each pod of the tests beside, and loads it
    again a moment later. So long no test waits."""
    with pytest.MonkeyPatch.context() as patch:
        for load in (Page.goto, Page.reload):
            patch.setattr(Page, load.__name__, _loading_again(load))
        yield


def _loading_again(load: Callable[..., Response | None]) -> Callable[..., Response | None]:
    def loaded(*args: Any, **options: Any) -> Response | None:
        for _ in range(4):
            try:
                return load(*args, **options)
            except BrowserError as error:
                if "ERR_NETWORK_CHANGED" not in error.message:
                    raise
        return load(*args, **options)

    return loaded


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Of this scope because it must be gone before an async test wants an event loop."""
    program = chromium_program()
    need("Chromium", program)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of 1440×900 in a profile of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DATABASE_URL of an empty PostgreSQL that lives as long as the tests."""
    need("PostgreSQL", PROGRAMS)
    server = PostgreSQL()
    yield server.url
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The REDIS_URL of a real Redis, empty."""
    program, port = shutil.which("redis-server"), free_port()
    need("redis-server", program)
    server = subprocess.Popen([program, "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL, cwd="/tmp")
    url = f"redis://127.0.0.1:{port}/0"
    wait_until("Redis to answer", lambda: answers_ping(url), step=0.01)
    yield url
    server.kill()
    server.wait()


@pytest.fixture
def private_engine() -> Iterator[PrivateEngine]:
    """A second Docker engine of this test's own, that it may stop."""
    yield from _started(PrivateEngine)


@pytest.fixture
def distant_engine(tmp_path_factory) -> Iterator[DistantEngine]:
    """The same, as if it were on another machine: it sees no lab's files."""
    yield from _started(partial(DistantEngine, hides=tmp_path_factory.getbasetemp()))


def _started(kind: Callable[[Path], PrivateEngine]) -> Iterator:
    need("dockerd and ip, as root", shutil.which("dockerd") and shutil.which("ip") and os.geteuid() == 0)
    # Not among pytest's folders, whose names may be so long that there is no room for those of the engine's sockets.
    engine = kind(Path(tempfile.mkdtemp(prefix="orrery-engine-")))
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        engine.clean_up()
        shutil.rmtree(engine.folder)
