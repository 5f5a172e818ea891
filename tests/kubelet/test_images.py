import threading

import pytest

from lab.kubelet.backoff import Backoff
from lab.kubelet.images import Images
from lab.runtime import Image, RuntimeFailure
from tests.labs import wait_until

from .test_backoff import Clock


class Registry:
    """An engine with some images, and a registry that has others, or refuses."""

    def __init__(self):
        self.here: set[str] = set()
        self.there = {"web:1"}
        self.pulls = 0
        self.open = threading.Event()
        self.open.set()

    def status(self, image: str) -> Image | None:
        return Image(f"sha256:{image}", (image,), 7) if image in self.here else None

    def pull(self, image: str, abroad: bool = True) -> Image:
        self.pulls += 1
        self.open.wait(20)
        if image not in self.there:
            raise RuntimeFailure("ErrImagePull", "no such manifest")
        self.here.add(image)
        return self.status(image)


class Shop:
    def __init__(self):
        self.registry, self.clock = Registry(), Clock()
        self.images = Images(self.registry, Backoff(10, 300, self.clock))
        self.told: list[str] = []
        self.woken: list[str] = []

    def want(self, image: str = "web:1", uid: str = "u1", policy: str = "IfNotPresent") -> str:
        """Why the container waits; "" if it need not."""
        container = {"name": "web", "image": image, "imagePullPolicy": policy}
        waiting = self.images.ensure(
            uid, container, lambda kind, reason, message: self.told.append(reason), lambda: self.woken.append(uid)
        )
        return waiting.reason if waiting else ""

    def wait_woken(self, count: int = 1) -> None:
        wait_until("to be woken", lambda: len(self.woken) >= count, 5, 0.005)


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.images.stop()


def test_an_image_that_is_there_is_not_pulled(shop):
    shop.registry.here.add("web:1")
    assert shop.want() == ""
    assert shop.told == ["Pulled"] and shop.registry.pulls == 0
    assert shop.images.id_of("web:1") == "sha256:web:1"


def test_a_missing_image_is_pulled_while_its_pod_waits(shop):
    assert shop.want() == "ContainerCreating"
    shop.wait_woken()
    assert shop.want() == ""
    assert shop.told == ["Pulling", "Pulled"]


def test_pods_that_want_the_same_image_wait_for_one_pull(shop):
    shop.registry.open.clear()
    for uid in ("u1", "u2", "u3"):
        assert shop.want(uid=uid) == "ContainerCreating"
    shop.registry.open.set()
    shop.wait_woken(3)
    assert sorted(shop.woken) == ["u1", "u2", "u3"] and shop.registry.pulls == 1


def test_a_pull_that_fails_is_left_alone_for_longer_each_time(shop):
    shop.want("none:1")
    shop.wait_woken()
    assert [shop.want("none:1"), shop.want("none:1")] == ["ErrImagePull", "ImagePullBackOff"]
    assert shop.told == ["Pulling", "Failed", "Failed", "BackOff", "Failed"]
    assert shop.images.remaining("none:1") == 10 and shop.registry.pulls == 1
    shop.clock.now += 10
    assert shop.want("none:1") == "ErrImagePull"
    shop.wait_woken(2)
    assert shop.registry.pulls == 2 and shop.images.remaining("none:1") == 20


def test_a_pull_that_breaks_in_a_way_that_nobody_knows_is_one_that_fails(shop, monkeypatch):
    def breaks(image: str, abroad: bool = True) -> Image:
        raise KeyError("RepoTags")

    monkeypatch.setattr(shop.registry, "pull", breaks)
    shop.want()
    shop.wait_woken()
    assert shop.want() == "ErrImagePull" and shop.images.remaining("web:1") == 10
    assert shop.told == ["Pulling", "Failed", "Failed"]


def test_a_pull_can_be_begun_before_the_container_wants_it(shop):
    container = {"name": "web", "image": "web:1"}
    shop.registry.open.clear()
    shop.images.begin("u1", container, lambda *event: shop.told.append(event[1]), lambda: shop.woken.append("u1"))
    assert shop.want() == "ContainerCreating"
    shop.registry.open.set()
    shop.wait_woken(2)
    assert shop.want() == "" and shop.told == ["Pulling", "Pulled"] and shop.registry.pulls == 1


def test_once_it_can_be_had_the_pauses_are_forgotten(shop):
    shop.want("none:1")
    shop.wait_woken()
    shop.registry.there.add("none:1")
    shop.clock.now += 10
    shop.want("none:1")
    shop.wait_woken(2)
    assert shop.want("none:1") == ""
    shop.registry.here.clear()
    shop.images.recheck()
    assert shop.want("none:1") == "ContainerCreating"


def test_under_never_it_is_only_waited_for(shop):
    assert shop.want(policy="Never") == "ErrImageNeverPull"
    assert shop.told == ["ErrImageNeverPull", "Failed"]
    shop.registry.here.add("web:1")
    assert shop.want(policy="Never") == "" and shop.registry.pulls == 0


def test_under_always_it_is_pulled_for_each_start(shop):
    shop.registry.here.add("web:1")
    for number in (1, 2):
        assert shop.want(policy="Always") == "ContainerCreating"
        shop.wait_woken(number)
        assert shop.want(policy="Always") == ""
    assert shop.registry.pulls == 2


def test_an_image_removed_behind_our_back_is_noticed_with_the_next_look(shop):
    shop.registry.here.add("web:1")
    shop.want()
    shop.registry.here.clear()
    assert shop.want() == ""
    shop.images.recheck()
    assert shop.want() == "ContainerCreating"
