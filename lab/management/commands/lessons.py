"""`manage.py lessons`: list, check, new, watch, schema, prove."""

import json
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lab.tutorials import authoring, proving, schema, shelf


class Command(BaseCommand):
    help = "The guided tutorials: list and check them, write new ones, and prove that each step can be done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("list", help="the lessons that there are")
        check = verbs.add_parser("check", help="read them, and say every mistake with its file and line")
        check.add_argument("lessons", nargs="*", metavar="LESSON", help="14-self-healing; without one all of them")
        new = verbs.add_parser("new", help="a folder to begin with")
        new.add_argument("name", help="of the lesson, in small letters: blue-green")
        verbs.add_parser("watch", help="check at each save, and have open pages show what was saved")
        published = verbs.add_parser("schema", help="the JSON Schema of the front matters, for editors")
        published.add_argument("of", nargs="?", choices=("lesson", "step"), help="of lesson.md, or of a step")
        prove = verbs.add_parser(
            "prove", help="play every step in a lab of its own: start, no check holds; solved, all do"
        )
        prove.add_argument(
            "lessons", nargs="*", metavar="LESSON", help="LESSON or LESSON/STEP; without one all of them"
        )
        prove.add_argument("--runtime", choices=schema.RUNTIMES, default="process", help="default: %(default)s")
        prove.add_argument(
            "--labs", type=int, default=1, metavar="N", help="so many labs at once; default: %(default)s"
        )
        prove.add_argument("--json", action="store_true", help="a line of JSON for each step")
        for each in verbs.choices.values():  # it may stand behind the verb as well
            each.add_argument("--data", metavar="DIR", help="the lab's data folder")

    def handle(self, verb: str, **options: Any) -> None:
        getattr(self, f"do_{verb}")(**options)

    def do_list(self, **_: Any) -> None:
        for each in shelf.every():
            if each.lesson:
                told = f"{each.lesson.minutes:>3g} min, {_many(len(each.lesson.steps), 'step')}  {each.lesson.title}"
            else:
                told = f"{_counted(each)}: manage.py lessons check {each.id}"
            self.stdout.write(f"{each.id:<28} {told}")

    def do_check(self, lessons: list[str], **_: Any) -> None:
        chosen = self.chosen(lessons)
        mistakes = [mistake for each in chosen for mistake in each.mistakes]
        for mistake in mistakes:
            self.stdout.write(str(mistake))
        if mistakes:
            sys.exit(1)
        steps = sum(len(each.lesson.steps) for each in chosen if each.lesson)
        self.stdout.write(f"{_many(len(chosen), 'lesson')}, {_many(steps, 'step')}: no mistakes")

    def do_new(self, name: str, **_: Any) -> None:
        try:
            folder = authoring.new(name)
        except (ValueError, FileExistsError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{folder}\nNow change it, while this runs: python3 manage.py lessons watch")

    def do_watch(self, **_: Any) -> None:
        try:
            for each in authoring.changed():
                for mistake in each.mistakes:
                    self.stdout.write(str(mistake))
                where = "; its page shows it" if authoring.reload(each) else ""
                self.stdout.write(f"{each.id}: {_counted(each)}{where}")
        except KeyboardInterrupt:
            return

    def do_schema(self, of: str | None, **_: Any) -> None:
        published = {"lesson": schema.LESSON, "step": schema.STEP, None: schema.PUBLISHED}[of]
        self.stdout.write(json.dumps(published, indent=1, ensure_ascii=False))

    def do_prove(self, lessons: list[str], runtime: str, labs: int, **options: Any) -> None:
        chosen = self.chosen([each.partition("/")[0] for each in lessons])
        if any(each.mistakes for each in chosen):
            raise CommandError("There are mistakes: manage.py lessons check")
        playable = [each.lesson for each in chosen if each.lesson and runtime in each.lesson.runtimes]
        wrong: list[proving.Proof] = []

        def told(proof: proving.Proof) -> None:
            self.stdout.write(json.dumps(proof.as_dict()) if options["json"] else str(proof))
            self.stdout.flush()
            wrong.extend([proof] if proof.wrong else [])

        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its labs end with it
        try:
            proving.prove(playable, lessons, runtime, labs, told)
        except proving.Wrong as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            sys.exit(130)
        if wrong:
            sys.exit(1)

    def chosen(self, ids: list[str]) -> list[shelf.Shelved]:
        found = [(id, shelf.find(id)) for id in dict.fromkeys(ids)]
        if missing := [id for id, each in found if each is None]:
            raise CommandError(f"there is no lesson {', '.join(missing)}; manage.py lessons list shows them")
        return [each for _, each in found if each] if ids else shelf.every()


def _counted(shelved: shelf.Shelved) -> str:
    if shelved.lesson is None:
        return _many(len(shelved.mistakes), "mistake")
    return f"{_many(len(shelved.lesson.steps), 'step')}, no mistakes"


def _many(count: int, of: str) -> str:
    return f"{count} {of}{'s' * (count != 1)}"
