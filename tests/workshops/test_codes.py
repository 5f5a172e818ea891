"""Codes as they are typed, and names as they are chosen."""

import pytest

from lab.workshops.codes import LENGTH, LETTERS, free_nickname, new_code, read_code, read_nickname


def test_a_code_is_read_however_it_was_typed():
    code = new_code()
    assert len(code) == LENGTH and set(code) <= set(LETTERS)
    assert read_code(f" {code[:3].lower()}-{code[3:]}\n") == code


@pytest.mark.parametrize(("typed", "name"), [("  Ada \t Lovelace ", "Ada Lovelace"), ("Ａｄａ", "Ada"), ("李", "李")])
def test_a_nickname_is_as_it_was_meant(typed, name):
    assert read_nickname(typed) == name


@pytest.mark.parametrize("typed", ["", "   ", "…!", "x" * 25, "a\u202eb"])
def test_a_name_that_nobody_could_read_is_refused(typed):
    with pytest.raises(ValueError, match=r"Choose|character"):
        read_nickname(typed)


def test_who_comes_second_with_a_name_gets_a_number():
    assert free_nickname("Ada", []) == "Ada"
    assert free_nickname("ada", ["Ada", "ADA 2"]) == "ada 3"
