"""What flow tests of the controllers ask for."""

import pytest

from .cluster import Cluster


@pytest.fixture
def cluster(db) -> Cluster:
    return Cluster()
