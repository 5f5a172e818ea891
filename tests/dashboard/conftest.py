"""What the tests of the board share: one that is open to a lab with something on it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.labs import LabUnderTest

from .screen import Screen


@pytest.fixture
def screen(page: Page, process_lab: LabUnderTest) -> Iterator[Screen]:
    """The board of a lab whose demo is ready, not opened yet; its scripts must make no error."""
    process_lab.wait_for_ready_pods(3)
    screen = Screen(page, process_lab)
    yield screen
    assert screen.errors == []
