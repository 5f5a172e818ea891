"""The board's websocket as a browser meets it, over the wire of a running lab."""

import json
import re
import time
import urllib.request

import pytest

from .wire import Wire, wire

NODE = "/api/v1/nodes/node-c"


@pytest.fixture
def place(process_lab) -> tuple[str, int]:
    """Where the page that was served just now begins."""
    page = urllib.request.urlopen(f"{process_lab.address}/clusters/default/", timeout=20).read().decode()
    first = json.loads(re.search(r'<script id="first" type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    return first["epoch"], first["seq"]


def mark(lab, value: str | None) -> None:
    """A change of a row that hurts nobody: a cordon set and taken off again."""
    lab.api("PATCH", NODE, {"spec": {"unschedulable": value}}, content_type="application/merge-patch+json")


def until_marked(board: Wire) -> list[dict]:
    """All that is told until the node is marked; a lab that has only just started has other news too, and so many at
    times that everything is sent instead."""
    told = [board.news()]
    while not any(row["id"] == "nodes/node-c" and row.get("cordoned") for row in rows_of(told[-1])):
        told.append(board.news())
    return told


def rows_of(message: dict) -> list[dict]:
    return message["rows"] if message["type"] == "snap" else message["upserts"]


@pytest.fixture(autouse=True)
def as_it_was(process_lab):
    yield
    mark(process_lab, None)


def test_a_page_that_connects_goes_on_where_it_was_served(process_lab, place):
    with wire(process_lab) as board:
        board.resume(*place)
        mark(process_lab, True)
        seq = place[1]
        for delta in until_marked(board):
            assert (delta["type"], delta["prev"], delta["epoch"]) == ("delta", seq, place[0])
            seq = delta["seq"]


def test_what_happened_while_away_is_replayed(process_lab, place):
    mark(process_lab, True)
    with wire(process_lab) as board:
        board.resume(*place)
        first, *_ = until_marked(board)
    assert (first["type"], first["prev"]) == ("delta", place[1])


@pytest.mark.parametrize("away", ["gap", "epoch"])
def test_who_cannot_be_caught_up_is_sent_everything(process_lab, place, away):
    with wire(process_lab) as board:
        board.resume(*(("another", place[1]) if away == "epoch" else (place[0], 1)))
        snapshot = board.news()
    assert snapshot["type"] == "snap"
    assert snapshot["epoch"] == place[0]
    assert snapshot["seq"] >= place[1]
    assert abs(snapshot["now"] - time.time()) < 10
    assert {"nodes/node-a", "nodes/node-b", "nodes/node-c", "deployments.apps/default/hello"} <= {
        row["id"] for row in snapshot["rows"]
    }


def test_a_board_that_says_where_it_is_again_is_answered_from_there(process_lab, place):
    with wire(process_lab) as board:
        board.resume(*place)
        mark(process_lab, True)
        board.news()
        board.resume("lost", 0)
        while (message := board.news())["type"] == "delta":
            continue
        assert message["type"] == "snap"


def test_silence_is_broken_by_a_heartbeat_that_says_where_the_log_is(process_lab, place):
    with wire(process_lab) as board:
        board.resume(*place)
        deadline, message = time.monotonic() + 15, board.receive()
        while message["type"] != "beat" and time.monotonic() < deadline:
            message = board.receive()
    assert message["type"] == "beat"
    assert message["seq"] >= place[1]
    assert abs(message["now"] - time.time()) < 10


def test_nonsense_is_refused(process_lab):
    with wire(process_lab) as board:
        board.say("not JSON")
        assert board.wait_for_close(10) == 1003


def test_an_unknown_cluster_is_refused_for_good(process_lab):
    with wire(process_lab, cluster="nowhere") as board:
        assert board.wait_for_close(10) == 4404


def test_a_browser_that_takes_nothing_is_told_to_come_back_and_holds_nobody_up(process_lab, place):
    with wire(process_lab, buffer=4096) as slow, wire(process_lab) as quick:
        for i in range(700):  # each is answered with everything, until nothing more fits on the wire
            slow.resume("lost", i)
            time.sleep(0.003)
        quick.resume(*place)
        mark(process_lab, True)
        assert until_marked(quick)
        time.sleep(11)
        assert slow.wait_for_close(30) == 1013
