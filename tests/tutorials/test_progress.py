"""Where a learner is: what a Lesson object takes, and what follows of it."""

import pytest
from django.test import Client as Browser

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CONFIGMAPS, LESSONS, VISITORS
from lab.apiserver.schemas.check import check_object
from lab.client import Client, Put
from lab.client.clusters import ensure_cluster
from lab.dashboard.creating import create_from_yaml
from lab.tutorials import progress
from lab.tutorials.claims import parse
from lab.tutorials.column import acts_of, column, learners_act
from lab.tutorials.lesson import Act, Answer, Fault, Hint, Lesson, Question, Step
from lab.tutorials.overview import certificate_of, tracks
from lab.tutorials.predictions import in_sum
from lab.tutorials.views import ACTS, begin

FIRST = Step("first", "First", 1, "", start="web.yaml")
SECOND = Step(
    "second", "Second", 1, "", hints=(Hint("fits", when=(parse("nodes count == 3"),)), Hint("late", after=40))
)
PLAYED = Lesson("07-trying", "Trying", "A track", 2, "", "/nowhere", steps=(FIRST, SECOND))


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("progress")
    return Client("progress", "board", hardware=True)


def spec(client: Client, name: str = PLAYED.id) -> dict:
    return client.get(LESSONS, "", name)["spec"]


def test_what_was_predicted_stays_until_the_step_begins_anew(client):
    begin(client, PLAYED)
    client.patch(LESSONS, "", PLAYED.id, {"spec": {"answers": {"first": {"predict": "a"}}}})
    with pytest.raises(ApiError, match="a prediction is given once"):
        client.patch(LESSONS, "", PLAYED.id, {"spec": {"answers": {"first": {"predict": "b"}}}})
    client.patch(LESSONS, "", PLAYED.id, {"spec": {"answers": {"first": {"quiz": "b"}}}})
    obj = client.get(LESSONS, "", PLAYED.id)
    client.update(LESSONS, {**obj, "spec": progress.entered(obj, FIRST)})
    assert spec(client) == {"step": "first", "run": 2, "answers": {}}


def test_one_lesson_is_played_at_a_time_and_one_that_rested_is_set_anew(client):
    begin(client, PLAYED)
    other = Lesson("08-other", "Other", "A track", 2, "", "/nowhere", steps=(FIRST,))
    begin(client, other)
    assert spec(client)["paused"] and not spec(client, other.id).get("paused")
    client.patch(LESSONS, "", PLAYED.id, {"spec": {"step": "second"}})
    begin(client, PLAYED)
    assert spec(client) == {"step": "first", "run": 2}  # where the nearest scene is
    assert spec(client, other.id)["paused"]


def test_a_step_that_was_begun_thrice_took_three_tries():
    obj: dict = {"spec": {"step": "first", "run": 0}}
    for run in (1, 2, 3):
        obj["spec"]["run"] = run
        obj["status"] = progress.setting(obj)
    begun = progress.on_stage(obj["status"], FIRST, 7, 100.0)
    done = progress.passed(begun, obj, FIRST, 9, 102.5, {}, set())
    assert (done["steps"]["first"]["runs"], done["steps"]["first"]["seconds"]) == (3, 2.5)
    done = progress.passed(begun, obj, FIRST, 9, 102.5, {}, set(), rested=2.0)
    assert done["steps"]["first"]["seconds"] == 0.5


def test_what_was_done_once_stays_done_though_it_is_shown_later():
    shown = {"spec": {"step": "first", "run": 1, "skip": "first"}}
    done = {"spec": {"step": "first", "run": 2}}
    status, told = {}, []
    for obj in (shown, done, shown):
        begun = progress.on_stage(progress.setting({**obj, "status": status}), FIRST, 7, 100.0)
        status = progress.passed(begun, obj, FIRST, 9, 102.5, {}, set())
        told.append(status["steps"]["first"]["skipped"])
    assert told == [True, False, False]


def test_a_certificate_counts_what_the_learner_has_done_and_what_was_shown_apart():
    kept = {"passed": {"time": 9.0}, "seconds": 60.0, "runs": 1}
    steps = {"open-the-bank": {**kept, "skipped": False}, "loans-breaks": {**kept, "skipped": True}}
    told = certificate_of({"01-one-big-application": {"status": {"steps": steps}}})
    assert (told["done"], told["shown"], told["minutes"], told["whole"]) == (1, 1, 1, 0)
    assert told["all"] == tracks({})["lessons"]  # as the path counts: without the sandbox


