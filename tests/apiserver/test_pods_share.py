"""What pods of a stranger's cluster may ask of the API by their tokens: how often, how much, how much at once."""

import asyncio
import contextlib
import threading

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest

from lab.apimachinery.errors import ApiError
from lab.apiserver.access import strangers
from lab.apiserver.access.allowance import Allowance
from lab.apiserver.access.user import LOOPBACK, User
from lab.apiserver.threads import in_thread
from lab.apiserver.views import entry
from lab.asgi import application
from lab.client.clusters import ensure_cluster
from lab.httpserver import AT_END, SECURED
from lab.models import OUR_IMAGES

pytestmark = pytest.mark.django_db


@pytest.fixture
def learner() -> None:
    ensure_cluster("held", OUR_IMAGES)


def test_pods_by_their_tokens_have_a_share_of_requests(learner, monkeypatch, rf):
    monkeypatch.setattr(entry.shared, "OF_PODS", Allowance(1, 2, lambda: 0.0))
    monkeypatch.setattr(entry.authentication, "user_of", lambda scope, cluster: LOOPBACK)
    ensure_cluster("own")
    request = rf.get("/api/v1/pods")
    request.scope = {"headers": []}
    assert [entry._admitted(request, "held") for _ in range(2)] and [entry._admitted(request, "own") for _ in range(9)]
    with pytest.raises(ApiError) as refusal:
        entry._admitted(request, "held")
    assert (refusal.value.code, refusal.value.details["retryAfterSeconds"]) == (429, 1)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([(b"content-length", b"262145")], 413),
        ([(b"transfer-encoding", b"chunked")], 411),
        ([(b"content-length", b"262144")], 429),  # as dear as 33 requests without a body
    ],
)
def test_what_pods_send_by_their_tokens_is_no_larger_than_what_their_learner_may_send(
    learner, monkeypatch, rf, headers, code
):
    monkeypatch.setattr(entry.shared, "OF_PODS", Allowance(1, 40, lambda: 0.0))
    monkeypatch.setattr(entry.authentication, "user_of", lambda scope, cluster: LOOPBACK)
    request = rf.post("/api/v1/namespaces/default/configmaps")
    request.scope = {"headers": headers}
    with pytest.raises(ApiError) as refusal:
        for _ in range(2):
            entry._admitted(request, "held")
    assert refusal.value.code == code


@pytest.mark.django_db(transaction=True)
async def test_pods_have_so_many_requests_under_way_and_give_each_back_at_its_end(monkeypatch, rf):
    monkeypatch.setattr(entry.shared, "OF_PODS", Allowance(1, 100, lambda: 0.0))
    monkeypatch.setattr(entry.authentication, "user_of", lambda scope, cluster: LOOPBACK)
    await in_thread(ensure_cluster, "held", OUR_IMAGES)
    request = rf.get("/api/v1/pods?watch=true")
    for _ in range(2):
        with contextlib.ExitStack() as at_end:
            request.scope = {"headers": [], "state": {SECURED: True}, AT_END: at_end}
            for _ in range(strangers.OPEN_MOST):
                await entry.admit(request, "held")
            with pytest.raises(ApiError, match="under way"):
                await entry.admit(request, "held")


@pytest.mark.django_db(transaction=True)
async def test_who_leaves_before_it_is_known_who_they_are_has_nothing_under_way(monkeypatch):
    """The thread that looks it up goes on."""
    looks, left, looked = (threading.Event() for _ in range(3))
    admitted = entry._admitted

    def slowly(scope: dict, cluster: str) -> User:
        looks.set()
        assert left.wait(30)
        return LOOPBACK

    def noted(request: HttpRequest, cluster: str) -> object:
        try:
            return admitted(request, cluster)
        finally:
            looked.set()

    monkeypatch.setattr(entry.authentication, "user_of", slowly)
    monkeypatch.setattr(entry, "_admitted", noted)
    await in_thread(ensure_cluster, "held", OUR_IMAGES)
    scope = {"type": "http", "method": "GET", "path": "/clusters/held/api/v1/pods", "query_string": b""}
    headers = [(b"host", b"localhost")]
    pod = ApplicationCommunicator(application, {**scope, "headers": headers, "state": {SECURED: True}})
    await pod.send_input({"type": "http.request"})
    assert await asyncio.to_thread(looks.wait, 30)
    await pod.send_input({"type": "http.disconnect"})
    await pod.wait(30)
    left.set()
    assert await asyncio.to_thread(looked.wait, 30)
    with contextlib.ExitStack() as all_that_may_be:
        for _ in range(strangers.OPEN_MOST):
            all_that_may_be.enter_context(strangers.one_more("pods of held"))
