"""What an instructor says of a workshop when they make it, or change it later."""

import re
from typing import Any

from django import forms
from django.utils.timezone import localdate

from lab.apimachinery.kinds import PODS
from lab.apiserver.admission import guard
from lab.models import OUR_IMAGES
from lab.tutorials import shelf

PATTERN = re.compile(r"[\w.*?/:@-]+")
IMAGES_HELP = "orrery/* are the lab’s own, mine/* what a learner builds. Each is a pattern; a space stands between two."

MOST_MINUTES, MOST_SEATS = 24 * 60, 200
MOST_PODS = guard.MOST[PODS.resource]
PODS_HELP = "A learner who asks for more is told so. The rehearsal shows whether the lessons find room in it."
MINUTES_HELP = "From when you begin it, or the first joins. On the wall you can give more. Left empty, no end is said."


def up_to(most: int, label: str, **more: Any) -> forms.IntegerField:
    """A number from one on."""
    wrong = dict.fromkeys(("invalid", "min_value", "max_value"), f"Write a number from 1 to {most}.")
    return forms.IntegerField(min_value=1, max_value=most, label=label, error_messages=wrong, **more)


class WorkshopForm(forms.Form):
    title = forms.CharField(max_length=80, label="What is it called?")
    lessons = forms.MultipleChoiceField(
        label="Lessons", widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one lesson."}
    )
    seats = up_to(MOST_SEATS, "At most so many learners")
    minutes = up_to(MOST_MINUTES, "How many minutes it lasts", required=False, help_text=MINUTES_HELP)
    pods = up_to(MOST_PODS, "Most pods in a learner’s cluster", required=False, help_text=PODS_HELP)
    images = forms.CharField(max_length=2000, required=False, label="Images that may run", help_text=IMAGES_HELP)
    waits = forms.TypedChoiceField(
        label="Before you begin the class, whoever joins",
        choices=[(False, "goes to their lessons at once"), (True, "waits: all get in when you begin it")],
        coerce=lambda said: said == str(True),
        empty_value=False,
        required=False,
    )
    goes = forms.TypedChoiceField(
        label="When it is over, learners’ clusters",
        choices=[(False, "sleep, and can be looked at"), (True, "go; certificates stay")],
        coerce=lambda said: said == str(True),
        empty_value=False,
        required=False,
    )
    forget = forms.DateField(label="Delete names and clusters on", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: object, taken: int = 0, **kwargs: object) -> None:
        """`taken`: how many seats are."""
        super().__init__(*args, **kwargs)
        self._taken = taken
        self.fields["lessons"].choices = [(one.id, f"{one.number}. {one.title}") for one in shelf.lessons()]

    def clean_lessons(self) -> list[str]:
        """As they stood, and those that are new behind them."""
        chosen, before = self.cleaned_data["lessons"], self.initial.get("lessons", [])
        return [*(id for id in before if id in chosen), *(id for id in chosen if id not in before)]

    def clean_seats(self) -> int:
        seats = self.cleaned_data["seats"]
        if seats < self._taken:
            raise forms.ValidationError(f"{self._taken} learners are in it already.")
        return seats

    def clean_pods(self) -> int:
        return self.cleaned_data["pods"] or MOST_PODS

    def clean_images(self) -> str:
        patterns = self.cleaned_data["images"].replace(",", " ").split()
        wrong = [pattern for pattern in patterns if not PATTERN.fullmatch(pattern)]
        if wrong:
            raise forms.ValidationError(
                f"{wrong[0]} is no pattern of images: write orrery/*, or docker.io/library/nginx:1.29"
            )
        return " ".join(patterns) or OUR_IMAGES

    def clean_forget(self) -> object:
        day = self.cleaned_data["forget"]
        if day <= localdate():
            raise forms.ValidationError("Choose a day that is still to come.")
        return day
