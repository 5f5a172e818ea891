"""A sheet in a lesson's text: what a learner sets with sliders, what was measured, and what follows of both. Pure.

    ```sheet
    inputs:
      - {id: guests, label: Guests, min: 1, max: 200, value: 100}
    readings:
      - {id: container, label: A container here, reading: machine containers.memoryMiB, unit: MiB}
    outputs:
      - {label: They take, formula: guests * container / 1024, unit: GiB}
    ```

A formula has numbers, ids, + - * / ( ) and floor, ceil, round, min, max. It is worked out here, so that the sheet says
something without JavaScript, and kept in postfix (`guests container * 1024 /`), which is all that
`static/tutorials/sheet.js` needs to know.
"""

import ast
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import yaml
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lab.apimachinery.manifests import Loader

ID = {"type": "string", "pattern": "^[a-z][a-zA-Z0-9]*$"}
TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "number"}
SCHEMA = {
    "type": "object",
    "required": ["inputs", "outputs"],
    "additionalProperties": False,
    "properties": {
        name: {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": list(needed),
                "additionalProperties": False,
                "properties": {**needed, **also, "unit": TEXT},
            },
        }
        for name, needed, also in (
            ("inputs", dict(id=ID, label=TEXT, min=NUMBER, max=NUMBER, value=NUMBER), {"step": NUMBER, "source": TEXT}),
            ("readings", {"id": ID, "label": TEXT, "reading": TEXT}, {}),
            ("outputs", {"label": TEXT, "formula": {"type": ["string", "number"]}}, {}),
        )
    },
}
OPERATORS: dict[type, tuple[str, Callable[[float, float], float]]] = {
    ast.Add: ("+", lambda a, b: a + b),
    ast.Sub: ("-", lambda a, b: a - b),
    ast.Mult: ("*", lambda a, b: a * b),
    ast.Div: ("/", lambda a, b: a / b if b else math.nan),
}
FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "round": (1, lambda a: math.floor(a + 0.5)),
    "min": (2, min),
    "max": (2, max),
}
BY_SIGN = {sign: (2, work) for sign, work in OPERATORS.values()} | FUNCTIONS
NOT_KNOWN = "…"


@dataclass(frozen=True)
class Sheet:
    """Its rows as they are written; `postfix`: of each output, its formula."""

    inputs: list[dict]
    readings: list[dict]
    outputs: list[dict]
    postfix: list[list[str]]


def read_sheet(spec: dict, wrong: Callable[[str, str], None]) -> Sheet:
    """`spec` fits SCHEMA; what no schema can say of it is told to `wrong`, by path."""
    sheet = Sheet(spec["inputs"], spec.get("readings", []), spec["outputs"], [])
    ids = [row["id"] for row in (*sheet.inputs, *sheet.readings)]
    for id_, times in Counter(ids).items():
        if times > 1:
            wrong("", f"{times} rows have the id {id_}")
    for number, row in enumerate(sheet.inputs):
        if not row["min"] <= row["value"] <= row["max"]:
            wrong(f"inputs[{number}].value", f"{row['value']} is not from min to max")
    for number, row in enumerate(sheet.outputs):
        try:
            sheet.postfix.append(postfix(str(row["formula"]), ids))
        except ValueError as error:
            wrong(f"outputs[{number}].formula", str(error))
    return sheet


def readings(text: str) -> list[str]:
    """What is measured for the sheet."""
    return [row["reading"] for row in yaml.load(text, Loader).get("readings", ())]


