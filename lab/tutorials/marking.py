"""The Markdown of lessons: as HTML that is safe to show, since no HTML of an author's own passes. Pure.

What it knows beyond CommonMark and tables:

    ```kubectl      commands: Copy (`data-copy`), and Run (`data-run`: what to type into the page's command line)
    ```do           an act, in YAML: a button; `data-act` is its place among `Step.buttons`
    ```yaml         a file: Copy, and Apply (`data-apply`) where it holds objects of Kubernetes
    ```sheet        sliders, what was measured, and what follows of both (`sheet`)
    {pods app=web count}     a reading: what was measured, or … as long as nothing was
    [the bank](door:bank/)   a Service at the cluster's front door: `door:name/path`
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from . import sheet
from .lesson import Act
from .texts import PLACE

OBJECTS = re.compile(r"^apiVersion:", re.MULTILINE)
CONTINUED = re.compile(r"\\\n\s*")
NOT_YET = "…"
SHEET = "sheet"
DOOR = "door:"


@dataclass(frozen=True)
class Fence:
    """A fenced block: what stands behind its ```, what is in it, and its first line in the text, from 0."""

    kind: str
    text: str
    line: int


def html(
    text: str,
    *,
    measured: Mapping[str, str] | None = None,
    unknown: str = NOT_YET,
    buttons: Sequence[Act] = (),
    door: str = "",
) -> SafeString:
    """`measured`: reading, as it is written → what it was; `unknown`: what stands for one not there. `door`: the
    address of a Service, with `{service}` and `{namespace}` in it, of which the latter is the default one; without what
    leads there is text."""
    around = {"measured": measured or {}, "unknown": unknown, "buttons": iter(enumerate(buttons)), "door": door}
    return mark_safe(MARKDOWN.render(text, around))


def fences(text: str) -> Iterator[Fence]:
    for token in MARKDOWN.parse(text):
        if token.type == "fence" and token.map:
            yield Fence(token.info.strip(), token.content, token.map[0] + 1)


def readings(text: str) -> list[str]:
    """Those that stand in the text, in braces; code has none. And those of its sheets."""
    tokens = MARKDOWN.parse(text)
    lines = (token.children or () for token in tokens if token.type == "inline")
    in_braces = [token.content for line in lines for token in line if token.type == "reading"]
    sheets = (token.content for token in tokens if token.type == "fence" and token.info.strip() == SHEET)
    return [*in_braces, *(reading for text in sheets for reading in sheet.readings(text))]


def commands(text: str) -> list[str]:
    """The commands of a `kubectl` block, each as one line; the next line continues one that ends with a backslash."""
    return [line.strip() for line in CONTINUED.sub("", text).splitlines() if line.strip()]


def _reading(state: StateInline, silent: bool) -> bool:
    found = PLACE.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        state.push("reading", "", 0).content = found[1]
    state.pos = found.end()
    return True


class Renderer(RendererHTML):
    """Its methods are named after the tokens that they render."""

    def reading(self, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
        name = tokens[index].content
        found = env["measured"].get(name, env["unknown"])
        return format_html('<output class="reading" title="{}">{}</output>', name, found)

    def link_open(self, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
        token = tokens[index]
        where = str(token.attrGet("href"))
        if where.startswith(DOOR):
            service, _, path = where.removeprefix(DOOR).partition("/")
            if not env["door"]:
                return "<a>"
            token.attrSet("href", env["door"].format(service=service, namespace="default") + path)
        if not where.startswith("#"):  # a lesson is not left by a link
            token.attrSet("target", "_blank")
            token.attrSet("rel", "noopener")
        return self.renderToken(tokens, index, options, env)

    def td_open(self, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
        """A cell's alignment as a class: the page allows no style of an element's own."""
        token = tokens[index]
        style = str(token.attrs.pop("style", ""))
        if style:
            token.attrSet("class", style.removeprefix("text-align:"))
        return self.renderToken(tokens, index, options, env)

    th_open = td_open

    def fence(self, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]) -> str:
        kind, text = tokens[index].info.strip(), tokens[index].content
        if kind == SHEET:
            return sheet.html(text, env["measured"], env["unknown"])
        if kind == "kubectl":
            return format_html_join("", COMMAND, ((line,) * 4 for line in commands(text)))
        if kind == "do":
            number, act = next(env["buttons"], (0, Act("do")))
            return format_html(
                '<p class="act"><button type="button" data-act="{}">{}</button></p>\n', number, act.label
            )
        return format_html(FILE, kind or "text", text, APPLY if kind == "yaml" and OBJECTS.search(text) else "")


COPY = mark_safe('<button type="button" data-copy>Copy</button>')
APPLY = mark_safe('<button type="button" data-apply>Apply</button>')
# Each of several says which it is to whoever hears them one by one.
COMMAND = (
    '<div class="command"><code>{}</code><button type="button" data-copy aria-label="Copy {}">Copy</button>'
    '<button type="button" data-run="{}" aria-label="Run {}">Run</button></div>\n'
)
FILE = '<div class="file"><pre tabindex="0" class="{}"><code>{}</code></pre>' + COPY + "{}</div>\n"

MARKDOWN = MarkdownIt("commonmark", {"html": False}, renderer_cls=Renderer).enable("table")
MARKDOWN.inline.ruler.push("reading", _reading)
