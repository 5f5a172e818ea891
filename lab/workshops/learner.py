"""The pages of those who learn: coming in, coming back, and the place from which all of theirs is reached."""

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import LESSONS
from lab.apimachinery.kubeconfig import kubeconfig
from lab.client import Client
from lab.dashboard.answers import strict
from lab.models import Seat
from lab.tutorials import shelf

from . import polls
from .codes import read_code, read_nickname
from .gate import COOKIE, KEY
from .helping import OF_LEARNER, move
from .leading import be_alone, come_late
from .seated import seated
from .seats import Refused, join, seat_of, settle
from .tries import too_many, was_wrong
from .views import drawn

DAYS = 60 * 60 * 24 * 60
SLOWLY = "Too many wrong codes came from your network. Wait a minute, and type it once more."


@require_http_methods(["GET", "POST"])
@strict
@ensure_csrf_cookie
def come_in(request: HttpRequest) -> HttpResponse:
    """A code and a nickname, and one is in."""
    said, status = {"code": request.GET.get("code", ""), "wrong": ""}, 200
    if request.method == "POST":
        said |= {"code": read_code(request.POST.get("code", "")), "nickname": request.POST.get("nickname", "")}
        address = request.META.get("REMOTE_ADDR", "")
        try:
            if too_many(address):
                return render(request, "workshops/join.html", {**said, "wrong": SLOWLY}, status=429)
            browser = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
            seat, token = join(said["code"], read_nickname(said["nickname"]), browser)
            if not seat.workshop.is_waiting:
                come_late(seat)
            return _seated(redirect("room"), token)
        except (Refused, ValueError) as why:
            if isinstance(why, Refused):
                was_wrong(address)
            said |= {"wrong": str(why), "no_seat": isinstance(why, Refused)}
            status = 422
    token = request.COOKIES.get(COOKIE, "")
    gone = bool(token) and seat_of(token) is None
    answer = render(request, "workshops/join.html", {**said, "gone": gone}, status=status)
    if gone:  # it opens nothing any more, and that is said once
        answer.delete_cookie(COOKIE, samesite="Lax")
    return answer


@require_GET
@strict
def come_back(request: HttpRequest, token: str) -> HttpResponse:
    """On another device, by the link or the QR code that one's own page shows."""
    if seat_of(token) is None:
        return render(request, "workshops/join.html", {"wrong": "This link opens nothing any more."}, status=404)
    return _seated(redirect("room"), token)


def _seated(answer: HttpResponse, token: str) -> HttpResponse:
    answer.set_cookie(COOKIE, token, max_age=DAYS, httponly=True, samesite="Lax")
    return answer


@require_GET
@strict
@ensure_csrf_cookie
def room(request: HttpRequest) -> HttpResponse:
    """A learner's own place: the lessons of the workshop, their cluster, how they come back."""
    token = request.COOKIES.get(COOKIE, "")
    seat = seat_of(token)
    if seat is None:
        return redirect("join")
    if seat.workshop.over:
        return render(request, "workshops/over.html", {"seat": seat, "seated": seat, "cluster": seat.cluster})
    if seat.workshop.is_waiting:
        coming = [lesson for id in seat.workshop.lessons if (lesson := shelf.lesson(id))]
        told = {"seat": seat, "seated": seat, "there": seat.workshop.taken.count(), "lessons": coming}
        return render(request, "workshops/waiting.html", told)
    try:
        settle(seat)  # whoever was killed when they joined
    except Refused:
        return redirect("join")
    kept = {obj["metadata"]["name"]: obj for obj in Client(seat.cluster, "board", hardware=True).list(LESSONS)}
    lessons = [
        (found.lesson, kept.get(id)) for id in seat.workshop.lessons if (found := shelf.find(id)) and found.lesson
    ]
    back = f"{settings.ROOM}back/{token}"
    wanted, _, number = seat.nickname.rpartition(" ")
    namesake = wanted if number.isdigit() and seat.workshop.taken.filter(nickname__iexact=wanted).exists() else ""
    context = {"seat": seat, "seated": seat, "cluster": seat.cluster, "lessons": lessons, "namesake": namesake}
    return render(request, "workshops/room.html", {**context, "back": back, "qr": drawn(back)})


@require_GET
@strict
@seated
def own_kubeconfig(request: HttpRequest, seat: Seat) -> HttpResponse:
    """For a kubectl on the learner's own machine."""
    config = kubeconfig(seat.cluster, f"{settings.ROOM.rstrip('/')}{KEY}{request.COOKIES[COOKIE]}/", {}, {})
    answer = HttpResponse(yaml.safe_dump(config, sort_keys=False), content_type="application/yaml")
    answer["Content-Disposition"] = 'attachment; filename="orrery.yaml"'
    return answer


@require_POST
@strict
@seated
def hand(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Up, or down again."""
    up = bool(request.POST.get("up"))
    if up != bool(seat.hand):  # who asks twice has asked since the first time
        Seat.objects.filter(pk=seat.pk).update(hand=now() if up else None)
    return HttpResponse(status=204)


@require_POST
@strict
@seated
def alone(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Out of a class that is led, and back."""
    be_alone(seat, bool(request.POST.get("on")))
    return HttpResponse(status=204)


@require_POST
@strict
@seated
def helped(request: HttpRequest, seat: Seat, what: str) -> HttpResponse:
    """What they answer to an instructor who wants to help, and how they end it."""
    move(seat, what, OF_LEARNER)
    return HttpResponse(status=204)


@require_POST
@strict
@seated
def vote(request: HttpRequest, seat: Seat) -> HttpResponse:
    """`answer` to the question of `poll` in its `round`."""
    try:
        poll, number = (int(request.POST.get(word, "")) for word in ("poll", "round"))
    except ValueError:
        raise bad_request("say which poll it is, and which round") from None
    polls.vote(seat, poll, number, request.POST.get("answer", ""))
    return HttpResponse(status=204)
