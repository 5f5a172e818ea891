"""A Dockerfile is read here as engines read it, and what they may read in another way is refused."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.runtime import dockerfile

NASTY = (
    *("FROM a", "COPY b /c", "ADD http://x /y", "RUN", "ONBUILD", "ONBUİLD", "uſer", "LABEL", "AD", "D", "e"),
    *("--from=x", "--chown=à", "--chown=a", '"', "'", "<<", "EOF", "# escape=`", "# syntax=x", "#", "`", "[", "]"),
    *("\\", "\\", "\\\n", "\\\r\n", "\n", "\n", "\r", "\r\n", "\t", " ", " ", "\v", "\f", "\0", "\x1b", "\x1c"),
    *("\x85", "\xa0", "\u2028", "\u2029", "\u3000", "\ufeff", "à", "\ufffd"),
)  # fmt: skip
# Of engines to 20.10, and of later ones: two backslashes go on with the next line for the former only.
CONTINUED = (re.compile(rb"\\[ \t]*\Z"), re.compile(rb"(?:[^\\]|\A)\\[ \t]*\Z"))


OPTIONS = ("--chown=a", "--from=x", "--", "à", '"', "\\", "\\\n", " ", "\t", "\v", "\xa0", "b")


def texts(of: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(of), max_size=25).map("".join)


def of(text: str) -> dict[str, bytes]:
    return {"Dockerfile": text.encode()}


def by_engine(text: bytes, continued: re.Pattern) -> list[tuple[bytes, list[bytes], bytes]]:
    """(word, options, rest) of each step, by bytes: after buildkit's `parser.go` and `split_command.go`."""
    read, step = [], b""
    for line in text.split(b"\n"):
        line = line.removesuffix(b"\r")
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        cut = line[: line.rindex(b"\\")] if continued.search(line) else line
        step += cut
        if cut == line:
            read.append(_command(step))
            step = b""
    return [*read, _command(step)] if step.strip() else read


def _command(step: bytes) -> tuple[bytes, list[bytes], bytes]:
    word, *rest = re.split(rb"[\t\v\f\r ]+", step.strip(), maxsplit=1)
    return word, *_options(b"".join(rest))


def _options(rest: bytes) -> tuple[list[bytes], bytes]:
    """Its own reading of quotes and backslashes; what is a space to it, stands here."""
    options, option, quote, at = [], b"", b"", 0
    while at < len(rest) and (option or quote or rest[at : at + 2] == b"--" or rest[at] in b"\t\n\v\f\r \x85\xa0"):
        one = rest[at : at + 1]
        if quote:
            quote = b"" if one == quote else quote
        elif one in b"\t\n\v\f\r \x85\xa0":
            options, option = [*options, option] if option else options, b""
            at += 1
            continue
        elif one in b"\"'":
            quote = one
        if one == b"\\":
            at, one = at + 1, rest[at + 1 : at + 2]
        option += one
        at += 1
    return ([*options, option] if option else options), rest[at:]


@given(texts(NASTY))
def test_what_is_sent_reads_as_what_was_read(text):
    try:
        sent = dockerfile.as_read(of(text))
    except ValueError:
        return
    assert dockerfile.steps(sent) == dockerfile.steps(of(text))
    assert dockerfile.as_read(sent) == sent


@settings(max_examples=1000)
@given(st.lists(st.tuples(st.sampled_from(["FROM b", "Copy ", "COPY --chown=a"]), texts(OPTIONS)), max_size=3))
def test_engines_old_and_new_read_in_it_what_was_read_here(lines):
    try:
        sent = dockerfile.labelled(dockerfile.as_read(of("\n".join(map("".join, lines)))), {"x": "y"})
    except ValueError:
        return
    for continued in CONTINUED:
        read = by_engine(sent["Dockerfile"], continued)
        assert [word for word, _, _ in read] == re.findall(rb"^\w+", sent["Dockerfile"], re.MULTILINE)
        options = [option for word, found, _ in read if word == b"COPY" for option in found]
        known = all(re.match(rb"--ch(own|mod)=", option) for option in options)
        assert known or dockerfile.copies_from_elsewhere(sent)


REFUSED = {
    "a step that is none": ("FROMM a", "no instruction"),
    "one that is made of two lines": ("FROM a\nAD\\\n\\\nD http://x /y", "is not for builds here"),
    "a carriage return in a word": ("A\\\rDD http://x /y", "no instruction"),
    "and between two": ("FROM a\rADD http://x /y", "U\\+000D"),
    "a line that is one for others": ("ENV A=b\u2028ADD http://x /y", "U\\+2028"),
    "a space that is none here": ("ADD\xa0http://x /y", "no instruction"),
    "and one at an end": ("COPY a b\\\xa0\nADD", "U\\+00A0"),
    "one for a page": ("RUN a\fb", "U\\+000C"),
    "a character that is none": ("RUN a\0", "U\\+0000"),
    "a capital of another alphabet": ("ONBUİLD ADD http://x /y", "no instruction"),
    "a small letter of another one": ("uſer 0", "no instruction"),
    "a comment of another one": ("\xa0# FROM a", "no instruction"),
    "an end that goes on": ("COPY a b\\\\\n\n", "ends in a backslash"),
    "a text in the steps": ("COPY <<ENV /x\nENV", "give it a file"),
    "options by bytes": ("COPY --chown=a\\ à--from=x b c", "in ASCII"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_told_why(what):
    text, why = REFUSED[what]
    with pytest.raises(ValueError, match=why) as refusal:
        dockerfile.as_read(of(text))
    assert str(refusal.value).isprintable()


def test_a_comment_goes_on_with_no_next_line():
    text = "# a \\\nFROM a\nENV B=\\\n# c \\\n  d\\\ne\n"
    assert dockerfile.as_read(of(text))["Dockerfile"] == b"FROM a\nENV B=  de"


def test_it_may_come_from_an_editor_of_windows():
    assert dockerfile.as_read(of("\ufeffFROM a\r\nENV \\\r\n B=c\r\n"))["Dockerfile"] == b"FROM a\nENV B=c"


def test_labels_are_on_every_layer_from_the_first():
    sent = dockerfile.labelled(of("ARG A\nFROM a AS b\nENV C=d\nFROM b"), {"x": "y", "z": ""})
    assert sent["Dockerfile"] == b'ARG A\nFROM a AS b\nLABEL x="y" z=""\nENV C=d\nFROM b\nLABEL x="y" z=""'
