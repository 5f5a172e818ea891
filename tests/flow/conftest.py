"""Stages for the tests of pods, one on each real runtime, on which the pods that a module declares are played; and a
kubectl for a lab."""

import secrets
import subprocess
from collections.abc import Callable, Iterator

import pytest

from ..labs import manage
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