def test_the_thread_of_what_a_learner_did_is_found_in_a_busy_log(client):
    since = client.view().revision
    act = int(
        client.create(CONFIGMAPS, {"metadata": {"name": "mine", "namespace": "default"}})["metadata"]["resourceVersion"]
    )
    busy = Client("progress", "kubelet", hardware=True)
    objects = [{"metadata": {"name": f"noise-{n}", "namespace": "default"}} for n in range(600)]
    busy.write([Put(CONFIGMAPS, obj) for obj in objects])
    judged = {"committed": {"revision": since}, "checks": [{"revision": client.view().revision}]}
    told = learners_act(client, judged)
    assert told and told["revision"] == act


def shown(step: Step, holds: list[bool], asked: int, waited: float, given: tuple[int, ...] = ()) -> list[int]:
    return progress.hinted({"given": given}, step, holds, asked, waited)["hints"]


def test_hints_come_when_they_fit_when_it_is_time_and_when_they_are_asked_for():
    assert shown(SECOND, [False, False], 0, waited=39) == []
    assert shown(SECOND, [True, False], 0, waited=39) == [0]
    assert shown(SECOND, [False, False], 1, waited=39) == [1]


def test_who_asks_is_given_the_first_hint_that_fits_before_its_time_and_not_a_later_one():
    hints = (Hint("look", when=(parse("nodes count == 3"),), after=45), Hint("do this", after=150))
    step = Step("third", "Third", 1, "", hints=hints)
    assert shown(step, [True, False], 1, waited=5) == [0]
    assert shown(step, [False, False], 1, waited=5) == [1]


def test_a_hint_that_does_not_fit_is_not_given_on_request_either():
    assert shown(SECOND, [False, False], 2, waited=41) == [1]


def test_who_has_asked_once_is_given_one_and_no_other_when_its_time_comes():
    step = Step("third", "Third", 1, "", hints=(Hint("look", after=45), Hint("do this", after=150)))
    status = progress.hinted({}, step, [False, False], 1, waited=5)
    assert status["hints"] == [0] and status["moreHints"]
    status = progress.hinted(status, step, [False, False], 1, waited=50)
    assert status["hints"] == [0] and status["moreHints"]
    status = progress.hinted(status, step, [False, False], 2, waited=60)
    assert status["hints"] == [0, 1] and not status["moreHints"]


def test_what_was_given_stays_when_another_comes_by_itself():
    status = progress.hinted({}, SECOND, [False, False], 1, waited=5)
    assert progress.hinted(status, SECOND, [True, False], 1, waited=6)["hints"] == [0, 1]


def test_kubectl_knows_every_field_of_a_lesson(client):
    """Or it warns of each, whatever one patches, and what it does not know of the spec is lost."""
    begin(client, PLAYED)
    obj = client.get(LESSONS, "", PLAYED.id)
    obj["spec"] |= {"first": {"first": {"predict": "a"}}}
    status = progress.committed({**obj, "status": {**progress.setting(obj), "began": {}}}, FIRST, 9.0, early=False)
    status = progress.hinted(progress.judged(status, []), SECOND, [True, False], 1, 0.0)
    obj["status"] = {**status, "struck": [0], "done": [], "baseline": {}, "message": "", "steps": {}}
    assert check_object(obj, obj["apiVersion"], obj["kind"], "Warn") == []


def test_a_hint_says_why_it_has_come(client):
    begin(client, PLAYED)
    client.patch(LESSONS, "", PLAYED.id, {"spec": {"step": "second"}})
    obj = {**client.get(LESSONS, "", PLAYED.id)}
    obj["status"] = {"run": 1, "step": "second", "phase": progress.ACT, "hints": [0, 1], "given": []}
    assert [hint["came"] for hint in column(client, PLAYED, obj, "")["hints"]] == ["As things stand", "After 40 s"]
    obj["status"]["given"] = [1]
    assert [hint["asked"] for hint in column(client, PLAYED, obj, "")["hints"]] == [False, True]


