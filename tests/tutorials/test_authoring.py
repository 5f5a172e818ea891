"""While a lesson is written it is open in a browser, and played: its page follows each save, through mistakes too."""

import time

import pytest
from django.test import Client as Browser

from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.tutorials import authoring, progress, shelf
from lab.tutorials.performance import Performance
from lab.tutorials.views import begin

pytestmark = pytest.mark.django_db
STEP, LESSON = "1-ask-for-four.md", "01-trying"


@pytest.fixture
def client(tmp_path, settings) -> Client:
    """In whose cluster a new lesson is played, up to its first act."""
    settings.LESSONS_DIR = tmp_path
    authoring.new("trying")
    ensure_cluster("author")
    client = Client("author", "tutor", hardware=True)
    begin(client, shelf.lesson(LESSON))
    obj = client.get(LESSONS, "", LESSON)
    now = {"revision": client.view().revision, "time": time.time()}
    status = {**progress.setting(obj), "phase": progress.ACT, "began": now, "committed": now}
    client.update_status(LESSONS, {**obj, "status": status})
    return client


def save(folder, old: str, new: str) -> None:
    step = folder / LESSON / STEP
    step.write_text(step.read_text().replace(old, new))


def turned(playing: Performance, client: Client) -> dict:
    playing.turn(client.get(LESSONS, "", LESSON))
    return client.get(LESSONS, "", LESSON)["status"]


def test_a_run_goes_on_when_a_mistake_is_mended(client, tmp_path):
    playing = Performance(client)
    before = turned(playing, client)
    save(tmp_path, "minutes: 3", "minuets: 3")
    assert turned(playing, client) == before
    save(tmp_path, "minuets: 3", "minutes: 3")
    assert turned(playing, client)["phase"] == progress.ACT


def test_a_check_is_judged_as_it_was_saved_last(client, tmp_path):
    playing = Performance(client)
    assert turned(playing, client)["checks"][0]["outcome"] == "not yet"
    save(tmp_path, "state: deployment/web ready == 4", "state: deployments count == 0")
    assert turned(playing, client)["checks"][0]["outcome"] == "passed"


def test_a_page_of_mistakes_asks_again_until_they_are_mended(client, tmp_path):
    page = f"/clusters/author/lessons/{LESSON}/"
    save(tmp_path, "minutes: 3", "minuets: 3")
    answer = Browser().get(page)
    told = answer.content.decode()
    assert answer.status_code == 400 and f"{STEP}:3: minuets" in told and 'http-equiv="refresh"' in told
    save(tmp_path, "minuets: 3", "minutes: 3")
    assert Browser().get(page).status_code == 200
    assert 'http-equiv="refresh"' not in Browser().get("/clusters/author/lessons/09-none/").content.decode()


def test_a_step_that_was_renamed_is_left_by_reset(client, tmp_path):
    (tmp_path / LESSON / STEP).rename(tmp_path / LESSON / "1-ask.md")
    Browser().post(f"/clusters/author/lessons/{LESSON}/do/reset", {"step": "ask"})
    spec = client.get(LESSONS, "", LESSON)["spec"]
    assert (spec["step"], spec["run"]) == ("ask", 2)


def test_lessons_are_found_without_the_slash(client):
    assert Browser().get("/lessons?cluster=author")["Location"] == "/lessons/?cluster=author"
