"""Bad days of the place where the data lies: somebody else holds the database, or the disk is full."""

import contextlib
import json
import os
import sqlite3
import subprocess
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.labs import LabUnderTest, is_ready, wait_until

from .audit import wait_until_as_declared
from .steps import kill, scale


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    need("root, to mount a small disk", os.geteuid() == 0)
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
def lab(small_disk) -> Iterator[LabUnderTest]:
    lab = LabUnderTest(small_disk / "data", "process")
    lab.output = small_disk.parent / "up.out"  # the terminal, which is no file on that disk
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def try_to_scale(lab: LabUnderTest, replicas: int) -> dict:
    return refusal_of(lambda: scale(lab, replicas))


def try_to_store(lab: LabUnderTest) -> dict:
    """Something that nobody acts on: the files of the database may still have room of their own."""
    note = {"metadata": {"generateName": "note-"}, "data": {"text": "x" * 4096}}
    return refusal_of(lambda: lab.api("POST", "/api/v1/namespaces/default/configmaps", note))


def refusal_of(write: Callable[[], object]) -> dict:
    """The Status of a refusal; empty if it was accepted."""
    try:
        write()
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)
    return {}


@contextlib.contextmanager
def held_by_somebody_else(lab: LabUnderTest) -> Iterator[None]:
    """Another program writes to the database and does not come to an end."""
    other = sqlite3.connect(lab.data / "orrery.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("COMMIT")
        other.close()


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def nodes_ready(lab: LabUnderTest) -> bool:
    return all(map(is_ready, lab.get("/api/v1/nodes")["items"]))


def test_a_locked_database_and_then_a_full_disk_only_make_everybody_wait(lab, small_disk):
    wait_until_as_declared(lab)
    with held_by_somebody_else(lab):
        waiting = threading.Thread(target=scale, args=(lab, 4))
        waiting.start()
        assert len(lab.pods()) == 3  # reading goes on
        time.sleep(3)
        assert waiting.is_alive()
    waiting.join(20)
    lab.wait_for_ready_pods(4)

    with held_by_somebody_else(lab):
        refusal = try_to_scale(lab, 5)  # half a minute later
        assert (refusal["code"], refusal["message"]) == (503, "the store failed: database is locked")
        assert nodes_ready(lab)
    assert try_to_scale(lab, 5) == {}
    lab.wait_for_ready_pods(5)
    wait_until_as_declared(lab)
    assert "the store failed: database is locked" in lab.said()

    filler = fill(small_disk)
    refusal = wait_until("a refusal", lambda: try_to_store(lab))
    assert (refusal["code"], refusal["message"]) == (503, "the store failed: database or disk is full")
    kill(lab, "worker")
    words = "the controllers wait for the database: database or disk is full"
    wait_until("the controllers to notice", lambda: words in lab.said())
    assert len(lab.ready_pods()) == 5
    filler.unlink()
    wait_until("a write to be accepted", lambda: try_to_scale(lab, 2) == {})
    lab.wait_for_ready_pods(2)
    wait_until_as_declared(lab)
