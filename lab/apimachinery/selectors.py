"""Selectors: how objects in Kubernetes find each other. A Service has no list of pods, it has a question about labels.

Label selectors come as text in a query (`app=web,tier!=cache`) or as an object (`matchLabels`, `matchExpressions`);
field selectors only as text, over the few fields a kind offers. Grammar and messages follow
`k8s.io/apimachinery/pkg/labels` and `…/fields`.
"""

import functools
import re
from dataclasses import dataclass

from . import names
from .errors import ApiError, bad_request
from .kinds import Kind

# A word runs up to the next sign or space; the two-character signs come first, so that they are not read as two.
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)", re.ASCII)
_SIGNS = frozenset(("=", "==", "!=", "!", "(", ")", ",", "<", ">"))


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. `op`: In, NotIn, Exists, DoesNotExist, Gt, Lt."""

    key: str
    op: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: dict[str, str]) -> bool:
        """A label that is missing satisfies NotIn, as in Kubernetes: `tier!=cache` includes what has no tier."""
        have = labels.get(self.key)
        if self.op == "In":
            return have in self.values
        if self.op == "Exists":
            return have is not None
        if self.op == "DoesNotExist":
            return have is None
        if self.op == "NotIn":
            return have not in self.values
        return _compares(have, self.op, self.values)


def _compares(have: str | None, op: str, values: frozenset[str]) -> bool:
    """Gt and Lt: labels that are no whole numbers never match."""
    if have is None or not re.fullmatch(r"[-+]?[0-9]{1,19}", have, re.ASCII):
        return False
    (bound,) = values
    return int(have) > int(bound) if op == "Gt" else int(have) < int(bound)


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements together; with none it matches everything. `None` instead of requirements matches nothing."""

    requirements: tuple[Requirement, ...] | None = ()

    def matches(self, labels: dict[str, str] | None) -> bool:
        if self.requirements is None:
            return False
        labels = labels or {}
        return all(requirement.matches(labels) for requirement in self.requirements)


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(None)


@functools.lru_cache(maxsize=1024)
def parse_labels(text: str) -> LabelSelector:
    """The selector of a query: `app=web,tier!=cache,zone in (a, b),!canary,gpu`. Raises ApiError 400."""
    return LabelSelector(tuple(_LabelParser(text).requirements()))


class _LabelParser:
    def __init__(self, text: str):
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self.peek():
            found.append(self.requirement())
            if self.peek():
                self.expect(",")
                if not self.peek():
                    raise _unparsable("found '', expected: identifier after ','")
        return found

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, wanted: str) -> None:
        token = self.take()
        if token != wanted:
            raise _unparsable(f"found '{token}', expected: '{wanted}'")

    def requirement(self) -> Requirement:
        absent = self.peek() == "!"
        if absent:
            self.take()
        key = self.take()
        if not key or key in _SIGNS:
            raise _unparsable(f"found '{key}', expected: identifier")
        _check_key(key)
        if absent:
            return Requirement(key, "DoesNotExist")
        if self.peek() in ("", ","):
            return Requirement(key, "Exists")
        return self.condition(key, self.take())

    def condition(self, key: str, op: str) -> Requirement:
        if op in ("in", "notin"):
            return Requirement(key, "In" if op == "in" else "NotIn", self.listed())
        if op in ("=", "==", "!="):
            # Nothing after the sign asks for the empty value.
            token = "" if self.peek() in ("", ",") else self.word()
            _check_value(token)
            return Requirement(key, "NotIn" if op == "!=" else "In", frozenset((token,)))
        if op in ("<", ">"):
            bound = self.word()
            if not re.fullmatch(r"[-+]?[0-9]{1,19}", bound, re.ASCII):
                raise _unparsable(
                    f"values[0]: Invalid value: \"{bound}\": for 'Gt', 'Lt' operators, the value must be an integer"
                )
            return Requirement(key, "Gt" if op == ">" else "Lt", frozenset((bound,)))
        raise _unparsable(f"found '{op}', expected: in, notin, =, ==, !=, gt, lt")

    def word(self) -> str:
        token = self.take()
        if not token or token in _SIGNS:
            raise _unparsable(f"found '{token}', expected: identifier")
        return token

    def listed(self) -> frozenset[str]:
        self.expect("(")
        values = set()
        while True:
            # `(a,)` and `()` hold the empty value.
            values.add("" if self.peek() in (",", ")") else self.word())
            if self.peek() != ",":
                break
            self.take()
        self.expect(")")
        for listed in values:
            _check_value(listed)
        return frozenset(values)


