"""What a learner does in the room asks first whose seat it is."""

import pytest
from django.test import Client as Browser

from lab.workshops.gate import COOKIE
from lab.workshops.seats import join

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = ("hand", "alone", "vote", "help/accept", "questions", "questions/1/want")


@pytest.mark.parametrize("way", WAYS)
def test_without_a_seat_nothing_is_done_and_with_one_a_refusal_is_told_in_words(workshop, way):
    for headers in ({}, {"cookie": f"{COOKIE}=made-up"}):
        assert Browser(headers=headers).post(f"/room/{way}").status_code == 403
    _, token = join(workshop.code, "Ada")
    answer = Browser(headers={"cookie": f"{COOKIE}={token}"}).post(f"/room/{way}")
    assert answer.status_code == 204 if way in ("hand", "alone") else answer.json()["message"]
    assert Browser(headers={"cookie": f"{COOKIE}={token}"}).post("/room/questions/1/nonsense").status_code == 404