@pytest.mark.parametrize(("guess", "right"), [(80, True), (120, True), (79, False), (121, False)])
def test_a_guess_is_right_within_its_share_of_what_was_measured(guess, right):
    question = Question("predict", "How many?", number="pods count", within=0.2)
    assert progress.verdict(question, guess, {"pods count": "100"}, set())["right"] is right


def test_a_misconception_is_kept_of_who_was_wrong_by_what_came_true():
    answers = (Answer("a", "A"), Answer("b", "B", misconception="pod-is-a-vm"))
    question = Question("predict", "Which?", answers=answers)
    assert progress.verdict(question, "b", {}, {"a"})["misconception"] == "pod-is-a-vm"
    assert "misconception" not in progress.verdict(question, "b", {}, {"b"})


def test_a_fault_comes_when_it_is_time_and_none_comes_twice_or_is_made_up_for():
    once, often = Fault(10, (Act("do"),)), Fault(5, (Act("do"),), every=5)
    step, status, came = Step("a", "A", 1, "", faults=(once, often)), {}, []
    for waited in (4, 6, 7, 11, 12, 40, 41):
        status, due = progress.struck(status, step, waited)
        came.append(due)
    assert came == [[], [often], [], [once, often], [], [often], []]
    assert status == {"struck": [1, 8]}


def test_a_button_that_is_pressed_while_the_stage_is_set_says_so(client):
    lesson = "01-one-big-application"
    obj = client.create(LESSONS, {"metadata": {"name": lesson}, "spec": {"step": "open-the-bank", "run": 1}})
    client.update_status(LESSONS, {**obj, "status": {"phase": progress.SETTING}})
    said = Browser().post(f"/clusters/progress/lessons/{lesson}/press", {"number": "0"}, HTTP_HOST="localhost")
    assert (said.status_code, "press again" in said.json()["message"]) == (409, True)
    assert client.list(VISITORS) == []


@pytest.mark.parametrize("written", ["250", "2.5"])
def test_a_number_stays_as_it_was_written(client, written):
    step = Step("much", "Much", 1, "", predict=Question("predict", "How much?", number="pods count", within=1.0))
    lesson = Lesson("05-made-up", "Made up", "A track", 5, "Text", "", steps=(step,))
    obj = client.create(LESSONS, {"metadata": {"name": lesson.id}, "spec": {"step": step.id, "run": 1}})
    ACTS["answer"](client, lesson, step, obj, {"predict": written})
    assert str(client.get(LESSONS, "", lesson.id)["spec"]["answers"][step.id]["predict"]) == written


WHICH = Question(
    "predict", "Which?", answers=(Answer("a", "A", right=True), Answer("b", "B", misconception="pod-is-a-vm"))
)
ASKED = Step("asked", "Asked", 1, "", predict=WHICH)


def after(obj: dict, chosen: str, shown: bool = False) -> dict:
    """The Lesson when its step has been passed once more."""
    run = obj.get("spec", {}).get("run", 0) + 1
    obj = {**obj, "spec": {"step": "asked", "run": run, "answers": {"asked": {"predict": chosen}}}}
    status = {**progress.on_stage(progress.setting(obj), ASKED, 7, 1.0), "committed": {"revision": 8, "time": 2.0}}
    return {**obj, "status": progress.passed({**status, "shown": shown}, obj, ASKED, 9, 3.0, {}, {"a"})}


def test_the_first_prediction_stays_and_what_the_lab_showed_is_none():
    shown = after({}, "a", shown=True)
    assert "predicted" not in shown["status"]["steps"]["asked"]
    wrong = after(shown, "b")
    again = after(wrong, "a")["status"]["steps"]["asked"]
    assert (again["chosen"], again["right"]) == ("a", True)
    assert again["predicted"] == {"chosen": "b", "right": False, "came": ["a"], "misconception": "pod-is-a-vm"}


