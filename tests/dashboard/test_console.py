"""A command runs in a process of the machine that all share: it has some memory, and no more."""

import asyncio
import json
import sys

import pytest

from lab.dashboard.console import said
from tests.apiserver.conftest import api  # noqa: F401

pytestmark = [
    pytest.mark.both_kubectls,
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing holds it"),
]

TENFOLD = '{{$%s := printf "%%s%%s%%s%%s%%s%%s%%s%%s%%s%%s"' + " $%s" * 10 + "}}"
GIGABYTE = '{{$a := printf "%1000000d" 1}}' + "".join(TENFOLD % (it, *was * 10) for was, it in ("ab", "bc", "cd"))
CONFIG_MAP = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: {word: '%s'}\n"


@pytest.fixture
def typed(api, kubectl):  # noqa: F811
    """Runs a command: what it said, what it complained of, and its exit code."""

    async def run(words: tuple[str, ...], pasted: bytes) -> dict:
        told: dict = {"out": "", "err": ""}
        async for line in said(kubectl, ["kubectl", f"--server={api.url}", *words], pasted):
            for kind, held in json.loads(line).items():
                told[kind] = told.get(kind, "") + held if isinstance(held, str) else held
        return told

    return lambda *words, pasted=b"": asyncio.run(run(words, pasted))


def test_a_template_that_asks_for_a_gigabyte_does_not_get_it(typed):
    told = typed("get", "ns", "-o", f"go-template={GIGABYTE}{{{{len $d}}}}")
    assert (told["out"], told["exit"]) == ("", 2)
    assert "memory" in told["err"].partition("\n")[0]


def test_what_one_usually_types_has_enough(typed):
    assert typed("get", "ns", "-o", "go-template={{len .items}}")["out"].isdigit()
    made = typed("apply", "-f", "-", pasted=CONFIG_MAP % (b"x" * 200_000))
    assert (made["exit"], made["out"]) == (0, "configmap/made created\n")
    for words in ("get all -A -o yaml", "describe configmaps", "api-resources", "explain deployment --recursive"):
        told = typed(*words.split())
        assert (told["exit"], bool(told["out"])) == (0, True), told
