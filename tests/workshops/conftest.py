from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from lab.models import Workshop
from lab.tutorials import shelf
from lab.tutorials.lesson import Lesson


@pytest.fixture
def workshop(transactional_db) -> Workshop:
    User.objects.create_user("grace", password="a long one to keep", is_staff=True)
    return Workshop.objects.create(code="BCDFGH", title="A class", seats=3, by="grace", forget=date(2100, 1, 1))


@pytest.fixture
def teacher(workshop) -> Browser:
    browser = Browser()
    browser.post("/staff/sign-in", {"username": "grace", "password": "a long one to keep"})
    return browser


@pytest.fixture
def lesson() -> Lesson:
    return shelf.find("10-desired-state").lesson
