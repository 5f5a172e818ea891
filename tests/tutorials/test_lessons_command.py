"""`manage.py lessons`, as an author uses it."""

import json

import jsonschema_rs
import pytest
from django.core.management import CommandError, call_command

from lab.tutorials import authoring, shelf


@pytest.fixture
def folder(tmp_path, settings):
    settings.LESSONS_DIR = tmp_path
    return tmp_path


def told(capsys, *words: str) -> str:
    call_command("lessons", *words)
    return capsys.readouterr().out


def test_a_new_lesson_has_the_first_free_number_and_no_mistakes(folder, capsys):
    for other in ("01-before", "41-beside-the-path"):
        (folder / other).mkdir()
    told(capsys, "new", "blue-green")
    shelved = shelf.find("02-blue-green")
    assert shelved.mistakes == () and shelved.lesson.title == "Blue green" and "# Blue green" in shelved.lesson.slide
    assert "1 lesson, 1 step: no mistakes" in told(capsys, "check", "02-blue-green")
    assert "02-blue-green               " in told(capsys, "list")


@pytest.mark.parametrize("name", ["Blue", "../blue", "", "1-blue", "blue_green", "blue-"])
def test_a_name_that_is_none_is_refused(folder, name):
    with pytest.raises(CommandError, match="cannot be a lesson's name"):
        call_command("lessons", "new", name)
    assert list(folder.iterdir()) == []


def test_mistakes_are_told_and_end_the_command_so(folder, capsys):
    folder = authoring.new("trying")
    step = folder / "1-ask-for-four.md"
    step.write_text(step.read_text().replace("minutes: 3", "minutes: soon"))
    with pytest.raises(SystemExit):
        call_command("lessons", "check")
    assert '01-trying/1-ask-for-four.md:3: minutes: "soon" is not of type "number"' in capsys.readouterr().out
    assert "1 mistake: " in told(capsys, "list")


def test_a_lesson_that_is_not_there_is_said(folder):
    with pytest.raises(CommandError, match="there is no lesson 99-none"):
        call_command("lessons", "check", "99-none")


def test_a_watch_tells_of_each_lesson_at_first_and_then_of_what_changes(folder):
    first, second = authoring.new("first"), authoring.new("second")
    watch = authoring.changed()
    assert [next(watch).id, next(watch).id] == [first.name, second.name]
    page = second / "lesson.md"
    page.write_text(page.read_text().replace("title:", "titel:", 1))
    assert "titel: there is no such field; title?" in [mistake.text for mistake in next(watch).mistakes]


def test_the_published_schema_is_one(capsys):
    published = json.loads(told(capsys, "schema"))
    jsonschema_rs.meta.validate(published)
    assert json.loads(told(capsys, "schema", "step")) == published["$defs"]["step"]
