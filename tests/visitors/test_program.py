"""The load generator against a front door: what it asks, how often, and that all is counted."""

import time

from tests.labs import free_port, wait_until

from .door import Door
from .program import Program


def settled(program: Program) -> dict:
    """The figures, once nobody asks any more."""
    program.apply(rate=0)
    return program.wait_for("all to be answered", lambda seen: seen["inFlight"] == 0)


def test_it_asks_as_it_is_told_and_no_request_is_like_another(program, door):
    program.apply(rate=20, path="/")
    wait_until("two requests", lambda: len(door.requests) >= 2)
    request = door.requests[0]
    assert (request["path"], request["host"]) == ("/", "hello.default.default.localhost")
    assert request["x-request-id"] != door.requests[1]["x-request-id"]


def test_each_answer_is_counted_by_status_version_and_pod(program, door):
    program.apply(rate=100)
    program.wait_for("answers", lambda seen: seen["requests"] > 20)
    program.apply(rate=100, path="/chunks")
    program.wait_for("answers of the other version", lambda seen: seen["pods"].get("web-2", {}).get("requests", 0) > 20)
    seen = settled(program)
    asked = len(door.requests)
    assert (seen["requests"], seen["errors"], seen["statuses"]) == (asked, 0, {"200": asked})
    by_path = [sum(request["path"] == path for request in door.requests) for path in ("/", "/chunks")]
    assert [seen["pods"][name]["requests"] for name in ("web-1", "web-2")] == by_path
    assert [seen["versions"][name]["requests"] for name in ("v1", "v2")] == by_path
    assert seen["pods"]["web-2"]["version"] == "v2"


def test_it_keeps_its_rate_and_its_connections(program, door):
    began = time.monotonic()
    program.apply(rate=200)
    time.sleep(1)  # in which 200 are due, whether or not this machine has the time for them
    seen = program.wait_for("200 to be asked", lambda seen: seen["requests"] + seen["inFlight"] + seen["late"] >= 200)
    most = 200 * (time.monotonic() - began) + 1
    assert seen["requests"] + seen["inFlight"] + seen["late"] <= most
    assert door.connections <= 16


def test_what_finds_no_place_is_counted_as_late_and_goes_on(program, door):
    program.apply(rate=100, concurrency=2, path="/hold")
    seen = program.wait_for("late ones", lambda seen: seen["late"] > 10)
    assert (seen["requests"], seen["inFlight"], len(door.requests)) == (0, 2, 2)
    door.release()
    program.wait_for("answers", lambda seen: seen["requests"] > 10)


def test_people_who_think_are_never_more_than_there_are(program, door):
    program.apply(thinkSeconds=0.02, concurrency=3)
    program.wait_for("many answers", lambda seen: seen["requests"] > 30)
    program.apply(thinkSeconds=0.02, concurrency=1)
    seen = settled(program)
    assert (seen["requests"], seen["errors"], seen["late"]) == (len(door.requests), 0, 0)
    assert door.connections <= 3


def failed(program: Program, path: str, **spec) -> dict:
    """The figures after a failure of that path."""
    program.apply(rate=20, path=path, **spec)
    program.wait_for("a failure", lambda seen: seen["errors"])
    seen = settled(program)
    assert seen["requests"] == seen["errors"] == sum(seen["failures"].values())
    return seen


def test_an_answer_of_5xx_is_a_failure_that_says_who_and_why(program, door):
    seen = failed(program, "/broken")
    assert list(seen["failures"]) == ["http"]
    last = seen["lastFailures"][-1]
    assert (last["status"], last["pod"], last["message"]) == (503, "web-1", "nobody is home")
    assert last["requestId"] == door.requests[-1]["x-request-id"]
    assert seen["pods"]["web-1"]["errors"] == seen["errors"]


def test_failures_are_told_apart(program):
    assert set(failed(program, "/silence", timeoutSeconds=0.2)["failures"]) == {"timeout"}
    program.apply_none()
    assert set(failed(program, "/cut")["failures"]) == {"reset"}
    program.apply_none()
    assert set(failed(program, "/nonsense")["failures"]) == {"malformed"}


def test_an_answer_may_end_with_its_connection(program):
    program.apply(rate=50, path="/until-closed")
    seen = program.wait_for("answers", lambda seen: seen["requests"] > 5)
    assert seen["errors"] == 0


def test_a_door_that_is_away_refuses_until_it_is_back(tmp_path):
    port = free_port()
    program = Program(tmp_path, f"http://localhost:{port}/").start()
    try:
        program.apply(rate=50)
        seen = program.wait_for("refusals", lambda seen: seen["failures"].get("refused", 0) > 3)
        assert seen["statuses"] == {}
        with Door(port):
            program.wait_for("answers", lambda seen: seen["statuses"].get("200", 0) > 3)
    finally:
        program.kill()


def test_counting_begins_anew_with_another_epoch(program):
    program.apply(rate=100)
    before = program.wait_for("answers", lambda seen: seen["requests"] > 10)
    program.apply_none()
    program.apply(rate=100)
    after = program.figures()
    assert after["epoch"] > before["epoch"]
    assert after["requests"] < before["requests"] or after["requests"] < 10
    first = program.ask({"do": "counters"})["epoch"]
    program.kill()
    program.start()
    again = program.ask({"do": "counters"})
    assert (again["epoch"] > first, again["visitors"]) == (True, {})


def is_quiet(door: Door) -> bool:
    asked = len(door.requests)
    time.sleep(0.3)
    return len(door.requests) == asked


def test_who_is_not_in_the_orders_stops(program, door):
    program.apply(rate=100)
    program.wait_for("answers", lambda seen: seen["requests"] > 5)
    program.apply(key="default/default/others", rate=0)
    wait_until("nobody to ask any more", lambda: is_quiet(door))
    assert list(program.ask({"do": "counters"})["visitors"]) == ["default/default/others"]


def test_another_object_of_the_same_name_counts_anew(program, door):
    program.apply(rate=100, uid="one")
    before = program.wait_for("answers", lambda seen: seen["requests"] > 10)
    program.apply(rate=50, uid="one")
    assert program.wait_for("more", lambda seen: seen["requests"] > 20)["epoch"] == before["epoch"]
    program.apply(rate=0, uid="two")
    seen = program.wait_for("its figures", lambda seen: seen["epoch"] != before["epoch"])
    assert (seen["requests"], seen["rate"]) == (0, 0)


def test_an_order_that_cannot_be_read_is_refused_in_words_and_harms_nobody(program):
    program.apply(rate=50)
    for order in ("nonsense", "[]", '{"do": "dance"}', '{"do": "apply", "visitors": 1}'):
        assert program.ask(order)["error"]
    program.wait_for("answers", lambda seen: seen["requests"] > 5)


def test_it_ends_when_it_is_asked_to(program):
    program.apply(rate=50)
    assert program.stop() == 0
