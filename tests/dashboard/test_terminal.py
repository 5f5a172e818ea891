"""The terminal in a pod's drawer: a real shell in a container, and the screen that shows what it writes."""

import re

from playwright.sync_api import expect

from .screen import SECONDS, Screen

# What is written → the lines that are shown, on a screen of 10 × 4.
WRITTEN = {
    "plain": ("one\r\ntwo", ["one", "two"]),
    "carriage return": ("one\rTW", ["TWe"]),
    "backspace and erase": ("abc\b\b\x1b[K!", ["a!"]),
    "wrap": ("0123456789ab", ["0123456789", "ab"]),
    "cursor": ("\x1b[2;3Hx\x1b[A\x1b[Dy", ["  y", "  x"]),
    "insert and delete": ("abcd\x1b[1G\x1b[2P\x1b[1@z", ["zcd"]),
    "scroll": ("1\r\n2\r\n3\r\n4\r\n5", ["1", "2", "3", "4", "5"]),
    "region": ("1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\n5", ["1", "3", "5", "4"]),
    "clear": ("abc\x1b[2J\x1b[Hx", ["x"]),
    "title and charset are skipped": ("\x1b]0;title\x07\x1b(Bok", ["ok"]),
    "editor comes and goes": ("shell\x1b[?1049h\x1b[Hvi\x1b[?1049l$", ["shell$"]),
    "double width": ("日本\x1b[5Gx\r\n123456789語", ["日本x", "123456789", "語"]),
    "tab": ("a\tb", ["a       b"]),
    "an endless sequence": ("\x1b[1;2", [""]),
}
DRAWN = """async written => {
  const { Screen } = await import('/static/board/vt.js');
  const screen = new Screen(10, 4, () => {});
  for (const letter of written) screen.write(letter);
  const lines = [...screen.past, ...screen.grid].map(line => line.map(cell => cell[0]).join('').trimEnd());
  while (lines.length > 1 && !lines.at(-1)) lines.pop();
  return lines;
}"""


def test_the_screen_shows_what_xterm_would_show(screen):
    screen.open()
    for what, (written, lines) in WRITTEN.items():
        assert screen.page.evaluate(DRAWN, written) == lines, what


def test_a_program_that_asks_where_the_cursor_is_is_told(screen):
    asked = """async () => {
      const { Screen } = await import('/static/board/vt.js'), said = [];
      new Screen(10, 4, text => said.push(text)).write('ab\\x1b[6n');
      return said;
    }"""
    assert screen.open().page.evaluate(asked) == ["\x1b[1;3R"]


def shows(screen: Screen, words: str) -> None:
    expect(screen.drawer.locator(".terminal pre")).to_contain_text(words, timeout=SECONDS)


def speaks(screen: Screen) -> None:
    """A shell in the container of the first pod: it answers, is interrupted, ends, and begins anew."""
    pod = screen.lab.ready_pods()[0]["metadata"]["name"]
    screen.open(f"?object=pods/default/{pod}&tab=terminal")
    keys = screen.page.keyboard
    expect(screen.drawer.locator(".terminal textarea")).to_be_focused(timeout=SECONDS)
    expect(screen.drawer.locator(".terminal pre")).to_have_text(re.compile(r"\S"), timeout=SECONDS)  # its prompt
    keys.type("echo a$((40+2))b\n")
    shows(screen, "a42b")
    keys.type("echo w$((20+3))x; sleep 600; echo never$((1+1))\n")
    shows(screen, "w23x")  # what a terminal has not handed on yet, Ctrl-C throws away
    keys.press("Control+c")
    keys.type("echo s$((50+5))t; stty size\n")
    shows(screen, "s55t")
    keys.type("exit\n")
    expect(screen.drawer.locator(".terminal output")).not_to_be_empty(timeout=SECONDS)
    screen.drawer.get_by_role("button", name="Start again").click()
    keys.type("echo c$((60+6))d\n")
    shows(screen, "c66d")


def test_a_shell_in_a_container_is_spoken_with(screen):
    speaks(screen)
    screen.page.keyboard.press("Shift+Tab")
    assert not screen.page.evaluate("document.activeElement.closest('.terminal textarea')")


def test_on_docker_too(page, docker_lab):
    docker_lab.wait_for_ready_pods(3)
    screen = Screen(page, docker_lab)
    speaks(screen)
    assert screen.errors == []


def test_why_there_is_no_shell_is_said(screen):
    created = screen.lab.api("POST", "/api/v1/namespaces/default/pods", LONELY)
    screen.open(f"?object=pods/default/{created['metadata']['name']}&tab=terminal")
    expect(screen.drawer.locator(".terminal output")).to_contain_text("does not have a host assigned", timeout=SECONDS)
    screen.lab.api("DELETE", "/api/v1/namespaces/default/pods/lonely")


LONELY = {
    "metadata": {"name": "lonely"},
    "spec": {"nodeSelector": {"no": "where"}, "containers": [{"name": "web", "image": "orrery/hello:v1"}]},
}
