"""Images: there or not, had or refused, in the words that Kubernetes uses for it."""

import pytest

from lab import demos
from lab.runtime import RuntimeFailure

from .conftest import IMAGE


def test_a_demo_image_can_be_had_and_is_there_afterwards(bench):
    found = bench.runtime.pull_image(IMAGE)
    assert IMAGE in found.names
    assert bench.runtime.image_status(IMAGE) == found
    assert found.size > 0
    assert any(IMAGE in image.names for image in bench.runtime.list_images())


def test_every_demo_can_be_had_everywhere(bench):
    for image in demos.IMAGES:
        assert bench.runtime.pull_image(image)


def test_an_image_that_is_not_there_is_none(bench):
    assert bench.runtime.image_status("example.test/nothing:1") is None


def test_a_name_that_is_none_is_called_so(bench):
    for name in ("web/UPPER", "a b", "web:", ""):
        with pytest.raises(RuntimeFailure) as refused:
            bench.runtime.pull_image(name)
        assert refused.value.reason == "InvalidImageName"
        assert "couldn't parse image reference" in refused.value.message


def test_an_image_that_cannot_be_had_is_refused_in_the_engines_words(bench):
    with pytest.raises(RuntimeFailure) as refused:
        bench.runtime.pull_image("127.0.0.1:9/nothing:1")
    assert refused.value.reason == "ErrImagePull"
    assert refused.value.message
