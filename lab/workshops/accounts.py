"""Accounts of those who teach: Django's. A password that the lab has made is good for one sign-in.

The answer to that one may be lost, as on bad Wi-Fi, and nobody else could let them in: the browser that sent it may
send it again. It is known by its CSRF cookie, which it has anew as soon as an answer comes.
"""

import secrets
from collections.abc import Callable, Mapping
from functools import wraps

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac
from django.utils.decorators import decorator_from_middleware

from lab.apimachinery.errors import ApiError
from lab.dashboard.answers import refused
from lab.models import Role, Workshop

from .codes import LETTERS
from .roles import check

FIRST = "instructor"
NOT_FOR_YOU = "this is for instructors: you see the wall of each workshop in which you have a part, and its report"
# Only these pages know sessions: the API and the board do without, thousands of times a second.
with_session = decorator_from_middleware(SessionMiddleware)
with_user = decorator_from_middleware(AuthenticationMiddleware)
View = Callable[..., HttpResponse]


def make_first() -> str:
    """A new password for the first account, as long as nobody who may do everything has one of their own; else
    nothing."""
    user, _ = User.objects.get_or_create(username=FIRST)
    user.is_superuser = user.is_staff = True
    user.save()
    if any(is_own(user) for user in User.objects.filter(is_superuser=True)):
        return ""
    return new_password(user)


def new_password(user: User) -> str:
    """Good for one sign-in."""
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    user.set_password(password)
    user.last_login = None
    user.save()
    return password


def is_made(user: User) -> bool:
    """Whether the lab has made their password, and nobody has signed in with it."""
    made = user.username == FIRST or Role.objects.filter(account=user.username).exists()
    return made and user.last_login is None


def is_own(user: User) -> bool:
    """Whether they chose their password, or somebody for them."""
    return user.has_usable_password() and not is_made(user)


def use_up(user: User, request: HttpRequest) -> None:
    """What was made opens nothing any more, from this first sign-in on; they choose one of their own."""
    if is_made(user):
        user.password = _used(request)
        user.save()


def sends_again(request: HttpRequest) -> User | None:
    """Whose first sign-in this is once more, if it is."""
    user = User.objects.filter(username=request.POST.get("username", ""), is_active=True).first()
    return user if user and constant_time_compare(user.password, _used(request)) else None


def _used(request: HttpRequest) -> str:
    """What stands in the place of a made password then. No password at all, to Django."""
    browser, password = request.COOKIES.get(settings.CSRF_COOKIE_NAME), request.POST.get("password", "")
    mark = salted_hmac(__name__, f"{browser} {password}").hexdigest() if browser else get_random_string(40)
    return f"{UNUSABLE_PASSWORD_PREFIX}{mark}"


def account_of(cookies: Mapping[str, str]) -> User | None:
    """As `staff` asks it, where there is no request."""
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request = HttpRequest()
    request.session = SessionStore(key)
    user = get_user(request)
    return user if isinstance(user, User) and user.has_usable_password() else None


def knows(view: View) -> View:
    """`request.session` and `request.user` are there."""
    return with_session(with_user(view))


def staff(view: View) -> View:
    """For whoever has signed in, with a password of their own; others are led to where one does."""

    @knows
    @wraps(view)
    def entered(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect(f"/staff/sign-in?next={request.path}")
        if not request.user.has_usable_password():
            return redirect("/staff/password")
        return view(request, *args, **kwargs)

    return entered


def staff_for(act: str) -> Callable[[View], View]:
    """For those of them who may do `act` in the workshop of that `code`, which the view gets in its place."""

    def held(view: View) -> View:
        @staff
        @wraps(view)
        def entered(request: HttpRequest, code: str, **kwargs: str) -> HttpResponse:
            workshop = get_object_or_404(Workshop, code=code)
            try:
                check(request.user, workshop, act)
            except ApiError as error:
                return denied(request, error)
            return view(request, workshop, **kwargs)

        return entered

    return held


def denied(request: HttpRequest, error: ApiError) -> HttpResponse:
    """A page for who looks at one, a Status for its script."""
    if "text/html" not in request.headers.get("Accept", ""):
        return refused(error)
    return render(request, "workshops/denied.html", {"error": error}, status=error.code)
