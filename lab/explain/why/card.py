"""The shape of an answer. Pure."""

from dataclasses import asdict, dataclass, field

from ..authors import part_of


@dataclass(frozen=True)
class Ground:
    """`name`: what Kubernetes calls it (`taint node.kubernetes.io/unreachable`, `condition Progressing`). The rest says
    which row of the log has it: who wrote it, by which decision (empty if it is none), and when, in epoch seconds."""

    text: str
    name: str
    author: str
    decision: str
    revision: int
    time: float


def ground(row: dict, text: str, name: str = "") -> Ground:
    """What a row of `Subject.rows` gives as a ground."""
    decision = (row["why"] or {}).get("decision", "")
    return Ground(text, name, row["author"], decision, row["revision"], row["time"])


@dataclass(frozen=True)
class Help:
    """The one thing that would change it; `command` does it with kubectl, empty where no command can."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Card:
    """`reason`: Kubernetes' word for the answer in CamelCase (`Unschedulable`, `CrashLoopBackOff`), for programs.
    `verdicts`: of each node that was looked at `{node, fits, chosen, reasons, scores, total, lacks}`, the best first;
    `lacks`: resource → how much more would have to be free, thousandths of a core, else whole units."""

    question: str
    answer: str
    reason: str
    because: list[Ground] = field(default_factory=list)
    help: Help | None = None
    verdicts: list[dict] = field(default_factory=list)

    def as_dict(self) -> dict:
        told = asdict(self)
        for one in told["because"]:
            one["component"] = part_of(one["author"]).component
        return told
