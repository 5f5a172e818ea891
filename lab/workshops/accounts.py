"""Accounts of those who teach: Django's. The first one's password is printed, and good for one sign-in."""

import secrets
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import decorator_from_middleware

from .codes import LETTERS

FIRST = "instructor"
# Only these pages know sessions: the API and the board do without, thousands of times a second.
with_session = decorator_from_middleware(SessionMiddleware)
with_user = decorator_from_middleware(AuthenticationMiddleware)
View = Callable[..., HttpResponse]


def make_first() -> str:
    """A new password for the first account, as long as nobody has one of their own; else nothing."""
    if any(is_own(user) for user in User.objects.all()):
        return ""
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    user, _ = User.objects.get_or_create(username=FIRST)
    user.set_password(password)
    user.last_login = None
    user.save()
    return password


def is_own(user: User) -> bool:
    """Whether they chose their password, or somebody for them."""
    return user.has_usable_password() and bool(user.last_login or user.username != FIRST)


def use_up(user: User) -> None:
    """What was printed opens nothing any more, from the first sign-in on; they choose one of their own."""
    if user.username == FIRST and user.last_login is None:
        user.set_unusable_password()
        user.save()


def may_teach(cookies: dict[str, str]) -> bool:
    """As `staff` asks it, where there is no request."""
    request = HttpRequest()
    request.session = SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    return user.is_authenticated and user.has_usable_password()


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
