"""The pages of lessons: the path of all, one beside the board, the certificate. What is done there changes the Lesson.

Thin: `column` says what is shown, `progress` what a run is, and the tutor does the rest.
"""

from collections.abc import Callable
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from lab.apimachinery.errors import ApiError, bad_request, not_found
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, cluster_names
from lab.dashboard.answers import comes_by_room, named_cluster, refused, strict
from lab.dashboard.creating import create_from_yaml
from lab.dashboard.done import Done
from lab.dashboard.frontdoor import way_in
from lab.dashboard.views import whole_board
from lab.httpserver import author_for

from . import column, pace, progress, schema, shelf
from .acting import do
from .cluster import LEARN, ensure_learning_cluster
from .given import MOST, given
from .lesson import Lesson, Step
from .performance import LEARNER

TRIES = 8  # a Lesson is written by its learner and by the tutor: who was second reads it again


def client_of(cluster: str, author: str = LEARNER) -> Client:
    """The learner's hand at the Lesson, which is no part of the cluster: it works while the control plane is down."""
    return Client(cluster, author, hardware=True)


def _lesson(id: str) -> Lesson:
    found = shelf.find(id)
    if found is None:
        raise not_found(LESSONS, id)
    if found.lesson is None:
        raise bad_request("\n".join(map(str, found.mistakes)))
    return found.lesson


@require_GET
def schema_of_files(request: HttpRequest) -> HttpResponse:
    return JsonResponse(schema.PUBLISHED)


@require_POST
@strict
def start(request: HttpRequest, id: str) -> HttpResponse:
    """Begin a lesson, or go on with it, in the cluster that was asked for; it is made if it is the learners' own."""
    try:
        cluster, lesson = named_cluster(request, LEARN), _lesson(id)
        if cluster == LEARN:
            ensure_learning_cluster()
        begin(client_of(cluster), lesson, anew="anew" in request.POST)
    except ApiError as error:
        return render(request, "tutorials/sorry.html", {"error": error}, status=error.code)
    return redirect("lesson", cluster, id)


def begin(client: Client, lesson: Lesson, anew: bool = False) -> None:
    """Play it, from where it was left; all others of the cluster rest meanwhile."""
    for other in client.list(LESSONS):
        if other["metadata"]["name"] != lesson.id and not other["spec"].get("paused"):
            client.patch(LESSONS, "", other["metadata"]["name"], {"spec": {"paused": True}})
    old = client.find(LESSONS, "", lesson.id)
    if old is None:
        spec = progress.entered(None, lesson.steps[0])
        client.create(LESSONS, {"metadata": {"name": lesson.id}, "spec": spec})
        return
    step = lesson.step(old["spec"]["step"])
    if anew or step is None or old["spec"].get("paused"):
        # Another lesson was on the stage meanwhile: the step is set anew.
        again = lesson.steps[0] if anew or step is None else progress.begin_of(lesson, step)
        change(client, lesson.id, lambda obj: progress.entered(obj, again))


def change(client: Client, id: str, spec_of: Callable[[dict], dict]) -> None:
    """Replace the Lesson's spec by what `spec_of` makes of the object. Raises ApiError."""
    for attempt in range(TRIES):
        obj = client.get(LESSONS, "", id)
        try:
            client.update(LESSONS, {**obj, "spec": spec_of(obj)})
            return
        except ApiError as error:
            if error.code != 409 or attempt == TRIES - 1:
                raise


@require_GET
@strict
@ensure_csrf_cookie
def player(request: HttpRequest, cluster: str, id: str) -> HttpResponse:
    """The board, with the lesson beside it."""
    if cluster == LEARN and LEARN not in cluster_names():  # whoever was sent this link has begun nothing yet
        return redirect(f"{reverse('lessons')}#{id}")
    try:
        lesson, client = _lesson(id), client_of(cluster)
        context = {**whole_board(request, cluster), **_column(request, client, lesson)}
    except ApiError as error:
        found = shelf.find(id)
        mistakes = bool(found and found.mistakes)
        return render(request, "tutorials/sorry.html", {"error": error, "mistakes": mistakes}, status=error.code)
    return render(request, "tutorials/lesson.html", {**context, "parts": column.PARTS})


@require_GET
@strict
def parts(request: HttpRequest, cluster: str, id: str) -> HttpResponse:
    """Some parts of the column, `?of=checks,hints`, each to take the place of the one that is there."""
    wanted = request.GET.get("of", "").split(",")
    try:
        return _parts(request, client_of(cluster), _lesson(id), wanted)
    except ApiError as error:
        return _failed(request, error)


def _column(request: HttpRequest, client: Client, lesson: Lesson) -> dict:
    door = way_in(client.cluster, comes_by_room(request))
    return column.column(client, lesson, client.find(LESSONS, "", lesson.id), door)


def _parts(request: HttpRequest, client: Client, lesson: Lesson, wanted: list[str]) -> HttpResponse:
    context = {**_column(request, client, lesson), "swap": True}
    known = [part for part in column.PARTS if part in wanted]
    drawn = [render_to_string("tutorials/part.html", {**context, "part": part}, request) for part in known]
    return HttpResponse("".join(drawn) + render_to_string("tutorials/_wrong.html", {"swap": True}))


