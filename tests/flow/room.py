"""A lab with a room, as those in it use it: by HTTP, through its door."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest
from playwright.sync_api import Page, expect

from ..labs import LabUnderTest, wait_until

ROOM = ("--room", "127.0.0.1")
PASSWORD = "of my own choice"
SLOW = 60_000  # of a machine that may be busy


class Browser:
    def __init__(self, root: str):
        self.root, self.cookies = root, CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        return self._opener.open(self.root + path, timeout=60).read().decode()

    def post(self, path: str, at: str = "", **fields: str | list[str]) -> str:
        """As a form of the page at `at`, or at `path`, sends it; returns the page that it leads to."""
        self.get(at or path)
        sent = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.cookie("csrftoken")}, doseq=True).encode()
        return self._opener.open(self.root + path, sent, timeout=120).read().decode()

    def patch(self, path: str, body: bytes) -> None:
        headers = {"Content-Type": "application/merge-patch+json"}
        request = urllib.request.Request(self.root + path, body, headers, method="PATCH")
        self._opener.open(request, timeout=60).close()

    def ask(self, path: str, **fields: str) -> str:
        """As a script of a page does that they have seen before; answered in words."""
        headers = {"X-CSRFToken": self.cookie("csrftoken"), "Accept": "application/json"}
        sent = urllib.request.Request(self.root + path, urllib.parse.urlencode(fields).encode(), headers)
        return self._opener.open(sent, timeout=60).read().decode()

    def hand(self, up: bool) -> None:
        self.ask("room/hand", **({"up": "1"} if up else {}))

    def cookie(self, name: str) -> str:
        return next(cookie.value or "" for cookie in self.cookies if cookie.name == name)

    def refused(self, path: str) -> int:
        with pytest.raises(urllib.error.HTTPError) as refusal:
            self.get(path)
        return refusal.value.code


def root_of(lab: LabUnderTest) -> str:
    """Where one comes in."""
    wait_until("the way in", lambda: "Learners come in at" in lab.said())
    return re.search(r"come in at (\S+)join", lab.said())[1]


def teacher_of(lab: LabUnderTest) -> Browser:
    """Signed in for the first time, with a password of their own from then on."""
    teacher = Browser(root_of(lab))
    printed = re.search(r"signs in as instructor with (\S+),", lab.said())[1]
    assert "Choose a password" in teacher.post("staff/sign-in", username="instructor", password=printed)
    teacher.post("staff/password", new_password1=PASSWORD, new_password2=PASSWORD)
    return teacher


def made(teacher: Browser, lesson: str, seats: int = 9) -> str:
    """The code of a new workshop."""
    fields = {"title": "An evening", "lessons": [lesson], "seats": str(seats), "forget": "2100-01-01"}
    return re.search(r'class="code"[^>]*>([A-Z]{6})<', teacher.post("staff/workshops/", **fields))[1]


def joined(page: Page, root: str, code: str, name: str) -> Page:
    page.goto(f"{root}join?code={code}")
    page.get_by_label("Your nickname").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text(f"You are {name}.")).to_be_visible(timeout=SLOW)
    return page
