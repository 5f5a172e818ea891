"""From what data planes count to figures, and what is said of pods that are about to end. Pure."""

from lab.proxy.drains import Drain, verdict
from lab.proxy.traffic import Tally


def told(requests: int, errors: int = 0, in_flight: int = 0, total: int = 0, server: str = "a") -> dict:
    one = {"requests": requests, "errors": errors, "inFlight": in_flight, "totalMs": total}
    return {"west": {"default/web:http": {server: one}}}


def figures(tally: Tally, server: str = "a") -> dict:
    return tally.figures("west")["default/web:http"]["servers"][server]


def test_rates_are_those_of_the_last_seconds():
    tally = Tally()
    for second in range(30):
        asked = 10 * second if second < 20 else 190
        tally.take({"host": told(asked, errors=asked // 10)})
        tally.note(float(second), {"west"})
        if second == 19:
            assert (figures(tally)["rate"], figures(tally)["errorRate"]) == (10.0, 0.1)
    assert (figures(tally)["rate"], figures(tally)["requests"]) == (0.0, 190)


def test_how_many_were_not_reached_is_told_of_the_last_seconds_too():
    tally = Tally()
    for second, unreached in enumerate((0, 5, 10)):
        plane = told(5 * second, errors=unreached)
        plane["west"]["default/web:http"]["a"]["unreached"] = unreached
        tally.take({"host": plane})
        tally.note(float(second), {"west"})
    assert (figures(tally)["unreached"], figures(tally)["unreachedRate"]) == (10, 1.0)


def test_counts_of_several_data_planes_are_added_and_never_go_back():
    tally = Tally()
    tally.take({"host": told(100, total=1000), "west/gateway": told(300, total=9000)})
    tally.note(1.0, {"west"})
    assert (figures(tally)["requests"], figures(tally)["totalMs"]) == (400, 10_000)
    # The one was started anew, and counts from zero.
    tally.take({"host": told(5, total=25), "west/gateway": told(300, total=9000)})
    tally.note(2.0, {"west"})
    assert (figures(tally)["requests"], figures(tally)["totalMs"]) == (405, 10_025)


def test_the_mean_is_that_of_answers_of_the_last_seconds_and_stays_while_there_are_none():
    tally = Tally()
    for second, now in enumerate((told(100, total=9000), told(110, total=9050), told(110, total=9050))):
        tally.take({"host": now})
        tally.note(float(second), {"west"})
    assert figures(tally)["meanMs"] == 5.0
    for second in range(3, 20):
        tally.take({"host": told(114, in_flight=4, total=9050)})  # they wait, nobody knows for how long
        tally.note(float(second), {"west"})
    assert figures(tally)["meanMs"] == 5.0
    tally.take({"host": told(114, total=17_050)})
    tally.note(20.0, {"west"})
    assert figures(tally)["meanMs"] == 2000.0


def test_a_data_plane_that_is_gone_has_nothing_in_flight():
    tally = Tally()
    tally.take({"host": told(10), "west/gateway": told(300, in_flight=3)})
    tally.note(1.0, {"west"})
    tally.take({"host": told(12)})
    tally.note(2.0, {"west"})
    assert (figures(tally)["inFlight"], figures(tally)["requests"], figures(tally)["rate"]) == (0, 12, 0.0)


def test_while_nobody_can_say_there_is_no_rate_of_zero_and_afterwards_none_of_a_whole_silence_at_once():
    tally = Tally()
    for second in range(30):
        silent = 10 <= second < 20
        tally.take({"host": told(10 * (10 if silent else second))})
        tally.note(float(second), set() if silent else {"west"})
        if second:
            assert figures(tally)["rate"] == 10.0


def test_a_server_that_no_data_plane_tells_of_is_forgotten():
    tally = Tally()
    tally.take({"host": told(1)})
    tally.note(1.0, {"west"})
    tally.take({"host": told(1, server="b")})
    tally.note(2.0, {"west"})
    assert list(tally.figures("west")["default/web:http"]["servers"]) == ["b"]


def said(state: tuple[bool, int] | None, seconds: float, told: bool = False) -> tuple[str, str] | None:
    found = verdict(Drain("west", "default", "web-1", "u", since=100.0, told=told), state, 100.0 + seconds)
    return found and (found.status, found.reason)


def test_a_pod_is_drained_once_it_is_out_of_every_data_plane_and_nothing_is_in_flight():
    assert said((True, 0), 0.01) == ("True", "NoRequests")
    assert said((False, 0), 1.0) is None
    assert said((True, 2), 0.1) is None


def test_a_drain_that_takes_longer_says_so_once_and_not_for_ever():
    assert said((True, 2), 1.0) == ("False", "Draining")
    assert said((True, 2), 1.0, told=True) is None
    assert said((True, 2), 5.1) == said((False, 0), 5.1) == ("True", "TimedOut")


def test_a_data_plane_that_is_away_is_not_waited_for_longer_than_it_takes_to_come_back():
    assert said(None, 1.0) is None
    assert said(None, 2.1) == ("True", "ProxyUnreachable")
