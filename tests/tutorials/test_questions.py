"""The questions of a step as the column draws them: each chosen answer with its reason, the right ones too."""

import pytest
from django.template.loader import render_to_string

from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.tutorials.column import column
from lab.tutorials.lesson import Answer, Lesson, Question, Step

RIGHT = Answer("decode", "Decode it", right=True, because="It is `base64`.")
WRONG = Answer("never", "Nobody can", because="You can.")
STEP = Step("first", "First", 1, "", questions=(Question("read", "How?", (RIGHT, WRONG)),))
LESSON = Lesson("07-asking", "Asking", "A track", 2, "", "/nowhere", steps=(STEP,))


@pytest.mark.django_db
def test_the_reason_of_what_was_chosen_is_shown_and_no_other():
    ensure_cluster("asking")
    client = Client("asking", "board")

    def shown(answers: dict) -> str:
        obj = {"metadata": {"name": LESSON.id}, "spec": {"step": "first", "run": 1, "answers": {"first": answers}}}
        return render_to_string("tutorials/_questions.html", column(client, LESSON, obj, ""))

    assert "because" not in shown({})
    assert "<code>base64</code>" in shown({"read": "decode"})
    assert "You can." in (wrong := shown({"read": "never"})) and "base64" not in wrong
