from lab.kubelet.hearsay import Hearsay
from lab.runtime import RuntimeEvent

from .build import exited, running, sandbox


def died(container: str = "web-0", code: int | None = 137) -> RuntimeEvent:
    return RuntimeEvent("died", "0a1b", container, code, 1020.5)


def test_a_death_that_was_told_of_counts_though_the_list_still_says_running():
    hearsay = Hearsay()
    assert hearsay.note(died())
    found = hearsay.applied_to(sandbox(running())).containers[0]
    assert (found.state, found.exit_code, found.finished_at, found.oom_killed) == ("exited", 137, 1020.5, False)


def test_a_death_whose_exit_code_is_not_told_must_be_asked_for():
    hearsay = Hearsay()
    assert not hearsay.note(died(code=None))
    box = sandbox(running())
    assert hearsay.applied_to(box) is box


def test_memory_that_ran_out_is_the_reason_of_the_death_after_it():
    hearsay = Hearsay()
    assert hearsay.note(RuntimeEvent("oom", "0a1b", "web-0"))
    assert hearsay.applied_to(sandbox(running())).containers[0].state == "running"
    hearsay.note(died())
    assert hearsay.applied_to(sandbox(running())).containers[0].oom_killed


def test_what_the_engine_itself_says_of_an_end_is_not_changed():
    hearsay = Hearsay()
    hearsay.note(died(code=1))
    box = sandbox(exited(code=2))
    assert hearsay.applied_to(box) is box


def test_other_containers_of_the_pod_are_not_touched():
    hearsay = Hearsay()
    hearsay.note(died("b-0"))
    assert [c.state for c in hearsay.applied_to(sandbox(running("a"), running("b"))).containers] == [
        "running",
        "exited",
    ]


def test_a_sandbox_that_died_is_not_ready():
    hearsay = Hearsay()
    assert hearsay.note(RuntimeEvent("sandbox-died", "0a1b", "box"))
    assert not hearsay.applied_to(sandbox(running())).ready


def test_a_death_told_of_before_its_start_was_is_kept_for_it():
    hearsay = Hearsay()
    hearsay.note(died("web-1"))
    hearsay.applied_to(sandbox(exited()))
    found = hearsay.applied_to(sandbox(running(attempt=1), exited()))
    assert [container.state for container in found.containers] == ["exited", "exited"]


def test_what_was_said_of_something_that_is_no_more_is_forgotten():
    hearsay = Hearsay()
    hearsay.note(died("web-0"))
    hearsay.note(died("web-1"))
    hearsay.keep_only({"box", "web-1"})
    found = hearsay.applied_to(sandbox(running(attempt=1), running(attempt=0)))
    assert [container.state for container in found.containers] == ["exited", "running"]
