"""Lines of logs, joined by a request's id: which count, and when their work began."""

import json

import pytest
from django.test import Client as Browser

from lab.client.clusters import ensure_cluster
from lab.dashboard.requests import services_of, told_line

POD = {"metadata": {"name": "loans-1", "labels": {"app": "loans"}}}
STAMP = "2026-11-29T05:54:01.500000000Z "


def line(**told: object) -> str:
    return STAMP + json.dumps({"request_id": "a1", "level": "info", "service": "loans", **told}) + "\n"


def test_a_line_began_as_long_before_it_was_written_as_it_took():
    found = told_line(POD, line(method="GET", route="/loans", status=200, ms=250.0), "a1")
    assert found
    assert (found["text"], found["ms"], found["service"], found["pod"]) == ("GET /loans 200", 250.0, "loans", "loans-1")
    assert found["began"] % 60 == 1.25


@pytest.mark.parametrize(
    "time, began",
    [
        ("2026-11-29T05:54:01.400250Z", 1.400250),  # the engine read it a tenth of a second later
        ("2026-11-29T05:54:02.000000Z", 1.5),  # its clock is not ours
        ("2026-11-28T05:54:01.400250Z", 1.5),
        ("at noon", 1.5),
        (12, 1.5),
    ],
)
def test_a_line_that_says_when_it_was_written_is_believed_unless_it_cannot_be(time, began):
    found = told_line(POD, line(message="hello", time=time), "a1")
    assert found and found["began"] % 60 == pytest.approx(began, abs=1e-6)


@pytest.mark.parametrize("other", [{"request_id": "b2", "message": "not a1"}, {"level": "debug", "message": "detail"}])
def test_what_only_mentions_the_id_and_details_are_left_out(other):
    assert told_line(POD, line(**other), "a1") is None


def test_a_line_that_is_no_json_is_of_its_pods_app():
    found = told_line(POD, STAMP + "asked by a1\n", "a1")
    assert found and (found["service"], found["text"]) == ("loans", "asked by a1")
    assert services_of([found, {**found, "service": "ui"}, found]) == ["loans", "ui"]


@pytest.mark.django_db
def test_a_request_that_no_log_knows_is_said_so():
    ensure_cluster("followed")
    answer = Browser().get("/clusters/followed/board/drawer/requests/default/a1")
    assert answer.status_code == 404 and "request id a1" in answer.content.decode()