def test_what_a_class_predicts_is_counted_by_the_first_answer_of_each():
    lesson = Lesson("07-asking", "Asking", "A track", 2, "", "/nowhere", steps=(FIRST, ASKED))
    begun = {"spec": {"answers": {"asked": {"predict": "a"}}}, "status": {"step": "asked", "phase": progress.ACT}}
    learners = [after(after({}, "b"), "a"), after({}, "b"), after({}, "a"), begun, after({}, "a", shown=True)]
    told = in_sum([PLAYED, lesson], [{"07-asking": obj} for obj in learners] + [{}])
    assert (told["learners"], [one["lesson"].id for one in told["lessons"]]) == (3, ["07-asking"])
    (step,) = told["lessons"][0]["steps"]
    assert (step["predicted"], step["right"]) == (4, 1)  # who has just answered has no verdict yet
    assert [(one["text"], one["right"], one["percent"]) for one in step["answers"]] == [
        ("A", True, 50),
        ("B", False, 50),
    ]
    assert [times for _, times in told["beliefs"]] == [2]


def test_a_file_of_the_text_that_is_applied_again_changes_what_is_there(client):
    for size in ("1", "2"):
        text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: sizes}}\ndata: {{size: '{size}'}}"
        made, wrong = create_from_yaml("progress", text, apply=True)
        assert (wrong, made[0]["data"]) == ([], {"size": size})


def test_what_a_step_took_can_be_compared_with_in_a_later_one():
    status = {"steps": {"by-hand": {"measured": {"took healed": "41", "pods count": "2", "took other/x": "3"}}}}
    assert progress.told_before(status) == {"took by-hand/healed": "41"}


def test_what_is_done_too_early_counts_where_nothing_can_be_set_anew_and_the_prediction_does_not():
    step = Step("second", "Second", 1, "", predict=Question("predict", "Which?", (Answer("a", "A", right=True),)))
    obj = {"metadata": {"resourceVersion": "40"}, "spec": {"answers": {"second": {"predict": "a"}}}}
    obj["status"] = {"phase": progress.PREDICT, "began": {"revision": 30, "time": 1.0}}
    late = progress.committed(obj, step, 5.0, early=False)
    assert late["committed"] == {"revision": 40, "time": 5.0} and not late["shown"]
    early = progress.committed(obj, step, 5.0, early=True)
    assert early["committed"] == {"revision": 30, "time": 5.0}
    kept = progress.passed(early, obj, step, 50, 9.0, {}, {"a"})["steps"]["second"]
    assert kept["early"] and "predicted" not in kept


def test_that_the_lab_waits_is_no_act_of_what_it_shows():
    wait = Act("wait", claims=(parse("deployment/web ready == 3"), parse("deployment/web updated == 1")))
    step = Step("s", "S", 1, "", solution=(wait, Act("do", "undo"), wait))
    waited, undone = {"text": "Waited", "kubectl": ""}, {"text": "Rolled back", "kubectl": "kubectl rollout undo"}
    assert acts_of(step, []) == {"done": [], "acts": 1, "waiting": "deployment/web"}
    assert acts_of(step, [waited]) == {"done": [], "acts": 1, "waiting": ""}
    assert acts_of(step, [waited, undone, waited])["done"] == [undone]


def test_the_sandbox_says_what_it_is_and_has_twelve_faults_at_least(client):
    assert tracks({})["faults"] >= 12
    page = Browser().get("/lessons/").content.decode()
    assert f"The others are {tracks({})['faults']} broken things to repair" in page


def test_the_first_prediction_counts_though_its_run_was_reset():
    answers = (Answer("a", "A", right=True), Answer("b", "B", misconception="pod-is-a-vm"))
    step = Step("s", "S", 1, "", predict=Question("predict", "Which?", answers))
    obj = {"spec": {"step": "s", "run": 1, "answers": {"s": {"predict": "b"}}}, "status": {}}
    again = progress.entered(obj, step)
    assert again == {"step": "s", "run": 2, "answers": {}, "first": {"s": "b"}}
    obj = {"spec": {**again, "answers": {"s": {"predict": "a"}}}}
    kept = progress.passed({"committed": {"time": 1.0}}, obj, step, 5, 2.0, {}, {"a"})["steps"]["s"]
    assert kept["right"] and kept["predicted"]["misconception"] == "pod-is-a-vm"
    shown = {"spec": {"step": "s", "run": 1, "skip": "s", "answers": {"s": {"predict": "a"}}}, "status": {}}
    assert "first" not in progress.entered(shown, step)
