"""What an engine says while it happens, and what it says first: look at everything."""

from tests.labs import wait_until


def kinds(heard, uid: str) -> list[str]:
    return [event.kind for event in heard.of(uid)]


def test_the_first_event_is_to_relist(heard):
    assert heard.events[0].kind == "relist"


def test_a_containers_life_is_told_in_order_with_how_it_ended(bench, heard):
    pod = bench.home
    container = bench.container(pod, "exit 5")
    died = heard.wait_for("its death", lambda event: event.kind == "died" and event.container_id == container)
    assert (died.uid, died.exit_code) == (pod[0].uid, 5)
    assert abs(died.at - bench.ended(container).finished_at) < 1
    bench.runtime.remove_container(container)
    heard.wait_for("its removal", lambda event: event.kind == "removed" and event.container_id == container)
    told = [event.kind for event in heard.of(pod[0].uid) if event.container_id == container]
    assert told == ["started", "died", "removed"]


def test_memory_that_ran_out_is_told_before_the_death(bench, heard):
    # It waits: an engine that has much to do needs a moment to listen for it.
    eat = "python3 -c 'import time; time.sleep(3); x = b\"x\" * (200 << 20); time.sleep(30)'"
    container = bench.run(eat, memory_limit_bytes=64 << 20)
    heard.wait_for("its death", lambda event: event.kind == "died" and event.container_id == container, 15)
    told = [event.kind for event in heard.events if event.container_id == container]
    assert told.index("oom") < told.index("died")


def test_the_end_of_a_sandbox_is_told_as_its_own(bench, heard):
    pod = bench.pod()
    bench.runtime.stop_pod_sandbox(pod[1])
    heard.wait_for("its end", lambda event: event.kind == "sandbox-died" and event.container_id == pod[1])
    bench.runtime.remove_pod_sandbox(pod[1])
    assert "died" not in kinds(heard, pod[0].uid)


def test_none_of_many_deaths_is_lost(bench, heard):
    pod = bench.home
    ended = [bench.container(pod, f"exit {number}", name=f"c{number}") for number in range(8)]
    died = lambda: {e.container_id: e.exit_code for e in heard.events if e.kind == "died"}  # noqa: E731
    wait_until("eight deaths", lambda: set(ended) <= died().keys(), 10)
    assert [died()[container] for container in ended] == list(range(8))


def test_listening_ends_when_it_is_told_to(heard):
    assert heard.stop()
