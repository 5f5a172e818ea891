"""Learners in groups: even, and moved by hand."""

import csv
import io
from collections import Counter

import pytest

from lab.apimachinery.errors import ApiError
from lab.models import Help, Role, Workshop
from lab.workshops.groups import divide, divided, named, smallest
from lab.workshops.roles import ASSISTANT
from lab.workshops.seats import join
from lab.workshops.wall import Wall

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("groups", "taken", "letter"), [(1, "AAA", "A"), (3, "AB", "C"), (3, "ABC", "A"), (2, "BBA", "A")]
)
def test_who_joins_comes_into_the_smallest(groups, taken, letter):
    assert smallest(groups, taken) == letter


@pytest.mark.parametrize("now", ["", "A", "AAAAAAA", "AAABBC", "HHHHAB", "ABCABCABC"])
@pytest.mark.parametrize("groups", [1, 2, 3, 8])
def test_groups_are_even_and_nobody_moves_without_need(now, groups):
    after = divided(now, groups)
    sizes = [Counter(after)[letter] for letter in "ABCDEFGH"[:groups]]
    assert len(after) == len(now) == sum(sizes) and max(sizes) - min(sizes) <= 1
    assert divided(after, groups) == after
    before = Counter(now)
    stay = sum(min(size, before[letter]) for letter, size in zip("ABCDEFGH", sizes, strict=False))
    assert sum(a == b for a, b in zip(now, after, strict=True)) == stay


@pytest.mark.parametrize(
    ("letters", "words"),
    [("", "no group"), ("A", "group A"), ("AC", "groups A and C"), ("ABD", "groups A, B and D")],
)
def test_groups_are_named(letters, words):
    assert named(letters) == words


def joined(workshop, *names: str) -> str:
    for name in names:
        join(workshop.code, name)
    return "".join(workshop.taken.order_by("id").values_list("group", flat=True))


def test_a_class_is_divided_and_who_comes_later_is_spread(workshop):
    assert joined(workshop, "Ada", "Bob") == "AA"
    assert "group" not in Wall(workshop.code).look().tiles["bcdfgh-1"]  # there are none to speak of
    divide(workshop, "2")
    assert joined(workshop, "Cleo") == "ABA"
    shown = Wall(workshop.code).look()
    assert [tile["group"] for tile in shown.tiles.values()] == ["A", "B", "A"] and shown.room["groups"] == 2
    for wrong in ("", "0", "9", "x"):
        with pytest.raises(ApiError, match="from 1 to 8"):
            divide(workshop, wrong)


def test_the_report_says_of_everybody_in_which_they_are(workshop, teacher):
    joined(workshop, "Ada", "Bob")
    page = f"/staff/workshops/{workshop.code}/report"
    assert "Group" not in teacher.get(page).content.decode()  # there are none to speak of
    divide(workshop, "2")
    assert '<td data-label="Group">B</td>' in teacher.get(page).content.decode()
    rows = list(csv.DictReader(io.StringIO(teacher.get(f"{page}.csv").content.decode())))
    assert [(row["name"], row["group"]) for row in rows] == [("Ada", "A"), ("Bob", "B")]
    said = teacher.get(f"{page}.json").json()
    assert said["workshop"]["groups"] == 2 and [one["group"] for one in said["learners"]] == ["A", "B"]


def test_no_group_is_dissolved_that_has_an_assistant(workshop):
    divide(workshop, "2")
    role = Role.objects.create(workshop=workshop, account="bert", role=ASSISTANT, groups="B")
    with pytest.raises(ApiError, match="bert helps group B"):
        divide(workshop, "1")
    assert Workshop.objects.get().groups == 2
    Role.objects.filter(pk=role.pk).update(groups="AB")
    joined(workshop, "Ada", "Bob")
    bob = workshop.taken.get(nickname="Bob")
    Help.objects.create(seat=bob, by="bert", state="Looks")
    divide(workshop, "1")
    assert Workshop.objects.get().groups == 1 and Role.objects.get().groups == "A"
    assert Help.objects.get().seat == bob  # who is in A now


def test_who_is_moved_is_left_by_the_assistants_of_their_old_group_and_by_nobody_else(workshop, teacher):
    divide(workshop, "2")
    joined(workshop, "Ada", "Bob")
    ada, bob = workshop.taken.order_by("id")
    Role.objects.create(workshop=workshop, account="anna", role=ASSISTANT, groups="A")
    for seat, by in ((ada, "anna"), (bob, "grace")):
        Help.objects.create(seat=seat, by=by, state="Acts")
    path = f"/staff/workshops/{workshop.code}/wall/do/group"
    assert teacher.post(path, {"seat": ada.cluster, "text": "B"}).json()["message"] == "Ada is in group B."
    assert teacher.post(path, {"seat": bob.cluster, "text": "A"}).status_code == 200
    assert list(Help.objects.values_list("by", flat=True)) == ["grace"]
    Role.objects.update(groups="AB")
    Help.objects.update(by="anna")
    assert teacher.post(path, {"seat": bob.cluster, "text": "B"}).status_code == 200 and Help.objects.exists()
    for wrong in ("C", "", "AB"):
        assert teacher.post(path, {"seat": bob.cluster, "text": wrong}).status_code == 400
