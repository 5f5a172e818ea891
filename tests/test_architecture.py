"""Guards: what the house rules say about the whole tree, as tests."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
ALLOWED = {
    ".ci",
    ".dockerignore",
    ".gitignore",
    "Dockerfile",
    "README.md",
    "compose.yaml",
    "lab",
    "manage.py",
    "pyproject.toml",
    "requirements.lock",
    "static",
    "templates",
    "tests",
}
LOCKS = ("requirements.lock", "tests/requirements.lock")
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 50
TRACKED = subprocess.run(["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=True).stdout.split("\n")
SOURCES = [path for path in TRACKED if path.endswith(".py") and "/migrations/" not in path and (HOME / path).exists()]
LAB_SOURCES = [path for path in SOURCES if path.startswith("lab/")]


def parsed(path: str) -> ast.Module:
    return ast.parse((HOME / path).read_text(), path)


def run(program: str, *words: str) -> None:
    done = subprocess.run([Path(sys.executable).with_name(program), *words], cwd=HOME, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_go_one_way():
    run("lint-imports")


def test_the_code_is_clean_and_formatted():
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


def test_types_hold():
    run("mypy")


def test_nothing_stands_at_the_top_but_what_a_newcomer_needs():
    assert {path.split("/")[0] for path in TRACKED if path} <= ALLOWED


@pytest.mark.parametrize("path", LAB_SOURCES)
def test_a_file_can_be_read_in_one_go(path):
    lines = (HOME / path).read_text().count("\n")
    assert lines <= MOST_LINES, f"{lines} lines: split it by noun"


@pytest.mark.parametrize("path", LAB_SOURCES)
def test_a_function_fits_a_screen(path):
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {
        f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno - f.lineno >= MOST_LINES_OF_A_FUNCTION
    }
    assert not long


@pytest.mark.parametrize("path", LAB_SOURCES)
def test_every_module_says_what_it_is(path):
    module = parsed(path)
    assert ast.get_docstring(module) or not module.body


def test_every_package_says_what_it_may_do_and_must_not():
    folders = [path for path in LAB_SOURCES if path.endswith("/__init__.py") and path.count("/") == 2]
    bare = [path for path in folders if not ast.get_docstring(parsed(path))]
    assert not bare


def test_nobody_keeps_a_drawer_of_odds_and_ends():
    assert not [path for path in SOURCES if re.search(r"(^|/)(utils|helpers|misc|common)(\.py|/)", path)]


def test_every_folder_of_tests_is_a_package():
    folders = {Path(path).parent for path in SOURCES if path.startswith("tests/")}
    assert not [folder for folder in folders if not (HOME / folder / "__init__.py").exists()]


def test_the_lock_for_tests_holds_all_of_the_other():
    pins = [set(re.findall(r"^\S+==\S+", (HOME / lock).read_text(), re.MULTILINE)) for lock in LOCKS]
    assert pins[0] < pins[1]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes_and_names_no_host(lock):
    text = (HOME / lock).read_text()
    blocks = re.split(r"\n(?=\S)", text)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    assert "://" not in text
