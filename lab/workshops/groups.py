"""Learners in groups, by letter: each with its assistants, who may have several. Who joins comes into the smallest."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from django.db import transaction

from lab.apimachinery.errors import bad_request
from lab.models import Help, Role, Seat, Workshop

LETTERS = "ABCDEFGH"


def smallest(groups: int, taken: Iterable[str]) -> str:
    """The letter for one more; of equal ones the first. Pure."""
    sizes = Counter(taken)
    return min(LETTERS[:groups], key=lambda letter: sizes[letter])


def named(letters: str) -> str:
    """In words. Pure."""
    if not letters:
        return "no group"
    *others, last = list(letters)
    return f"groups {', '.join(others)} and {last}" if others else f"group {last}"


def divided(now: Sequence[str], groups: int) -> list[str]:
    """As even as it can be, and whoever can stay where they are does. Pure."""
    least, over = divmod(len(now), groups)
    there = Counter(now)
    # Those that are the largest already keep one more, so that fewer have to move.
    largest = sorted(LETTERS[:groups], key=lambda letter: -there[letter])
    room = Counter({letter: least + (at < over) for at, letter in enumerate(largest)})
    stays = []
    for letter in now:
        stays.append(room[letter] > 0)
        room[letter] -= room[letter] > 0
    free = iter(sorted(room.elements()))
    return [letter if stayed else next(free) for letter, stayed in zip(now, stays, strict=True)]


def divide(workshop: Workshop, groups: str) -> None:
    """Raises ApiError where an assistant would be left with a group that is none."""
    if not groups.isdecimal() or not 1 <= int(groups) <= len(LETTERS):
        raise bad_request(f"choose from 1 to {len(LETTERS)} groups")
    stay = LETTERS[: int(groups)]
    helpers = list(workshop.roles.exclude(groups="").order_by("account"))
    left = next((one for one in helpers if not set(one.groups) & set(stay)), None)
    if left:
        raise bad_request(f"{left.account} helps {named(left.groups)}: give them another first")
    with transaction.atomic():
        Workshop.objects.select_for_update().filter(pk=workshop.pk).update(groups=int(groups))
        seats = list(workshop.taken.order_by("id"))
        for seat, letter in zip(seats, divided([seat.group for seat in seats], int(groups)), strict=True):
            _put(seat, letter)
        for one in helpers:
            assign(one, "".join(letter for letter in one.groups if letter in stay))


def assign(role: Role, letters: str) -> None:
    """Those groups to an assistant, who leaves the learners of others. Raises ApiError."""
    if not role.groups:
        raise bad_request(f"{role.account} helps no group: only assistants do")
    if not letters or set(letters) - set(LETTERS[: role.workshop.groups]):
        raise bad_request(f"choose the groups that {role.account} helps")
    role.groups = "".join(sorted(set(letters)))
    role.save(update_fields=["groups"])
    others = role.workshop.taken.exclude(group__in=role.groups)
    Help.objects.filter(seat__in=others, by=role.account).delete()


def move(seat: Seat, text: str, by: str) -> str:
    """Into the group of that letter."""
    if text not in LETTERS[: seat.workshop.groups] or len(text) != 1:
        raise bad_request(f"there is no group {text}")
    _put(seat, text)
    return f"{seat.nickname} is in group {text}."


def _put(seat: Seat, letter: str) -> None:
    """An assistant of the group that they leave is not beside them any more."""
    if seat.group == letter:
        return
    Seat.objects.filter(pk=seat.pk).update(group=letter)
    theirs = [one.account for one in seat.workshop.roles.all() if seat.group in one.groups and letter not in one.groups]
    Help.objects.filter(seat=seat, by__in=theirs).delete()


TO_ONE: dict[str, Callable[[Seat, str, str], str]] = {"group": move}
