"""A fault for everybody, and what the workshop came to: of the log of each cluster, and of its Lessons."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils.timezone import now

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, LESSONS, NAMESPACES, NODES
from lab.client import Client, cluster_names
from lab.models import Drill, Workshop
from lab.tutorials.told import telling
from lab.workshops import drills
from lab.workshops.closing import end
from lab.workshops.drills import FAULTS, judged, outcomes, strike
from lab.workshops.report import safe
from lab.workshops.seats import join
from tests.tutorials.made_up import deployment, row

LESSON = "10-desired-state"
PREDICTED = {"chosen": "two", "right": False, "misconception": "desired-state-is-a-command"}
PASSED = {"passed": {"revision": 9, "time": 1_790_000_000.0}, "runs": 2, "seconds": 41.5, "skipped": False, "hints": 1}


def web(ready: int, replicas: int = 3) -> dict:
    obj = deployment("web", replicas, ready)
    return {**obj, "status": {"replicas": replicas, "readyReplicas": ready, "updatedReplicas": replicas}}


def told(*rows: Any, whole: bool = True) -> tuple:
    found = judged("ada", 100.0, {"default/web": whole}, rows)
    return found.noticed, found.hurt, found.well


def test_noticed_hurt_and_well_are_seconds_after_the_fault():
    hurt, well = row(web(2), "deployment-controller", 101.5), row(web(3), "deployment-controller", 104.0)
    assert told(hurt, well) == (None, 1.5, 4.0)
    act = row(web(2), "board", 103.0)
    assert told(hurt, act, well) == (3.0, 1.5, 4.0)
    assert told(hurt) == (None, 1.5, None)
    assert told(well) == (None, None, None)  # never hurt
    assert told(hurt, well, whole=False) == (None, None, None)  # it was not whole before
    assert told(row(web(2), "deployment-controller", 101.5, deleted=True)) == (None, 1.5, None)
    stuck = {**web(3), "status": {"replicas": 4, "readyReplicas": 3, "updatedReplicas": 1}}
    assert told(row(stuck, "deployment-controller", 101.5)) == (None, 1.5, None)  # the visitors see nothing of it yet


def test_who_struck_does_not_notice_and_what_comes_much_later_is_not_about_it():
    assert told(row(web(3), "instructor", 101.0), row(web(3), "board", 100.0 + 31 * 60)) == (None, None, None)


@pytest.fixture
def room(workshop) -> Workshop:
    """Ada is at work in her cluster, Bea has only come in."""
    workshop.lessons = [LESSON]
    workshop.save()
    for name in ("Ada", "=Bea"):
        join(workshop.code, name)
    ada = Client(workshop.taken.first().cluster, "board", hardware=True)
    obj = ada.create(LESSONS, {"metadata": {"name": LESSON}, "spec": {"step": "take-all-away", "run": 3}})
    steps = {"take-one-away": {**PASSED, "predicted": PREDICTED}}
    ada.update_status(LESSONS, {**obj, "status": {"run": 3, "phase": "Act", "steps": steps}})
    return workshop


def grace() -> Browser:
    browser = Browser()
    browser.post("/staff/sign-in", {"username": "grace", "password": "a long one to keep"})
    return browser


def test_a_fault_comes_to_every_cluster_and_says_where_it_could_not(room):
    ada, bea = room.taken.order_by("id")
    assert "in 2 of 2 clusters" in strike(room, "dark")
    for seat in (ada, bea):
        notes = Client(seat.cluster, "a test").get(NODES, "", "node-b")["metadata"]["annotations"]
        assert notes["orrery.io/power"] == "off"
    assert "in 0 of 2 clusters" in strike(room, "kill")  # there is no pod
    dark, kill = Drill.objects.order_by("id")
    assert [one.failed for one in outcomes(dark, [ada, bea])] == ["", ""]
    assert all("there are no pods" in one.failed for one in outcomes(kill, [ada, bea]))


def test_what_a_learner_does_after_it_is_read_of_their_log(room):
    ada, bea = room.taken.order_by("id")
    client = Client(ada.cluster, "board")
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "w", "image": "orrery/hello:v1"}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    made = client.create(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
    whole = {"readyReplicas": 1, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}
    obj = client.update_status(DEPLOYMENTS, {**made, "status": whole})
    strike(room, "dark")
    for ready in (0, 1):
        obj = client.update_status(DEPLOYMENTS, {**obj, "status": {**whole, "readyReplicas": ready}})
    (drill,) = Drill.objects.all()
    first, second = outcomes(drill, [ada, bea])
    assert None not in (first.noticed, first.hurt, first.well) and first.hurt <= first.well < 60
    assert (second.noticed, second.hurt, second.well) == (None, None, None)


def test_what_a_fault_came_to_is_kept_when_the_clusters_go(room):
    seats = list(room.taken.order_by("id"))
    strike(room, "dark")
    Client(seats[0].cluster, "board").create(NAMESPACES, {"metadata": {"name": "an-act"}})
    (drill,) = Drill.objects.all()
    before = outcomes(drill, seats)
    assert before[0].noticed is not None
    Workshop.objects.update(goes=True)
    end(Workshop.objects.get(), {}, "grace")
    assert seats[0].cluster not in cluster_names()
    assert outcomes(Drill.objects.get(), seats) == before


def test_the_page_and_its_files_say_what_the_workshop_came_to(room):
    browser, at = grace(), f"/staff/workshops/{room.code}/"
    assert browser.post(f"{at}drill", {"fault": "dark"}).status_code == 302
    assert browser.post(f"{at}drill", {"fault": "dawn"}).status_code == 400
    page = browser.get(f"{at}report").content.decode()
    assert "Take one away" in page and FAULTS["dark"].title in page
    found = browser.get(f"{at}report.json").json()
    assert [(one["name"], one["passed"], one["right"]) for one in found["learners"]] == [("Ada", 1, 0), ("=Bea", 0, 0)]
    steps = {one["step"]: (one["reached"], one["passed"], one["lost"]) for one in found["steps"]}
    assert steps["Take one away"] == (1, 1, 0) and steps["Take all of them away"] == (1, 0, 1)
    assert [one["learners"] for one in found["beliefs"]] == [1] and len(found["drills"]) == 1
    assert '"refresh"' in page and "not hurt yet" in page  # what comes of it comes by itself
    lines = list(csv.DictReader(io.StringIO(browser.get(f"{at}report.csv").content.decode())))
    assert [(one["name"], one["step"], one["misconception"]) for one in lines] == [
        ("Ada", "Take one away", PREDICTED["misconception"]),
        ("Ada", "Take all of them away", ""),
        ("Ada", "", ""),
        ("'=Bea", "", ""),
    ]
    assert [bool(one["passed"]) for one in lines] == [True, False, False, False]
    assert [one["fault"] for one in lines[2:]] == [FAULTS["dark"].title] * 2 and lines[2]["struck"]


def test_the_hints_of_the_report_are_those_of_the_wall(room):
    ada = Client(room.taken.first().cluster, "board", hardware=True)
    obj = ada.get(LESSONS, "", LESSON)
    ada.update(LESSONS, telling(obj, "take-all-away", "Look at the rail.", "grace", 1_790_000_100.0))
    found = grace().get(f"/staff/workshops/{room.code}/report.json").json()
    assert [one["hints"] for one in found["learners"]] == [2, 0]
    steps = {one["step"]: one["hints"] for one in found["steps"]}
    assert steps["Take one away"] == steps["Take all of them away"] == 1
    text = grace().get(f"/staff/workshops/{room.code}/report.csv").content.decode()
    assert [one["hints"] for one in csv.DictReader(io.StringIO(text))] == ["1", "1", ""]


def test_the_file_says_who_was_not_struck_and_why(room):
    strike(room, "kill")  # there is no pod
    text = grace().get(f"/staff/workshops/{room.code}/report.csv").content.decode()
    why = [one["not struck, for"] for one in csv.DictReader(io.StringIO(text)) if one["fault"]]
    assert len(why) == 2 and all("there are no pods" in one for one in why)


def test_when_the_class_is_over_its_report_offers_no_fault(room):
    assert "faults" in grace().get(f"/staff/workshops/{room.code}/report").content.decode()
    Workshop.objects.update(over=now())
    assert "faults" not in grace().get(f"/staff/workshops/{room.code}/report").content.decode()


def test_an_outsider_reads_no_report_and_strikes_nobody(room):
    for path in ("report", "report.csv", "report.json"):
        answer = Browser().get(f"/staff/workshops/{room.code}/{path}")
        assert answer.headers["Location"].startswith("/staff/sign-in")
    Browser().post(f"/staff/workshops/{room.code}/drill", {"fault": "dark"})
    assert not Drill.objects.exists()


def test_an_empty_room_is_told_so(workshop):
    assert grace().post(f"/staff/workshops/{workshop.code}/drill", {"fault": "dark"}).status_code == 400
    assert "Nobody has joined yet" in grace().get(f"/staff/workshops/{workshop.code}/report").content.decode()


def test_no_spreadsheet_calculates_a_name():
    assert [safe(text) for text in ("Ada", "=1+1", "@x", "-")] == ["Ada", "'=1+1", "'@x", "'-"]


def test_a_fault_is_done_once_however_often_it_is_pressed(workshop, monkeypatch):
    join(workshop.code, "Ada")
    done = []
    monkeypatch.setattr(drills, "_strike", lambda seat, fault: done.append(fault) or {"revision": 1, "time": 1.0})
    drills.strike(workshop, "kill")
    with pytest.raises(ApiError, match="has just been done"):
        drills.strike(workshop, "kill")
    drills.strike(workshop, "dark")
    Drill.objects.update(began=now() - timedelta(seconds=drills.PAUSE_SECONDS))
    drills.strike(workshop, "kill")
    assert done == ["kill", "dark", "kill"] and all(drill.struck for drill in Drill.objects.all())
