"""What becomes of a rehearsal: stage by stage, begun anew, and what it says of a full class."""

import time
from dataclasses import asdict

import pytest
from django.test import Client as Browser

from lab.client import cluster_names
from lab.models import Workshop
from lab.tutorials import shelf
from lab.tutorials.cluster import ensure_learning_cluster
from lab.workshops import rehearsal
from lab.workshops.rehearsal import Row, order, rehearse, room_for, said

GIB = 1 << 30
BUSY = 100_000  # thousandths of a processor: more than any machine has for all


@pytest.fixture
def played(workshop, monkeypatch) -> Workshop:
    """Its lesson has more than one stage; each is set in no time, the second not at all."""

    def rehearsed(name: str, images: str, lesson, step) -> Row:
        ensure_learning_cluster(name, images)
        trouble = "there is no image" if step is second else ""
        return Row(lesson.title, step.title, 0.5, 0 if trouble else GIB, 0 if trouble else BUSY, trouble=trouble)

    second = [step for step in shelf.find("10-desired-state").lesson.steps if step.start][1]
    monkeypatch.setattr(rehearsal, "_rehearsed", rehearsed)
    Workshop.objects.update(lessons=["10-desired-state"])
    workshop.refresh_from_db()
    return workshop


def fresh(workshop: Workshop) -> Workshop:
    return Workshop.objects.get(pk=workshop.pk)


@pytest.mark.django_db(transaction=True)
def test_each_stage_is_set_once_and_what_could_not_be_is_said(played, teacher):
    path = f"/staff/workshops/{played.code}/"
    every = len(rehearsal.stages(played))
    run = order(played)
    for number in range(every):
        assert rehearse(played.code, run)
        page = teacher.get(path).content.decode()
        assert f"{number + 1} of {every} stages are tried" in page
        assert page.count("could not be set") == ("there is no image" in page)  # not called set while it goes on
        assert "<details open><summary>Stage by stage" in page  # the page comes anew each two seconds
    assert "bcdfgh-0" in cluster_names()
    assert not rehearse(played.code, run) and "bcdfgh-0" not in cluster_names()
    page = teacher.get(path).content.decode()
    assert f"1 of {every} stages could not be set" in page and "there is no image" in page
    assert f"keep {BUSY}m of a processor busy" in page and "with more everything is slow" in page
    assert said(fresh(played))["ended"] and not rehearse(played.code, run)


@pytest.mark.django_db(transaction=True)
def test_one_that_is_begun_anew_ends_the_one_before_and_so_does_the_end_of_the_class(played, teacher):
    first = order(played)
    assert rehearse(played.code, first)
    second = order(fresh(played))
    assert not rehearse(played.code, first) and said(fresh(played))["rows"] == []
    assert rehearse(played.code, second)
    teacher.post(f"/staff/workshops/{played.code}/delete")
    assert "bcdfgh-0" not in cluster_names()
    assert not rehearse(played.code, second) and "bcdfgh-0" not in cluster_names()


@pytest.mark.django_db(transaction=True)
def test_one_that_nobody_is_at_any_more_is_said_to_have_stopped(played, teacher):
    path = f"/staff/workshops/{played.code}/"
    rehearse(played.code, order(played))
    assert '"refresh"' in teacher.get(path).content.decode()
    Workshop.objects.update(rehearsal={**fresh(played).rehearsal, "at": time.time() - 2 * rehearsal.STOPPED_SECONDS})
    page = teacher.get(path).content.decode()
    assert "It has stopped after 1 of" in page and "Rehearse again" in page and '"refresh"' not in page


@pytest.mark.django_db(transaction=True)
def test_a_class_deleted_while_a_stage_is_set_leaves_no_cluster(played, monkeypatch):
    run, real = order(played), rehearsal._rehearsed
    monkeypatch.setattr(rehearsal, "_rehearsed", lambda *of: (real(*of), Workshop.objects.all().delete())[0])
    assert not rehearse(played.code, run)
    assert "bcdfgh-0" not in cluster_names()


@pytest.mark.django_db(transaction=True)
def test_the_button_sends_a_worker_to_it(played, teacher, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "lab.workshops.views.current_app.send_task", lambda name, args, queue: sent.append((name, args))
    )
    assert Browser().post(f"/staff/workshops/{played.code}/rehearse").status_code == 302 and sent == []  # no staff
    teacher.post(f"/staff/workshops/{played.code}/rehearse")
    assert sent == [("lab.tasks.rehearse_workshop", [played.code, fresh(played).rehearsal["run"]])]


def test_how_many_have_room():
    assert room_for(GIB, 30, 24 * GIB) == {"most": GIB, "all": 30 * GIB, "free": 24 * GIB, "fits": 19, "enough": False}
    assert room_for(GIB, 19, 24 * GIB)["enough"] and not room_for(25 * GIB, 1, 24 * GIB)["enough"]
    assert room_for(0, 30, 24 * GIB)["enough"]  # nothing is known against it
    assert room_for(GIB, 30, 0)["enough"]


@pytest.mark.django_db(transaction=True)
def test_a_kernel_with_too_few_neighbours_is_told(teacher, played, monkeypatch, tmp_path):
    rows = [asdict(Row("10", "a", 1.0, GIB, 10, pods=8)), asdict(Row("10", "b", 1.0, GIB, 10))]
    played.rehearsal = {"run": "r", "rows": rows, "ended": True}
    played.seats = 60
    played.save()
    monkeypatch.setattr(rehearsal, "NEIGHBOURS", tmp_path / "gc_thresh3")
    for places, told in ((1024, True), (16384, False)):
        rehearsal.NEIGHBOURS.write_text(f"{places}\n")
        assert said(played)["neighbours"]["enough"] is not told
        page = teacher.get(f"/staff/workshops/{played.code}/").content.decode()
        assert ("net.ipv4.neigh.default.gc_thresh3" in page) is told