def postfix(formula: str, ids: list[str]) -> list[str]:
    """`a * (b + 1)` → a b 1 + *. Raises ValueError for what is no such formula."""
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(
            f'"{formula}" is no formula; write it like: floor(memory * 1024 / (guest + program))'
        ) from None

    def steps(node: ast.expr) -> list[str]:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return [repr(node.value)]
        if isinstance(node, ast.Name) and node.id in ids:
            return [node.id]
        if isinstance(node, ast.Name):
            raise ValueError(f'nothing in the sheet has the id "{node.id}"; there are {", ".join(ids)}')
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return [*steps(node.left), *steps(node.right), OPERATORS[type(node.op)][0]]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return ["0", *steps(node.operand), "-"]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            name = node.func.id
            if name in FUNCTIONS and len(node.args) == FUNCTIONS[name][0]:
                return [step for part in node.args for step in steps(part)] + [name]
        known = ", ".join(f"{name}({', '.join('ab'[:count])})" for name, (count, _) in FUNCTIONS.items())
        raise ValueError(f'"{ast.unparse(node)}" cannot be worked out; there are numbers, ids, + - * / ( ), {known}')

    return steps(tree.body)


def worked_out(steps: list[str], values: Mapping[str, float]) -> float:
    """Not a number where a value is not known, or something is divided by nothing."""
    stack: list[float] = []
    for step in steps:
        if step in BY_SIGN:
            count, work = BY_SIGN[step]
            operands = [stack.pop() for _ in range(count)][::-1]
            stack.append(work(*operands) if not any(map(math.isnan, operands)) else math.nan)
        else:
            stack.append(values.get(step, math.nan) if step[0].isalpha() else float(step))
    return stack[0]


def told(value: float, unit: str = "", unknown: str = NOT_KNOWN) -> str:
    """`12,345 MiB`, `0.25`, `unknown` of what is no number. The page's script says it in the same way."""
    if not math.isfinite(value):
        return unknown
    text = f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{text} {unit}".rstrip()


def html(text: str, measured: Mapping[str, str], unknown: str = NOT_KNOWN) -> SafeString:
    """`measured`: reading, as it is written → what it was; `unknown`: what stands for what is not."""
    sheet = read_sheet(yaml.load(text, Loader), _ignored)
    values = {row["id"]: float(row["value"]) for row in sheet.inputs}
    known = {row["id"]: _number(measured.get(row["reading"], "")) for row in sheet.readings}
    values |= known
    inputs = format_html_join("", INPUT, (_slider(row) for row in sheet.inputs))
    readings = format_html_join(
        "",
        READING,
        (
            (row["label"], row["reading"], told(known[row["id"]], row.get("unit", ""), unknown))
            for row in sheet.readings
        ),
    )
    outputs = format_html_join(
        "",
        OUTPUT,
        (
            (row["label"], " ".join(steps), unit := row.get("unit", ""), told(worked_out(steps, values), unit, unknown))
            for row, steps in zip(sheet.outputs, sheet.postfix, strict=True)
        ),
    )
    given = " ".join(f"{id_}={value}" for id_, value in known.items() if not math.isnan(value))
    return format_html(SHEET, given, unknown, inputs, readings, outputs)


def _ignored(path: str, text: str) -> None:
    """Who reads the lesson has been told all of its mistakes."""


def _slider(row: dict) -> tuple:
    """What INPUT has gaps for."""
    unit, source = row.get("unit", ""), row.get("source", "")
    from_where = format_html('<a href="{}" target="_blank" rel="noopener">source</a>', source) if source else ""
    said = told(row["value"], unit)
    step = row.get("step", 1)
    return row["label"], from_where, row["id"], row["min"], row["max"], step, row["value"], unit, said, said


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"-?[0-9.]+", text) else math.nan


SHEET = (
    '<div class="sheet" data-given="{}" data-unknown="{}">{}'
    '<dl class="measured">{}</dl><dl class="follows">{}</dl></div>\n'
)
INPUT = (
    '<label class="slider"><span>{} {}</span><input type="range" name="{}" min="{}" max="{}" step="{}" value="{}" '
    'data-unit="{}" aria-valuetext="{}"><b>{}</b></label>'
)
READING = '<div><dt>{} <small title="{}">measured on this machine</small></dt><dd>{}</dd></div>'
OUTPUT = '<div><dt>{}</dt><dd><output data-formula="{}" data-unit="{}">{}</output></dd></div>'
