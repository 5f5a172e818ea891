"""The bank's promises: the same routes in both shapes, faults that stay where they belong, one id through all logs."""

import signal
import threading
import time

import pytest

from ..labs import wait_until

ROUTES = ("/", "/accounts", "/accounts/anna", "/loans", "/payments")


@pytest.fixture(params=["monolith", "services"])
def front(request):
    """What a visitor sees of the bank, in either shape."""
    found = request.getfixturevalue(request.param)
    return found if request.param == "monolith" else found["ui"]


def cents(front, name: str) -> int:
    return front.ask(f"/accounts/{name}")[1]["cents"]


def test_it_answers_the_same_routes_in_both_shapes(front):
    assert {route: front.ask(route)[0] for route in ROUTES} == dict.fromkeys(ROUTES, 200)
    page = front.ask("/")[1]
    assert "Anna Berg" in page and "a bicycle" in page and "away" not in page.partition("</style>")[2]
    assert front.ask("/nothing")[0] == 404 and front.ask("/accounts/nobody")[0] == 404


def test_a_payment_moves_money_once(front):
    before = cents(front, "anna"), cents(front, "ben")
    wanted = {"from": "anna", "to": "ben", "amount": "12.50", "id": "once"}
    assert [front.ask("/payments", wanted)[0] for _ in range(2)] == [201, 201]
    assert (cents(front, "anna"), cents(front, "ben")) == (before[0] - 1250, before[1] + 1250)
    assert [payment["cents"] for payment in front.ask("/payments")[1]] == [1250]


@pytest.mark.parametrize(
    "wanted, status",
    [
        ({"from": "dora", "to": "ben", "amount": 99_999}, 409),
        ({"from": "dora", "to": "nobody", "amount": 1}, 404),
        ({"from": "dora", "to": "ben", "amount": "much"}, 400),
        ({"from": "dora", "to": "ben", "amount": -1}, 400),
        ({"from": "dora", "to": "ben", "amount": "nan"}, 400),
        (["no object"], 400),
    ],
)
def test_a_payment_that_cannot_be_made_moves_nothing(monolith, wanted, status):
    before = monolith.ask("/accounts")[1]
    assert monolith.ask("/payments", wanted)[0] == status
    assert monolith.ask("/accounts")[1] == before


def test_a_transfer_without_an_id_is_refused_or_the_next_one_would_be_taken_for_it(monolith):
    before = monolith.ask("/accounts")[1]
    for wanted in ({"cents": 100}, {"id": "a"}, {"id": "a", "cents": "100"}, {"id": "a", "cents": -100}):
        assert monolith.ask("/accounts/transfers", {"from": "anna", "to": "ben", **wanted})[0] == 400
    assert monolith.ask("/accounts")[1] == before


