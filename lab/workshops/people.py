"""The page of who teaches a workshop beside its maker: fellow instructors, assistants with their groups, observers."""

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST

from lab.apimachinery.errors import ApiError
from lab.dashboard.answers import strict
from lab.models import Help, Role, Workshop

from .accounts import denied, is_own, new_password, staff_for
from .groups import LETTERS, assign, divide, named
from .roles import ASSISTANT, INSTRUCTOR, OBSERVER

MAY = [
    (ASSISTANT, "Assistant: helps the learners of their groups"),
    (OBSERVER, "Observer: sees the wall and the report, without names"),
    (INSTRUCTOR, "Instructor: may everything here, and make workshops"),
]
NAMES = "Only letters, digits and @ . + - _ are in such a name, and no spaces."


class PersonForm(forms.Form):
    account = forms.CharField(
        max_length=150, label="Name to sign in with", validators=[UnicodeUsernameValidator(message=NAMES)]
    )
    role = forms.ChoiceField(choices=MAY, label="What they are here")
    groups = forms.MultipleChoiceField(
        label="Groups of an assistant", widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, workshop: Workshop, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._workshop = workshop
        self.fields["account"].widget.attrs["autocomplete"] = "off"
        self.fields["groups"].choices = [(letter, letter) for letter in LETTERS[: workshop.groups]]
        if workshop.groups == 1:  # there is nothing to choose
            del self.fields["groups"]

    def clean_account(self) -> str:
        name = self.cleaned_data["account"]
        if name == self._workshop.by or self._workshop.roles.filter(account=name).exists():
            raise forms.ValidationError(f"{name} has a part in this workshop already.")
        return name

    def clean(self) -> dict:
        """The letters in a row, of an assistant alone."""
        said = self.cleaned_data
        chosen = said.get("groups", []) if "groups" in self.fields else LETTERS[0]
        said["groups"] = "".join(sorted(chosen)) if said.get("role") == ASSISTANT else ""
        if said.get("role") == ASSISTANT and not chosen and "groups" not in self.errors:
            self.add_error("groups", "Choose at least one.")
        return said


@dataclass(frozen=True)
class Person:
    role: Role
    waits: bool  # for a first sign-in, or a password of their own

    @property
    def may_have_new(self) -> bool:
        """Nobody gets a password for an account that opens more than this workshop."""
        return self.waits and only_here(self.role)

    @property
    def helps(self) -> str:
        return named(self.role.groups) if self.role.groups else ""


@require_http_methods(["GET", "POST"])
@strict
@ensure_csrf_cookie
@staff_for("people")
def page(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    """All of them, and the form for one more."""
    form = PersonForm(workshop, request.POST or None)
    if request.method == "POST" and form.is_valid():
        role = Role(workshop=workshop, **form.cleaned_data)
        return _drawn(request, workshop, PersonForm(workshop), role.account, add(role))
    return _drawn(request, workshop, form)


@require_POST
@strict
@staff_for("people")
def change(request: HttpRequest, workshop: Workshop, act: str) -> HttpResponse:
    try:
        return _changed(request, workshop, act)
    except ApiError as error:
        return denied(request, error)


def _changed(request: HttpRequest, workshop: Workshop, act: str) -> HttpResponse:
    if act == "groups":
        divide(workshop, request.POST.get("groups", ""))
        return redirect("people", workshop.code)
    role = get_object_or_404(workshop.roles, account=request.POST.get("account", ""))
    if act == "new-password":
        user = get_object_or_404(User, username=role.account)
        if not Person(role, not is_own(user)).may_have_new:
            raise ApiError(403, "Forbidden", f"{role.account} has a password, or a part elsewhere")
        return _drawn(request, workshop, PersonForm(workshop), role.account, new_password(user))
    if act == "helps":
        assign(role, "".join(request.POST.getlist("groups")))
    else:
        take_away(role)
    return redirect("people", workshop.code)


def _drawn(
    request: HttpRequest, workshop: Workshop, form: PersonForm, name: str = "", password: str = ""
) -> HttpResponse:
    """`name`: who was added just now. `password`: theirs, which nobody is shown again."""
    roles = list(workshop.roles.order_by("role", "groups", "account"))
    own = {user.username for user in User.objects.filter(username__in=[one.account for one in roles]) if is_own(user)}
    context = {
        "workshop": workshop,
        "form": form,
        "people": [Person(one, one.account not in own) for one in roles],
        "letters": [(letter, workshop.taken.filter(group=letter).count()) for letter in LETTERS[: workshop.groups]],
        "most": len(LETTERS),
        "room": settings.ROOM,
    }
    return render(request, "workshops/people.html", {**context, "name": name, "password": password})


@transaction.atomic
def add(role: Role) -> str:
    """The password of a new account; nothing where there is one of that name, which keeps its own."""
    user, made = User.objects.get_or_create(username=role.account)
    role.save()
    if role.role == INSTRUCTOR and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    return new_password(user) if made else ""


@transaction.atomic
def take_away(role: Role) -> None:
    """And the account, where it was for nothing but this; or that it may make workshops, where that was by this."""
    nothing_else = only_here(role)
    role.delete()
    Help.objects.filter(seat__workshop=role.workshop, by=role.account).delete()
    accounts = User.objects.filter(username=role.account, is_superuser=False)
    instructs = Role.objects.filter(account=role.account, role=INSTRUCTOR).exists()
    if nothing_else:
        accounts.delete()
    elif role.role == INSTRUCTOR and not instructs and not Workshop.objects.filter(by=role.account).exists():
        accounts.update(is_staff=False)


def only_here(role: Role) -> bool:
    elsewhere = Role.objects.filter(account=role.account).exclude(workshop=role.workshop).exists()
    above = User.objects.filter(username=role.account, is_superuser=True).exists()
    return not (elsewhere or above or Workshop.objects.filter(by=role.account).exists())
