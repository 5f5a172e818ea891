"""A kubelet in this process, for the tests that need a whole one."""

import pytest

from .world import World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.stop()
