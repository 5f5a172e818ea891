"""Progress goes along as a file, and comes back beside what is there."""

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, cluster_names
from lab.tutorials.carrying import packed, unpack
from lab.tutorials.cluster import LEARN, ensure_learning_cluster

pytestmark = pytest.mark.django_db
LESSON, FIRST, SECOND = "10-desired-state", "say-three", "take-one-away"
PASSED = {"passed": {"revision": 9, "time": 1_790_000_000.0}, "runs": 2, "seconds": 41.5, "skipped": False, "hints": 0}


@pytest.fixture
def learner() -> Client:
    ensure_learning_cluster()
    return Client(LEARN, "board", hardware=True)


def write(learner: Client, steps: dict) -> None:
    obj = learner.create(LESSONS, {"metadata": {"name": LESSON}, "spec": {"step": SECOND, "run": 3}})
    learner.update_status(LESSONS, {**obj, "status": {"run": 3, "phase": "Act", "steps": steps, "tries": {FIRST: 2}}})


def test_what_was_passed_comes_back_whole(learner):
    write(learner, {FIRST: PASSED})
    text = packed(learner.list(LESSONS))
    learner.delete(LESSONS, "", LESSON)
    assert unpack(learner, text.encode()) == 1
    obj = learner.get(LESSONS, "", LESSON)
    assert obj["status"]["steps"] == {FIRST: PASSED}
    assert obj["spec"]["paused"] and obj["spec"]["step"] == SECOND  # where they go on, when they come


def test_what_is_here_already_stays(learner):
    write(learner, {FIRST: PASSED})
    text = packed(learner.list(LESSONS)).replace("41.5", "1.0")
    other = yaml.safe_load(text)
    other["items"][0]["status"]["steps"][SECOND] = PASSED
    assert unpack(learner, yaml.safe_dump(other).encode()) == 2
    status = learner.get(LESSONS, "", LESSON)["status"]
    assert status["steps"] == {FIRST: PASSED, SECOND: PASSED} and status["phase"] == "Act"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "no YAML"),
        (b"\xff\xfe\x00", "no YAML"),
        (b"hello", "a List of Lessons"),
        (b"items: [{}]", "no Lesson with passed steps"),
        (b"items: [{kind: Lesson, metadata: {name: 99-none}, status: {steps: {}}}]", "no lesson 99-none here"),
        (
            b"items: [{kind: Lesson, metadata: {name: 10-desired-state}, status: {steps: {say-three: {runs: many}}}}]",
            "no Lesson with passed steps",
        ),
        (b"#" * (1 << 20) + b"#", "too large"),
    ],
)
def test_what_is_no_progress_writes_nothing_and_says_so(learner, text, said):
    with pytest.raises(ApiError, match=said):
        unpack(learner, text)
    assert learner.list(LESSONS) == []


def test_the_page_gives_the_file_and_takes_it(client, learner):
    write(learner, {FIRST: PASSED})
    answer = client.get("/lessons/progress.yaml")
    assert "attachment" in answer["Content-Disposition"] and FIRST in answer.content.decode()
    learner.delete(LESSONS, "", LESSON)
    file = SimpleUploadedFile("orrery-progress.yaml", answer.content)
    brought = client.post("/lessons/progress", {"file": file})
    shown = client.get(brought["Location"]).content.decode()
    assert "Say three" in shown and "What the file has" in shown
    assert "What the file has" not in client.get("/lessons/certificate").content.decode()
    refused = client.post("/lessons/progress", {})
    assert refused.status_code == 400 and "This file cannot be brought here" in refused.content.decode()


def test_a_link_to_a_lesson_leads_to_the_path_where_nobody_has_begun(client):
    assert LEARN not in cluster_names()
    assert client.get(f"/clusters/{LEARN}/lessons/{LESSON}/")["Location"] == f"/lessons/#{LESSON}"
