"""A lab with a room: a learner comes in by its port, and finds their own cluster and nothing else."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest

from ..labs import LabUnderTest, wait_until


class Browser:
    def __init__(self, root: str):
        self.root, self.cookies = root, CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        return self._opener.open(self.root + path, timeout=60).read().decode()

    def post(self, path: str, **fields: str) -> str:
        """As a form of the page at `path` sends it; returns the page that it leads to."""
        self.get(path)
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        sent = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}, doseq=True).encode()
        return self._opener.open(self.root + path, sent, timeout=120).read().decode()

    def refused(self, path: str) -> int:
        with pytest.raises(urllib.error.HTTPError) as refusal:
            self.get(path)
        return refusal.value.code


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = LabUnderTest(tmp_path_factory.mktemp("room") / "data", "process", "--room", "127.0.0.1")
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def test_a_class_is_made_and_joined_and_each_has_a_cluster_of_their_own(lab):
    wait_until("the way in", lambda: "Learners come in at" in lab.said())
    root = re.search(r"come in at (\S+)join", lab.said())[1]
    teacher, ada, bob = (Browser(root) for _ in range(3))
    printed = re.search(r"signs in as instructor with (\S+),", lab.said())[1]
    assert "Choose a password" in teacher.post("staff/sign-in", username="instructor", password=printed)
    teacher.post("staff/password", new_password1="of my own choice", new_password2="of my own choice")
    made = dict(title="An evening", lessons=["10-desired-state"], seats="9", forget="2100-01-01")
    code = re.search(r'class="code"[^>]*>([A-Z]{6})<', teacher.post("staff/workshops/", **made))[1]
    assert "You are <b>Ada</b>" in ada.post("join", code=code.lower(), nickname="Ada")
    bob.post("join", code=code, nickname="Bob")
    mine, theirs = (f"clusters/{code.lower()}-{number}/" for number in (1, 2))
    ready = '"reason":"KubeletReady"'
    wait_until("her nodes to be ready", lambda: ada.get(f"{mine}api/v1/nodes").replace(" ", "").count(ready) == 4, 60)
    assert "Ada" not in ada.get(mine) and theirs[:-1] not in ada.get(mine)
    for path in (
        theirs,
        f"{theirs}api/v1/nodes",
        "clusters/default/",
        "api/v1/nodes",
        f"staff/workshops/{code}/delete",
    ):
        assert ada.refused(path) in (403, 405), path
    assert Browser(root).refused(f"{mine}api/v1/nodes") == 403
    assert theirs in teacher.get(f"staff/workshops/{code}/") and teacher.get(theirs)
