"""The pages of those who teach: sign in, their workshops, one of them with its code and who is in it."""

import time
from datetime import timedelta

import segno
from celery import current_app
from django.conf import settings
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.timezone import localdate, now
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lab.apimachinery.errors import ApiError
from lab.client.engines import choice
from lab.dashboard.answers import strict
from lab.models import OUR_IMAGES, Cluster, Workshop
from lab.tutorials import shelf

from . import rehearsal
from .accounts import NOT_FOR_YOU, denied, knows, sends_again, staff, staff_for, use_up
from .beginning import begin
from .codes import new_code
from .forms import MOST_PODS, WorkshopForm
from .groups import named
from .roles import instructs, standing, workshops_of
from .seats import forget, next_clusters
from .warming import made_ahead

FORGET_DAYS = 30
MAKING_SECONDS = 20  # after which a cluster more would have been made, on a machine that does much else


@require_http_methods(["GET", "POST"])
@strict
@ensure_csrf_cookie
@knows
def sign_in(request: HttpRequest) -> HttpResponse:
    form = AuthenticationForm(request, request.POST or None)
    user = form.get_user() if form.is_valid() else sends_again(request)
    if user:
        use_up(user, request)
        login(request, user)
        where = request.POST.get("next", "")
        ours = url_has_allowed_host_and_scheme(where, {request.get_host()})
        return redirect(where if ours else "/staff/workshops/")
    return render(request, "workshops/sign_in.html", {"form": form, "next": request.GET.get("next", "")})


@require_http_methods(["GET", "POST"])
@strict
@knows
def password(request: HttpRequest) -> HttpResponse:
    """A password of one's own, in the place of the printed one."""
    if not request.user.is_authenticated:
        return redirect("/staff/sign-in")
    form = SetPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, request.user)
        return redirect("/staff/workshops/")
    return render(request, "workshops/password.html", {"form": form})


@require_POST
@strict
@knows
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/staff/sign-in")


@require_http_methods(["GET", "POST"])
@strict
@ensure_csrf_cookie
@staff
def workshops(request: HttpRequest) -> HttpResponse:
    """Those in which they have a part, and for instructors the form for another."""
    every = [(one, standing(request.user, one)) for one in workshops_of(request.user).order_by("-made")]
    if not instructs(request.user):
        if request.method == "POST":
            return denied(request, ApiError(403, "Forbidden", NOT_FOR_YOU))
        return render(request, "workshops/workshops.html", {"workshops": every})
    first = {"forget": localdate() + timedelta(days=FORGET_DAYS), "seats": 30, "pods": MOST_PODS, "images": OUR_IMAGES}
    form = WorkshopForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        made = Workshop.objects.create(code=_free_code(), by=request.user.username, **form.cleaned_data)
        return redirect("workshop", made.code)
    return render(request, "workshops/workshops.html", {"form": form, "workshops": every})


def _free_code() -> str:
    code = new_code()
    while Workshop.objects.filter(code=code).exists():
        code = new_code()
    return code


@require_GET
@strict
@ensure_csrf_cookie
@staff_for("page")
def workshop(request: HttpRequest, one: Workshop) -> HttpResponse:
    """For the projector: how one comes in, and who has."""
    join = f"{settings.ROOM}join"
    lessons = [found.lesson for id in one.lessons if (found := shelf.find(id)) and found.lesson]
    context: dict = {"workshop": one, "join": join, "qr": drawn(f"{join}?code={one.code}"), "lessons": lessons}
    ahead, free = context["ahead"], context["free"] = made_ahead(one)
    context["rehearsal"], context["engines"] = rehearsal.said(one), choice()
    context["making"] = _making(request.GET.get("making"), ahead, free)
    context["waiting"] = one.is_waiting
    people = [(role, named(role.groups)) for role in one.roles.order_by("role", "account")]
    context |= {"seats": one.taken.order_by("id"), "people": people}
    return render(request, "workshops/workshop.html", context)


def _making(said: str | None, ahead: int, free: int) -> str:
    """For a page that looks again while clusters are made: how many there were when it saw one more, and when that
    was, `3-1796040000`. Empty when there are enough, or where nobody seems to be at it any more, as after a broker that
    came back empty: then it is offered anew."""
    if said is None or ahead >= free:
        return ""
    before, _, since = said.partition("-")
    if before != str(ahead) or not (since.isdecimal() and len(since) < 12):
        return f"{ahead}-{time.time():.0f}"
    return said if time.time() - int(since) < MAKING_SECONDS else ""


@require_http_methods(["GET", "POST"])
@strict
@ensure_csrf_cookie
@staff_for("edit")
def edit(request: HttpRequest, one: Workshop) -> HttpResponse:
    """Other lessons, more seats, a later day; whoever is in it already has it at once."""
    before = {name: getattr(one, name) for name in WorkshopForm.base_fields}
    form = WorkshopForm(request.POST or None, initial=before, taken=one.taken.count())
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            # A class that learners are in already has begun: nobody is sent out of it.
            begun = {"begun": now()} if form.cleaned_data["waits"] and not one.waits and one.taken.exists() else {}
            Workshop.objects.filter(pk=one.pk).update(**form.cleaned_data, **begun)
            one.refresh_from_db()
            theirs = [*one.taken.values_list("cluster", flat=True), *next_clusters(one)]
            Cluster.objects.filter(name__in=theirs).update(guard=one.guard)
        return redirect("workshop", one.code)
    return render(request, "workshops/edit.html", {"form": form, "workshop": one})


def drawn(address: str) -> str:
    """A QR code as SVG."""
    return mark_safe(segno.make(address, error="m").svg_inline(border=2, omitsize=True, svgclass="qr", lineclass=None))


@require_POST
@strict
@staff_for("edit")
def change(request: HttpRequest, one: Workshop, act: str) -> HttpResponse:
    if act == "delete":
        forget(one)
        return redirect("workshops")
    if act == "begin":
        try:
            begin(one, request.POST, request.user.username)
        except ApiError as error:
            return denied(request, error)
        return redirect("workshop", one.code)
    if act == "warm":
        _send("warm_workshop", one.code)
        return redirect(f"{reverse('workshop', args=[one.code])}?making")
    if act == "rehearse":
        _send("rehearse_workshop", one.code, rehearsal.order(one))
        return redirect("workshop", one.code)
    if act == "earlier":
        put_earlier(one, request.POST.get("lesson", ""))
        return redirect(f"{reverse('workshop', args=[one.code])}#plan")
    one.is_open = act == "open"
    one.save(update_fields=["is_open"])
    return redirect("workshop", one.code)


def put_earlier(one: Workshop, lesson: str) -> None:
    """Before the one that it stands behind; nothing where there is none."""
    with transaction.atomic():
        row = Workshop.objects.select_for_update().get(pk=one.pk)  # another tab may order them, too
        at = row.lessons.index(lesson) if lesson in row.lessons else 0
        if at:
            row.lessons[at - 1], row.lessons[at] = row.lessons[at], row.lessons[at - 1]
            row.save(update_fields=["lessons"])


def _send(task: str, *args: str) -> None:
    """To a worker."""
    current_app.send_task(f"lab.tasks.{task}", args=list(args), queue=settings.CELERY_TASK_DEFAULT_QUEUE)
