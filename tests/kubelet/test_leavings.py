"""What is left of a cluster on its engine: it goes when somebody has deleted the cluster, and only then."""

import pytest

from lab.client.clusters import delete_cluster, ensure_cluster
from lab.kubelet import leavings
from lab.kubelet.leavings import Leavings
from lab.runtime import RuntimeFailure
from lab.runtime.process.runtime import ProcessRuntime

pytestmark = pytest.mark.django_db
PAGE = {"Dockerfile": b"FROM orrery/hello:v1\nCOPY page.html /app/hello/page.html\n", "page.html": b"<h1>mine</h1>"}


class World:
    """An engine on which two clusters, and one of which the database knows nothing, have written something."""

    def __init__(self, folder):
        self.runtime = ProcessRuntime("lab", folder)
        self.leavings = Leavings(self.runtime)
        for cluster in ("class-1", "class-2"):
            ensure_cluster(cluster, "orrery/* mine/*")
        for cluster in ("class-1", "class-2", "unknown"):
            self.runtime.volumes.ensure(cluster, "pvc-1")
            list(self.runtime.images.build(f"mine/{cluster}", PAGE, 60, cluster))
        list(self.runtime.images.build("mine/of-the-owner", PAGE, 60))

    def there(self) -> tuple[set[str], set[str]]:
        """Who has volumes, and who images."""
        built = {name for image in self.runtime.images.present() for name in image.names if name.startswith("mine/")}
        return {cluster for cluster, _ in self.runtime.volumes.present()}, {name[5:-3] for name in built}


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    monkeypatch.setattr(leavings, "LOOK_SECONDS", 0.0)
    return World(tmp_path)


ALL = {"class-1", "class-2", "unknown"}


def test_of_a_deleted_cluster_nothing_stays_and_of_one_that_is_only_not_known_everything(world):
    world.leavings.clear()
    assert world.there() == (ALL, {*ALL, "of-the-owner"})
    delete_cluster("class-1")
    world.leavings.clear()
    assert world.there() == (ALL - {"class-1"}, {"class-2", "unknown", "of-the-owner"})


def test_one_that_was_made_anew_keeps_what_it_has(world):
    delete_cluster("class-1")
    ensure_cluster("class-1")
    world.leavings.clear()
    assert world.there() == (ALL, {*ALL, "of-the-owner"})
    delete_cluster("class-1")
    world.leavings.clear()
    assert "class-1" not in world.there()[0]


def test_what_is_in_use_stays_until_it_is_not_and_holds_up_nothing_else(world, monkeypatch):
    delete_cluster("class-1")
    delete_cluster("class-2")
    remove = world.runtime.volumes.remove

    def stubborn(cluster: str, name: str) -> None:
        if cluster == "class-1":
            raise RuntimeFailure("VolumeFailedDelete", "volume is in use")
        remove(cluster, name)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(world.runtime.volumes, "remove", stubborn)
        world.leavings.clear()
    assert world.there() == ({"class-1", "unknown"}, {"unknown", "of-the-owner"})
    world.leavings.clear()
    assert world.there()[0] == {"unknown"}