def _unparsable(why: str) -> ApiError:
    return bad_request(f"unable to parse requirement: {why}")


def _check_key(key: str) -> None:
    for problem in names.qualified_name(key):
        raise _unparsable(f'<nil>: Invalid value: "{key}": {problem}')


def _check_value(text: str) -> None:
    for problem in names.label_value(text):
        raise _unparsable(f'values[0]: Invalid value: "{text}": {problem}')


def parse_label_selector(selector: dict | None) -> LabelSelector:
    """A LabelSelector object: `{matchLabels: {…}, matchExpressions: [{key, operator, values}]}`.

    `{}` selects everything, `None` nothing. What is malformed was refused by the API server's validation before.
    """
    if selector is None:
        return NOTHING
    labels = selector.get("matchLabels") or {}
    equal = [Requirement(key, "In", frozenset((text,))) for key, text in labels.items()]
    more = [
        Requirement(expression["key"], expression["operator"], frozenset(expression.get("values") or ()))
        for expression in selector.get("matchExpressions") or ()
    ]
    return LabelSelector((*equal, *more))


def selector_of(workload: dict) -> dict | None:
    """The object by which a workload knows its pods. A ReplicationController, older than such objects, has labels."""
    selector = workload["spec"].get("selector")
    return {"matchLabels": selector} if selector and workload["kind"] == "ReplicationController" else selector


def format_label_selector(selector: dict | None) -> str:
    """The object as text: what `status.selector` of a Scale holds, and clients put into a query."""
    if selector is None:
        return ""
    parts = [f"{key}={text}" for key, text in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        key, op, listed = expression["key"], expression["operator"], ",".join(sorted(expression.get("values") or ()))
        words = {"In": f"{key} in ({listed})", "NotIn": f"{key} notin ({listed})", "Exists": key}
        parts.append(words.get(op, f"!{key}"))
    return ",".join(parts)


REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
REGARDING = "regarding"  # what an Event is about, in the words of events.k8s.io
# The fields by which each kind can be selected, beside metadata.name and metadata.namespace. Source: the
# AddFieldLabelConversionFunc of each kind in kubernetes/pkg/apis/core/v1/conversion.go.
FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "replicasets.apps": ("status.replicas",),
    "replicationcontrollers": ("status.replicas",),
    "jobs.batch": ("status.successful",),
    "events": (
        *(f"{about}.{field}" for about in ("involvedObject", REGARDING) for field in REFERENCE),
        "reason",
        "reportingComponent",
        "reportingController",
        "source",
        "type",
    ),
}
METADATA_FIELDS = ("metadata.name", "metadata.namespace")


def selectable(kind: Kind) -> tuple[str, ...]:
    return METADATA_FIELDS + FIELDS.get(kind.resource, ())


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """`(field, equal or not, value)` terms, all of which must hold."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    def matches(self, fields: dict[str, str]) -> bool:
        """`fields` maps what `selectable` lists to text; a missing one counts as empty."""
        return all((fields.get(field, "") == text) is equal for field, equal, text in self.terms)


@functools.lru_cache(maxsize=1024)
def parse_fields(text: str, kind: Kind) -> FieldSelector:
    """The field selector of a query: `spec.nodeName=a,status.phase!=Succeeded`. Raises ApiError 400."""
    terms = []
    for part in re.split(r"(?<!\\),", text):
        if not part:
            continue
        split = re.match(r"((?:\\.|[^\\=!])*)(==|!=|=)(.*)", part, re.DOTALL)
        if split is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        field, sign, raw = split.groups()
        if field not in selectable(kind):
            raise bad_request(_unsupported(kind, field))
        terms.append((field, sign != "!=", re.sub(r"\\([\\,=])", r"\1", raw)))
    return FieldSelector(tuple(terms))


def _unsupported(kind: Kind, field: str) -> str:
    if kind.resource in FIELDS:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
