"""What a lesson is, as its author wrote it. Pure; `reading` makes these of files, `schema` says how files look."""

from dataclasses import dataclass, field
from functools import cached_property

from .claims import Claim, Subject


@dataclass(frozen=True)
class Answer:
    """One of the answers to a question. `right` is known beforehand, or the cluster decides: it is right if `claims`
    hold when the step has passed. `misconception` is a name of `misconceptions.yaml`; `because` (Markdown) is what is
    said to who has chosen it, when the cluster has given its verdict."""

    id: str
    text: str
    right: bool = False
    claims: tuple[Claim, ...] = ()
    misconception: str = ""
    because: str = ""


@dataclass(frozen=True)
class Question:
    """Something to commit to: one of `answers`, or a number. `number` is a reading (`claims.parse_reading`) that is
    taken when the step has passed; a guess within `within` of it (a share: 0.2 is 20 %) is right."""

    id: str
    ask: str
    answers: tuple[Answer, ...] = ()
    number: str = ""
    unit: str = ""
    within: float = 0.0


@dataclass(frozen=True)
class Moment:
    """Something that the log tells: an object that `subject` means was created, deleted or changed (`event`), by whom
    (`by`: person, an author of the log, or empty for anybody), and as `where` claims of the object of that row.
    `within`: seconds after the moment before it; `count`: so many of them."""

    event: str
    subject: Subject | None
    by: str = ""
    where: Claim | None = None
    within: float | None = None
    count: int = 1


@dataclass(frozen=True)
class Check:
    """Exactly one of `state` (holds now; once it has held it stays passed), `always` (at every revision since the step
    began), `moments` (happened in this order) and `questions` (all answered rightly) says what is looked at.

    `fail` is what is said while it does not hold, with readings in braces: `{deployment/web ready} of 3 are ready`.
    `after`: the check, further up, that has to have passed before this one is looked at. `within`: seconds since then,
    or since the step began."""

    id: str
    text: str
    fail: str = ""
    state: tuple[Claim, ...] = ()
    always: tuple[Claim, ...] = ()
    moments: tuple[Moment, ...] = ()
    questions: bool = False
    within: float | None = None
    after: str = ""


@dataclass(frozen=True)
class Hint:
    """Said when `when` holds (readings of the state), `after` seconds have gone by without a pass (both, where it has
    both), or on request, in order, if it has no `when`."""

    text: str
    when: tuple[Claim, ...] = ()
    after: float | None = None


@dataclass(frozen=True)
class Act:
    """One thing that is done to the cluster: by a solution, or by a button in the text. `kind` and `text`:

    do        an act of the board, by its name; `form` has what it is asked: {"namespace": …, "name": …, "replicas": 3}
    kubectl   arguments of a real kubectl, as they would be typed in the page; `form["input"]` is a file for `-f -`
    apply     a file of the lesson, of scenes/ or demos/: each object is created, or replaced where it is there
    delete    whatever a subject means: `pods app=web`
    http      `POST http://loans/faults?error=on`: a request to a Service, through the front door
    wait      until `claims` hold, at most `within` seconds
    answer    `form`: question's id → answer's id or number
    """

    kind: str
    text: str = ""
    form: dict = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    within: float = 60.0
    label: str = ""


@dataclass(frozen=True)
class Fault:
    """What goes wrong by itself: the tutor does `acts`, one after the other, `after` seconds into the step, and again
    `every` so many seconds where that is not 0, until it is passed."""

    after: float
    acts: tuple[Act, ...]
    every: float = 0.0


@dataclass(frozen=True)
class Step:
    """`text` (Markdown) says what to do; `afterwards` what happened, shown when it is passed; `slide` and `speaker` are
    for the projector. `start` is the file of the scene that Reset returns to; without one the step goes on from where
    the one before it ended. `buttons` are the acts of the text, in their order. `explain`: `thread` (of the learner's
    act), or `why <kind>/<name>`."""

    id: str
    title: str
    minutes: float
    text: str
    afterwards: str = ""
    slide: str = ""
    speaker: str = ""
    start: str = ""
    predict: Question | None = None
    questions: tuple[Question, ...] = ()
    checks: tuple[Check, ...] = ()
    hints: tuple[Hint, ...] = ()
    faults: tuple[Fault, ...] = ()
    buttons: tuple[Act, ...] = ()
    explain: str = ""
    solution: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """`id` is the name of its folder: `14-self-healing`. `runtimes`: where its steps can be played: docker, process.
    `slide` is the first of its slides, `keep` the one after its steps."""

    id: str
    title: str
    track: str
    minutes: float
    text: str
    folder: str
    goals: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    questions: tuple[tuple[str, str], ...] = ()
    slide: str = ""
    keep: str = ""
    speaker: str = ""
    runtimes: tuple[str, ...] = ("docker", "process")
    steps: tuple[Step, ...] = ()

    @cached_property
    def number(self) -> int:
        return int(self.id.partition("-")[0])

    def step(self, id: str) -> Step | None:
        return next((step for step in self.steps if step.id == id), None)
