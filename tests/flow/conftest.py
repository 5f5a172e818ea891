"""Stages for the tests of pods, one on each real runtime, on which the pods that a module declares are played; a
kubectl for a lab; and pages of its own for each of a class."""

import secrets
import subprocess
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from ..labs import manage
from .room import SLOW
from .stage import Stage


def _set(request: pytest.FixtureRequest, runtime: str) -> Iterator[Stage]:
    """Create what the module declares: PODS on both runtimes, DOCKER_PODS on Docker only, CONFIG before either."""
    stage = Stage(request.getfixturevalue(f"{runtime}_lab"), f"pods-{secrets.token_hex(3)}")
    try:
        for kind, objects in getattr(request.module, "CONFIG", {}).items():
            for each in objects:
                stage.create(each, kind)
        for manifest in [*getattr(request.module, "PODS", ()), *_only(request, runtime)]:
            stage.create(manifest)
        yield stage
    finally:
        stage.close()


def _only(request: pytest.FixtureRequest, runtime: str) -> list[dict]:
    return getattr(request.module, f"{runtime.upper()}_PODS", [])


@pytest.fixture(scope="module")
def docker_stage(request: pytest.FixtureRequest, docker_lab) -> Iterator[Stage]:
    yield from _set(request, "docker")


@pytest.fixture(scope="module")
def process_stage(request: pytest.FixtureRequest, process_lab) -> Iterator[Stage]:
    yield from _set(request, "process")


@pytest.fixture(params=["docker", "process"])
def stage(request: pytest.FixtureRequest) -> Stage:
    return request.getfixturevalue(f"{request.param}_stage")


@pytest.fixture
def kubectl_of(lab, kubectl, tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run kubectl on the lab that the module names `lab`."""
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=lab.data).stdout)

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run([kubectl, "--kubeconfig", config, *words], capture_output=True, text=True, timeout=90)

    return run


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[[], Page]]:
    """A page in a profile of its own, as often as it is asked for. None may say that it has an error."""
    errors: list[str] = []
    contexts = []

    def another() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(SLOW)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield another
    for context in contexts:
        context.close()
    assert errors == []
