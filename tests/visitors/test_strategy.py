"""What a Visitors object may be, and what it is where nothing is said."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import VISITORS
from lab.client import Client
from lab.client.clusters import ensure_cluster

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> Client:
    ensure_cluster("visited")
    return Client("visited", "tester")


def create(client: Client, **spec) -> dict:
    return client.create(VISITORS, {"metadata": {"name": "everyone", "namespace": "default"}, "spec": spec})


def test_nobody_comes_until_somebody_says_how_many(client):
    made = create(client, service="hello")
    assert made["spec"] == {"service": "hello", "path": "/", "rate": 0, "concurrency": 16, "timeoutSeconds": 5}
    assert made["metadata"]["generation"] == 1


def test_who_thinks_has_no_rate_unless_one_is_asked_for(client):
    made = create(client, service="hello:http", thinkSeconds=1)
    assert "rate" not in made["spec"]
    changed = client.patch(VISITORS, "default", "everyone", {"spec": {"rate": 50, "thinkSeconds": None}})
    assert (changed["spec"]["rate"], "thinkSeconds" in changed["spec"]) == (50, False)
    assert changed["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ({}, "spec.service", "Required value: the Service to visit"),
        ({"service": "Hello"}, "spec.service", 'Invalid value: "Hello": a DNS-1035 label must consist of'),
        ({"service": "hello:70000"}, "spec.service", "Invalid value"),
        ({"service": "hello:"}, "spec.service", "Invalid value"),
        ({"service": "hello", "path": "page"}, "spec.path", "must begin with '/'"),
        ({"service": "hello", "path": "/a b"}, "spec.path", "no spaces"),
        ({"service": "hello", "path": "/\r\nHost: x"}, "spec.path", "control characters"),
        ({"service": "hello", "path": "/" * 3000}, "spec.path", "no more than 2000"),
        ({"service": "hello", "rate": -1}, "spec.rate", "Invalid value: -1: must be between 0 and 5000, inclusive"),
        ({"service": "hello", "rate": 5000.5}, "spec.rate", "must be between 0 and 5000"),
        ({"service": "hello", "concurrency": 0}, "spec.concurrency", "must be between 1 and 1000"),
        ({"service": "hello", "timeoutSeconds": 0.05}, "spec.timeoutSeconds", "must be between 0.1 and 60"),
        ({"service": "hello", "thinkSeconds": 0}, "spec.thinkSeconds", "must be between 0.01 and 3600"),
    ],
)
def test_it_refuses_what_cannot_be_asked_for(client, spec, field, words):
    with pytest.raises(ApiError) as refused:
        create(client, **spec)
    causes = refused.value.details["causes"]
    assert (refused.value.code, {cause["field"] for cause in causes}) == (422, {field})
    assert words in causes[0]["message"]
