"""What the bank's manifests say of themselves is what the API takes."""

import pytest
from django.test import Client as Browser

from lab import demos
from lab.client.clusters import ensure_cluster
from lab.dashboard.creating import create_from_yaml

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("shape", ["monolith", "services"])
def test_the_api_takes_the_manifest_as_it_stands(shape):
    ensure_cluster("demos")
    made, wrong = create_from_yaml("demos", demos.MANIFESTS[shape].read_text())
    assert not wrong
    images = [c["image"] for obj in made if obj["kind"] == "Deployment" for c in containers(obj)]
    assert images and set(images) <= demos.IMAGES.keys()


def test_the_boards_form_offers_both_shapes():
    ensure_cluster("demos")
    page = Browser().get("/clusters/demos/board/panel/create?mode=yaml&example=services").content.decode()
    assert "The bank as one program" in page and "orrery/bank-storage:v1" in page


def containers(deployment: dict) -> list[dict]:
    return deployment["spec"]["template"]["spec"]["containers"]