def _failed(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Said in the column. The status is that of an answer, for htmx takes in no other."""
    return render(request, "tutorials/_wrong.html", {"error": error, "swap": True})


@require_POST
@strict
def act(request: HttpRequest, cluster: str, id: str, what: str) -> HttpResponse:
    """What is done in the column itself: `ACTS`."""
    client = client_of(cluster, author_for(request, LEARNER))
    try:
        lesson = _lesson(id)
        obj = client.get(LESSONS, "", id)
        step = lesson.step(obj["spec"]["step"]) or lesson.steps[0]  # as `column` has it where its author renamed it
        if request.POST.get("step", step.id) != step.id:
            raise bad_request("the lesson has gone on meanwhile; this page shows in a moment where it is")
        if following := ACTS[what](client, lesson, step, obj, request.POST.dict()):
            answer = HttpResponse()
            answer["HX-Redirect"] = following
            return answer
        return _parts(request, client, lesson, list(column.PARTS if what in ANEW else SLIGHT))
    except ApiError as error:
        return _failed(request, error)


def _answer(client: Client, lesson: Lesson, step: Step, obj: dict, form: dict[str, str]) -> None:
    """A prediction, or the answers to questions: `{question: answer}`."""
    asked = {one.id: one for one in (*step.questions, *filter(None, [step.predict]))}
    said = {id: given(asked[id], value) for id, value in form.items() if id in asked and value.strip()}
    for id, value in said.items():
        if value is None:
            words = f"write a number, nearer to 0 than {MOST}" if asked[id].number else "choose one of the answers"
            raise bad_request(words)
    if not said:
        raise bad_request("choose an answer first")
    client.patch(LESSONS, "", lesson.id, {"spec": {"answers": {step.id: said}}})


def _hint(client: Client, lesson: Lesson, step: Step, obj: dict, form: dict[str, str]) -> None:
    asked = obj["spec"].get("hints", {}).get(step.id, 0)
    if form.get("asked", str(asked)) != str(asked):
        return  # pressed twice, or sent again by the page because the answer was lost
    client.patch(LESSONS, "", lesson.id, {"spec": {"hints": {step.id: asked + 1}}})


def _skip(client: Client, lesson: Lesson, step: Step, obj: dict, form: dict[str, str]) -> None:
    client.patch(LESSONS, "", lesson.id, {"spec": {"skip": step.id}})


def _reset(client: Client, lesson: Lesson, step: Step, obj: dict, form: dict[str, str]) -> None:
    if form.get("run", str(obj["spec"].get("run"))) == str(obj["spec"].get("run")):  # else it was pressed twice
        change(client, lesson.id, lambda old: progress.entered(old, progress.begin_of(lesson, step)))


def _go(client: Client, lesson: Lesson, step: Step, obj: dict, form: dict[str, str]) -> None:
    wanted = lesson.step(form.get("to", ""))
    if wanted is None:
        raise bad_request("there is no such step")
    _allowed(client, lesson, wanted)
    change(client, lesson.id, lambda old: progress.entered(old, progress.begin_of(lesson, wanted)))


def _next(client: Client, lesson: Lesson, step: Step, obj: dict, form: dict[str, str]) -> str | None:
    following = progress.next_step(lesson, step)
    if following is None:
        return reverse("lessons") + f"?cluster={client.cluster}"
    _allowed(client, lesson, following)
    change(client, lesson.id, lambda old: progress.entered(old, following))
    return None


def _allowed(client: Client, lesson: Lesson, step: Step) -> None:
    if not pace.may_enter(client.cluster, lesson, step):
        raise bad_request(pace.WAITS)


ACTS: dict[str, Callable[[Client, Lesson, Step, dict, dict[str, str]], str | None]] = {
    "answer": _answer,
    "hint": _hint,
    "skip": _skip,
    "reset": _reset,
    "go": _go,
    "next": _next,
}
TOO_SOON = "the stage is being set, and what you do now would be undone: press again in a moment"
ANEW = ("reset", "go", "next")
SLIGHT = ("stage", "predict", "questions", "hints", "done", "foot")


@require_POST
@strict
def press(request: HttpRequest, cluster: str, id: str) -> HttpResponse:
    """A button of the text (`number`), or a file that is applied (`yaml`): answered as the board's acts are."""
    client = Client(cluster, author_for(request, LEARNER))
    try:
        lesson, obj = _lesson(id), client_of(cluster).get(LESSONS, "", id)
        if obj.get("status", {}).get("phase") == progress.SETTING:
            raise ApiError(409, "Conflict", TOO_SOON)
        if text := request.POST.get("yaml"):
            return JsonResponse(asdict(_apply(client, text)))
        step = lesson.step(obj["spec"]["step"])
        number = request.POST.get("number", "")
        if step is None or not number.isdecimal() or int(number) >= len(step.buttons):
            raise bad_request("the lesson has gone on meanwhile")
        return JsonResponse(asdict(do(client, step.buttons[int(number)], column.folder_of(lesson))))
    except ApiError as error:
        return refused(error)


def _apply(client: Client, text: str) -> Done:
    made, wrong = create_from_yaml(client.cluster, text, apply=True, author=client.author)
    if wrong:
        raise bad_request("; ".join(f"line {one.line}: {one.message}" for one in wrong))
    names = ", ".join(f"{obj['kind'].lower()}/{obj['metadata']['name']}" for obj in made)
    return Done(f"Applied {names}", f"kubectl apply -f - <<'EOF'\n{text.strip()}\nEOF")
