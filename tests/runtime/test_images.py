"""Images: there or not, had or refused, in the words that Kubernetes uses for it."""

import os
import subprocess

import pytest

from lab import demos
from lab.runtime import RuntimeFailure
from lab.runtime.docker.making import archive
from tests.conftest import need

from .conftest import IMAGE


def test_a_demo_image_can_be_had_and_is_there_afterwards(bench):
    found = bench.runtime.images.pull(IMAGE)
    assert IMAGE in found.names
    assert bench.runtime.images.status(IMAGE) == found
    assert found.size > 0
    assert any(IMAGE in image.names for image in bench.runtime.images.present())


def test_every_demo_can_be_had_everywhere(bench):
    for image in demos.IMAGES:
        assert bench.runtime.images.pull(image)


def test_an_image_that_is_not_there_is_none(bench):
    assert bench.runtime.images.status("example.test/nothing:1") is None


def test_a_name_that_is_none_is_called_so(bench):
    for name in ("web/UPPER", "a b", "web:", ""):
        with pytest.raises(RuntimeFailure) as refused:
            bench.runtime.images.pull(name)
        assert refused.value.reason == "InvalidImageName"
        assert "couldn't parse image reference" in refused.value.message


def test_an_image_that_cannot_be_had_is_refused_in_the_engines_words(bench):
    with pytest.raises(RuntimeFailure) as refused:
        bench.runtime.images.pull("127.0.0.1:9/nothing:1")
    assert refused.value.reason == "ErrImagePull"
    assert refused.value.message


def test_what_the_engine_cannot_remove_is_put_aside_and_its_image_is_made(docker_bench, engine):
    """As after an engine that was stopped while it made one: there a mount that it knows nothing of is in its way."""
    need("overlay2 and root", engine.info()["Driver"] == "overlay2" and os.geteuid() == 0)
    maker, image = docker_bench.runtime.images.maker, "orrery/busy:1"
    remains = engine.create_container_from_config({"Image": IMAGE}, name=maker.making_name(image))["Id"]
    folder = engine.inspect_container(remains)["GraphDriver"]["Data"]["UpperDir"]
    subprocess.run(["chattr", "+i", folder], check=True)
    try:
        maker._layer(image, IMAGE, "digest", "busy", {}, archive({"/app/busy/it": b"is"}))
        assert engine.inspect_container(remains)["Name"].startswith("/dead-")
        assert docker_bench.runtime.images.status(image)
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)
        engine.remove_container(remains)
    engine.remove_image(image)
