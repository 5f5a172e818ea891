"""The parts of a step, each from its YAML: questions, checks, hints, faults, acts. What is wrong with one, its block is
told."""

import re
from functools import lru_cache
from typing import Any

import yaml

from lab.dashboard.actions import ACTIONS
from lab.dashboard.commandline import arguments

from . import facts, schema
from .claims import Claim, Reading, parse, parse_reading, parse_subject
from .lesson import Act, Answer, Check, Fault, Hint, Moment, Question
from .outside import WORDS, is_outside
from .pages import MISCONCEPTIONS, Block, seconds

HTTP = re.compile(r"(GET|POST) http://[-a-z0-9.]+(:[a-z0-9]+)?/\S*")


class _Nothing:
    """A state in which there is nothing: what can be read at all can be read of it."""

    def list(self, resource: str, namespace: str = "") -> list[dict]:
        return []


def misconceptions() -> dict[str, str]:
    """Name → what somebody believes."""
    return _misconceptions(MISCONCEPTIONS.stat().st_mtime_ns)


@lru_cache(1)
def _misconceptions(time: int) -> dict[str, str]:
    return yaml.safe_load(MISCONCEPTIONS.read_text())


def a_claim(text: str) -> Claim:
    """Raises ValueError, also for what can be written and not be read: `deployment/web raedy == 3`."""
    claim = parse(text)
    _check_fact(claim.reading)
    return claim


def a_reading(text: str) -> Reading:
    """Raises ValueError, as `a_claim`."""
    reading = parse_reading(text)
    _check_fact(reading)
    return reading


def _check_fact(reading: Reading) -> None:
    kind = reading.subject.kind
    if is_outside(reading):
        words = WORDS[kind]
        if reading.fact not in words and not (kind == "http" and reading.fact.startswith(".")):
            raise ValueError(f'"{reading.fact}" cannot be read of {kind}; there are {", ".join(words)}')
        return
    facts.read(_Nothing(), reading)


def question(block: Block, path: str, one: dict) -> Question:
    answers = tuple(_answer(block, f"{path}.answers[{i}]", each) for i, each in enumerate(one.get("answers", ())))
    if answers and not any(answer.right or answer.claims for answer in answers):
        block.wrong(f"{path}.answers", "one answer must be right: true")
    for index, answer in enumerate(answers):
        if answer.misconception and answer.misconception not in misconceptions():
            block.wrong(
                f"{path}.answers[{index}].misconception", f"{answer.misconception} is not in misconceptions.yaml"
            )
    if "number" in one:
        block.tried(f"{path}.number", a_reading, one["number"])
    return Question(**{**one, "answers": answers})


def _answer(block: Block, path: str, one: dict) -> Answer:
    right = one.get("right", False)
    if isinstance(right, bool):
        return Answer(**one)
    return Answer(**{**one, "right": False, "claims": claims_of(block, f"{path}.right", right)})


def claims_of(block: Block, path: str, given: str | list | None) -> tuple[Claim, ...]:
    """One claim or several, as their author wrote them."""
    if isinstance(given, str):
        return tuple(filter(None, [block.tried(path, a_claim, given)]))
    return tuple(filter(None, (block.tried(f"{path}[{i}]", a_claim, text) for i, text in enumerate(given or ()))))


def check(block: Block, path: str, one: dict) -> Check:
    moments = tuple(_moment(block, f"{path}.history[{i}]", each) for i, each in enumerate(one.get("history", ())))
    return Check(
        id=one["id"],
        text=one["text"],
        fail=one.get("fail", ""),
        state=claims_of(block, f"{path}.state", one.get("state")),
        always=claims_of(block, f"{path}.always", one.get("always")),
        moments=moments,
        questions=one.get("questions", False),
        within=seconds(one.get("within")),
        after=one.get("after", ""),
    )


def _moment(block: Block, path: str, one: dict) -> Moment:
    event = next(name for name in ("created", "deleted", "changed") if name in one)
    subject = block.tried(f"{path}.{event}", parse_subject, one[event])
    where = block.tried(f"{path}.where", parse, f"it {one['where']}") if "where" in one else None
    return Moment(event, subject, one.get("by", ""), where, seconds(one.get("within")), one.get("count", 1))


def hint(block: Block, path: str, one: dict) -> Hint:
    return Hint(one["text"], claims_of(block, f"{path}.when", one.get("when")), seconds(one.get("after")))


def fault(block: Block, path: str, one: dict) -> Fault:
    acts = tuple(act(block, f"{path}.acts[{i}]", each) for i, each in enumerate(one["acts"]))
    return Fault(seconds(one["after"]) or 0.0, acts, seconds(one.get("every")) or 0.0)


def act(block: Block, path: str, one: dict) -> Act:
    kind = next(way for way in schema.WAYS if way in one)
    form = {key: value for key, value in one.items() if key not in (kind, "label", "within")}
    given = one[kind]
    _check_act(block, f"{path}.{kind}".lstrip("."), kind, given)
    if kind == "do" and "of" in form:
        block.tried(f"{path}.of".lstrip("."), parse_subject, str(form["of"]))
    if "input" in form:
        block.must_exist(f"{path}.input".lstrip("."), form["input"])
    if kind != "do" and (extra := form.keys() - ({"input"} if kind == "kubectl" else set())):
        block.wrong(f"{path}.{min(extra)}".lstrip("."), f"{kind} takes none of that")
    return Act(
        kind,
        text=given if isinstance(given, str) and kind != "wait" else "",
        form=given if kind == "answer" else form,
        claims=claims_of(block, f"{path}.wait".lstrip("."), given) if kind == "wait" else (),
        within=seconds(one.get("within")) or Act.within,
        label=one.get("label", ""),
    )


def _check_act(block: Block, path: str, kind: str, given: Any) -> None:
    if kind == "do" and given not in ACTIONS:
        block.wrong(path, f"the board has no act {given}; it has {', '.join(sorted(ACTIONS))}")
    if kind == "apply":
        block.must_exist(path, given)
    if kind == "delete":
        block.tried(path, parse_subject, given)
    if kind == "kubectl":
        block.tried(path, arguments, given)
    if kind == "http" and not HTTP.fullmatch(given):
        block.wrong(path, "write it like: POST http://loans/faults?error=on")