def test_many_payments_at_once_lose_no_penny(services):
    before = cents(services["ui"], "anna") + cents(services["ui"], "chen")

    def pay(payer: str, payee: str) -> None:
        for _ in range(5):
            services["ui"].ask("/payments", {"from": payer, "to": payee, "amount": 1})

    pairs = [("anna", "chen"), ("chen", "anna")] * 2
    threads = [threading.Thread(target=pay, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cents(services["ui"], "anna") + cents(services["ui"], "chen") == before


def test_a_crash_of_loans_takes_the_whole_monolith_with_it(monolith):
    monolith.switch("part=loans&crash")
    assert monolith.ask("/accounts")[0] == 200
    monolith.ask("/loans")
    assert monolith.process.wait(10) == 1
    assert [monolith.ask(route)[0] for route in ROUTES] == [0] * len(ROUTES)


def test_a_crash_of_loans_takes_only_loans_of_the_services(services):
    ui = services["ui"]
    assert ui.switch("part=loans&crash")["pod"] == "loans-pod"
    assert ui.ask("/loans")[0] == 503
    assert services["loans"].process.wait(10) == 1
    assert ui.ask("/accounts")[0] == 200
    assert "loans is away" in ui.ask("/")[1] and "Anna Berg" in ui.ask("/")[1]
    assert ui.ask("/accounts/anna")[1]["missing"] == "loans is away"
    assert ui.ask("/payments", {"from": "anna", "to": "ben", "amount": 1})[0] == 201


def test_one_id_is_in_the_logs_of_all_that_worked_on_a_request(services):
    services["ui"].ask("/accounts/anna", **{"X-Request-Id": "follow-me"})
    for part in ("ui", "accounts", "loans", "storage"):
        lines = [line for line in services[part].log() if line.get("request_id") == "follow-me"]
        assert lines, f"{part} has lost it"
        assert all(line["service"] == part and line["pod"] == f"{part}-pod" and "ms" in line for line in lines)
    assert not [line for line in services["payments"].log() if line.get("request_id") == "follow-me"]


def test_slow_loans_make_accounts_slow_until_the_breaker_opens(services):
    accounts = services["accounts"]
    services["loans"].switch("slow=600")

    def seconds() -> float:
        begun = time.monotonic()
        assert accounts.ask("/accounts/anna")[0] == 200
        return time.monotonic() - begun

    assert seconds() > 0.6
    services["ui"].ask("/breaker?part=accounts&on", method="POST")
    assert [seconds() > 0.6 for _ in range(3)] == [True] * 3
    told = accounts.ask("/breaker")[1]
    assert told["on"] and told["towards"]["loans"]["state"] == "open"
    assert accounts.ask("/accounts/anna")[1]["missing"] == "loans is away"
    assert any("circuit breaker towards loans is open" in line.get("message", "") for line in accounts.log())


def test_the_slow_part_of_a_monolith_takes_the_workers_of_all(tmp_path, monolith):
    monolith.switch("part=loans&slow=3000")
    for _ in range(8):
        threading.Thread(target=monolith.ask, args=("/loans",), daemon=True).start()
    wait_until("all workers to be busy", lambda: _takes(monolith, "/accounts") > 0.5, step=0)
    assert _takes(monolith, "/healthz") < 1.0


def _takes(program, path: str) -> float:
    begun = time.monotonic()
    program.ask(path)
    return time.monotonic() - begun


def test_a_leak_grows_with_every_request(monolith):
    monolith.switch("part=loans&leak")
    for _ in range(3):
        monolith.ask("/loans")
    assert monolith.ask("/faults")[1]["leakedBytes"] == 3 * (4 << 20)
    monolith.switch("clear")
    assert monolith.ask("/faults")[1] == {**monolith.ask("/faults")[1], "faults": {}, "leakedBytes": 0}


def test_an_error_is_one_and_goes_again(monolith):
    monolith.switch("part=loans&error")
    assert monolith.ask("/loans")[0] == 500 and monolith.ask("/accounts")[0] == 200
    monolith.switch("part=loans&error=off")
    assert monolith.ask("/loans")[0] == 200


def test_never_ready_is_alive_and_gets_nobody(monolith):
    monolith.switch("never-ready")
    assert (monolith.ask("/readyz")[0], monolith.ask("/healthz")[0]) == (503, 200)


def test_a_fault_that_is_none_is_refused(monolith):
    assert monolith.ask("/faults?part=loans&explode", method="POST")[0] == 400
    assert monolith.ask("/faults?part=loans&slow=very", method="POST")[0] == 400
    assert monolith.ask("/faults?part=lawns&error", method="POST")[0] == 404


def test_it_finishes_what_it_has_when_it_is_asked_to_stop(monolith):
    monolith.switch("part=loans&slow=1000")
    answers: list[int] = []
    visitor = threading.Thread(target=lambda: answers.append(monolith.ask("/loans")[0]))
    visitor.start()
    wait_until("the request to be at work", lambda: _busy(monolith), step=0.02)
    assert monolith.end(signal.SIGTERM) == 0
    visitor.join()
    assert answers == [200]


def _busy(program) -> bool:
    """Whether somebody is connected: a request that has been sent is being worked on."""
    port = f":{int(program.url.rpartition(':')[2]):04X}"
    with open("/proc/net/tcp") as file:
        return any(line.split()[1].endswith(port) and line.split()[3] == "01" for line in file.readlines()[1:])


def test_told_to_begin_anew_it_forgets_and_lets_go_of_whoever_waits(monolith):
    monolith.switch("error")
    monolith.switch("part=loans&slow=20000")
    _, before = monolith.ask("/faults")
    assert before["faults"] == {"every part": {"error": "on"}, "loans": {"slow": "20000"}}
    answers: list[int] = []
    visitor = threading.Thread(target=lambda: answers.append(monolith.ask("/loans")[0]))
    visitor.start()
    wait_until("the request to be at work", lambda: _busy(monolith), step=0.02)
    time.sleep(0.5)  # connected it is, and read in a moment
    monolith.process.send_signal(signal.SIGHUP)
    visitor.join(5)
    assert answers == [500]  # what it had begun goes by the faults of then
    assert monolith.ask("/faults")[1]["faults"] == {} and monolith.ask("/loans")[0] == 200


def test_it_ignores_sigterm_when_it_is_told_to(monolith):
    monolith.switch("ignore-sigterm")
    monolith.process.send_signal(signal.SIGTERM)
    wait_until("it to say so", lambda: any("and does not" in line.get("message", "") for line in monolith.log()))
    assert monolith.ask("/accounts")[0] == 200
