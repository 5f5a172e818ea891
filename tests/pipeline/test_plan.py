"""What is decided about builds, as functions of data."""

import pytest

from lab.client.images import built_as, repository_of
from lab.dashboard.shipping import program_of
from lab.pipeline.plan import (
    COMPLETE,
    FAILED,
    KEPT,
    MOST_LINES,
    ROLLING_OUT,
    clipped,
    next_pending,
    outdated,
    rollout,
)
from lab.runtime.dockerfile import as_read, bases
from lab.runtime.references import next_version

NEW = "orrery/hello:v4"


def build(name: str, phase: str = "", second: int = 0) -> dict:
    status = {"status": {"phase": phase}} if phase else {}
    return {"metadata": {"name": name, "creationTimestamp": f"2026-01-01T00:00:{second:02d}Z"}, **status}


def deployment(image: str = NEW, replicas: int = 3, paused: bool = False, **status) -> dict:
    template = {"spec": {"containers": [{"name": "web", "image": image}]}}
    told = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, **status}
    spec = {"replicas": replicas, "template": template, "paused": paused}
    return {"metadata": {"name": "hello", "generation": 2}, "spec": spec, "status": told}


def test_the_oldest_that_waits_is_next():
    waiting = [build("c", second=3), build("b", second=1), build("a", COMPLETE), build("d", "Building")]
    assert next_pending(waiting)["metadata"]["name"] == "b"
    assert next_pending([build("a", COMPLETE)]) is None


def test_the_oldest_of_many_that_are_over_go():
    over = [build(f"b{n}", FAILED, n) for n in range(KEPT + 2)]
    assert [one["metadata"]["name"] for one in outdated([*over, build("new")])] == ["b1", "b0"]


@pytest.mark.parametrize(
    "image, repository",
    [
        ("orrery/hello:v1", "orrery/hello"),
        ("nginx", "nginx"),
        ("host:5000/web", "host:5000/web"),
        ("host:5000/web:2", "host:5000/web"),
        ("web@sha256:0", "web"),
    ],
)
def test_a_repository_is_a_name_without_its_tag(image, repository):
    assert repository_of(image) == repository


@pytest.mark.parametrize(
    ("image", "guard", "repository"),
    [
        ("orrery/hello:v1", "", "orrery/hello"),
        ("orrery/hello:v1", "orrery/* mine/*", "mine/hello"),
        ("mine/shop:v2", "orrery/* mine/*", "mine/shop"),
        ("minecraft:1", "*", "mine/minecraft"),
    ],
)
def test_what_a_learner_builds_is_not_called_as_the_labs_own(image, guard, repository):
    assert built_as(image, guard) == repository
    assert program_of("mine/hello:v7") == program_of("orrery/hello:v1")


def test_the_next_version_is_one_more_than_the_last_number():
    assert next_version(["a/b:v1", "a/b:v10", "a/b:broken", "a/bc:v99", "x/a/b:v50"], "a/b") == "v11"
    assert next_version([], "a/b") == "v1"


@pytest.mark.parametrize(
    "found, phase, words",
    [
        (None, FAILED, "was deleted"),
        (deployment("other:1"), FAILED, "overtaken: hello was given other:1"),
        (deployment(observedGeneration=1), ROLLING_OUT, "to be observed"),
        (deployment(paused=True), ROLLING_OUT, "is paused"),
        (deployment(updatedReplicas=1), ROLLING_OUT, "1 out of 3 new replicas"),
        (deployment(replicas=2, updatedReplicas=2), ROLLING_OUT, "1 old replicas are pending termination"),
        (deployment(availableReplicas=2), ROLLING_OUT, "2 of 3 updated replicas are available"),
        (deployment(), COMPLETE, "hello runs orrery/hello:v4: 3 of 3"),
        (deployment(replicas=0, updatedReplicas=0, availableReplicas=0), ROLLING_OUT, "3 old replicas"),
        (
            deployment(
                updatedReplicas=1,
                conditions=[
                    {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
                ],
            ),
            FAILED,
            "the rollout has stopped: late. What ran before still runs",
        ),
    ],
)
def test_a_rollout_is_told_in_kubectls_words(found, phase, words):
    seen = rollout(found, "web", NEW)
    assert seen.phase == phase and words in seen.message


def test_a_long_log_keeps_its_end():
    kept = clipped([f"line {n}" for n in range(MOST_LINES + 5)]).splitlines()
    assert len(kept) == MOST_LINES + 1 and "5 lines before" in kept[0] and kept[-1] == f"line {MOST_LINES + 4}"


def test_an_engine_is_given_one_instruction_a_line_and_none_by_which_it_would_ask_an_address():
    text = "# escape=`\nfrom a\nRUN b \\\n  # why\n\n  && c\r\n\tCOPY\td /e\n"
    assert as_read({"Dockerfile": text.encode(), "d": b"1"}) == {
        "Dockerfile": b"FROM a\nRUN b   && c\nCOPY d /e",
        "d": b"1",
    }
    for asks in ("ADD http://x /y", "add\thttp://x /y", "ONBUILD ADD http://x /y", "\\\nADD http://x /y"):
        with pytest.raises(ValueError, match="is not for builds here"):
            as_read({"Dockerfile": f"FROM a\n{asks}\n".encode()})
    smuggled = "RUN a \\\\\nADD http://x /y\nRUN b \\  \nADD http://x /y"
    assert as_read({"Dockerfile": smuggled.encode()})["Dockerfile"].count(b"\n") == 1


def test_a_dockerfile_names_what_it_stands_on():
    text = b"# FROM nothing\nFROM orrery/hello:v1 AS a\nRUN x \\\n FROM y\nfrom b:2\n"
    assert bases({"Dockerfile": text}) == ["orrery/hello:v1", "b:2"]
    assert bases({}) == []
