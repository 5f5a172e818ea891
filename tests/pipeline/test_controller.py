"""The loop that turns on Builds, on the real store, with nobody at the other end."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BUILDS
from lab.client import Client, Lock
from lab.client.clusters import ensure_cluster
from lab.pipeline import BUILDS as LOOP
from lab.pipeline.plan import KEPT

pytestmark = pytest.mark.django_db(transaction=True)
FILES = {"Dockerfile": "FROM orrery/hello:v1"}


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("ships")
    return Client("ships", "tester")


def make(client: Client, name: str = "one", status: dict | None = None, **spec) -> dict:
    spec = {"deployment": "hello", "files": FILES, **spec}
    made = client.create(BUILDS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    return client.update_status(BUILDS, {**made, "status": status}) if status else made


def status_of(client: Client, name: str = "one") -> dict:
    return client.get(BUILDS, "default", name).get("status", {})


def test_one_that_nobody_builds_any_more_has_failed(client):
    make(client, status={"phase": "Building"})
    LOOP.sync(client, "default/one")
    told = status_of(client)
    assert told["phase"] == "Failed" and "nothing was changed" in told["message"] and told["finishedAt"]


def test_one_that_somebody_builds_is_left_to_them(client):
    make(client, status={"phase": "Building"})
    assert Lock(f"{client.view().uid}/building").acquire()
    assert LOOP.sync(client, "default/one") > 0
    assert status_of(client)["phase"] == "Building"


def test_a_second_one_waits_for_its_turn(client):
    make(client, "a")
    make(client, "b")
    assert LOOP.sync(client, "default/b") > 0
    assert status_of(client, "b") == {}


def test_a_rollout_of_a_deployment_that_is_gone_has_failed(client):
    make(client, status={"phase": "RollingOut", "image": "orrery/hello:v4"})
    LOOP.sync(client, "default/one")
    assert status_of(client)["message"] == "the deployment was deleted"


def test_old_ones_are_forgotten(client):
    for number in range(KEPT + 1):
        make(client, f"b{number:02d}", status={"phase": "Failed"})
    LOOP.sync(client, "default/b00")
    assert len(client.list(BUILDS)) == KEPT


@pytest.mark.parametrize(
    "spec, words",
    [
        ({"deployment": ""}, "spec.deployment"),
        ({"files": {"page.html": "x"}}, "Dockerfile"),
        ({"files": {**FILES, "../page.html": "x"}}, "without folders"),
        ({"files": {**FILES, "page.html": "x" * 300_000}}, "spec.files"),
        ({"timeoutSeconds": 0}, "timeoutSeconds"),
        ({"timeoutSeconds": 3600}, "timeoutSeconds"),
        ({"repository": "a/../b"}, "spec.repository"),
    ],
)
def test_what_cannot_be_built_is_refused(client, spec, words):
    with pytest.raises(ApiError) as refused:
        make(client, **spec)
    assert refused.value.code == 422 and words in refused.value.message


def test_what_is_to_be_built_stays_what_it_is(client):
    made = make(client)
    with pytest.raises(ApiError, match="spec"):
        client.update(BUILDS, {**made, "spec": {**made["spec"], "deployment": "other"}})
