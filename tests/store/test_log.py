"""The revision log: ordered, compare-and-swap, all or nothing."""

import threading

import pytest
from django.db import connection, connections
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lab import store
from lab.models import Cursor, Revision
from lab.store import Write


def a_pod(name: str, **fields) -> dict:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": {}, **fields}


def write(name: str, expected: int = 0, deleted: bool = False, **fields) -> Write:
    return Write("pods", "default", name, a_pod(name, **fields), expected, deleted)


@pytest.fixture
def cluster(db) -> str:
    store.create_cluster("log")
    return "log"


def test_it_numbers_a_batch_in_the_order_given(cluster):
    assert store.append(cluster, [write("a"), write("b")], "me") == 2
    assert [(c.revision, c.name) for c in store.changes(cluster, 0)] == [(1, "a"), (2, "b")]


def test_it_says_who_wrote_and_because_of_what(cluster):
    store.append(cluster, [write("a")], "kubectl")
    store.append(cluster, [write("a", 1, x=2)], "scheduler", cause=1)
    assert [(row["author"], row["cause"]) for row in store.history(cluster, "pods", "default", "a")] == [
        ("scheduler", 1),
        ("kubectl", 0),
    ]


def test_it_keeps_the_decision_beside_the_write(cluster):
    store.append(cluster, [Write("pods", "default", "a", a_pod("a"), 0, why={"chosen": "worker-1"})], "scheduler")
    assert store.history(cluster, "pods", "default", "a")[0]["why"] == {"chosen": "worker-1"}


def test_it_refuses_a_write_that_expects_another_revision(cluster):
    store.append(cluster, [write("a")], "me")
    with pytest.raises(store.Conflict) as refused:
        store.append(cluster, [write("a", expected=0)], "me")
    assert refused.value.current == 1


def test_it_writes_nothing_of_a_batch_with_one_conflict(cluster):
    store.append(cluster, [write("a")], "me")
    with pytest.raises(store.Conflict):
        store.append(cluster, [write("b"), write("a", expected=7)], "me")
    assert store.view(cluster).get("pods", "default", "b") is None
    assert store.view(cluster).revision == 1


def test_a_deleted_key_can_be_made_anew(cluster):
    store.append(cluster, [write("a")], "me")
    store.append(cluster, [write("a", 1, deleted=True)], "me")
    assert store.view(cluster).get("pods", "default", "a") is None
    store.append(cluster, [write("a", 0)], "me")
    assert store.view(cluster).get("pods", "default", "a")["metadata"]["resourceVersion"] == "3"


def test_a_change_carries_the_object_before(cluster):
    store.append(cluster, [write("a", x=1)], "me")
    store.append(cluster, [write("a", 1, x=2)], "me")
    change = store.changes(cluster, 1)[0]
    assert (change.old["x"], change.object["x"]) == (1, 2)
    assert store.view(cluster).changes_since(1)[0].old["x"] == 1


def test_compaction_keeps_the_current_state_and_refuses_older_history(cluster):
    store.append(cluster, [write("kept"), write("gone"), write("busy")], "me")
    store.append(cluster, [write("gone", 2, deleted=True)], "me")
    for revision in (3, 5, 6, 7):
        store.append(cluster, [write("busy", revision, at=revision)], "me")
    store.compact(cluster, keep=2)
    with pytest.raises(store.Compacted) as refused:
        store.changes(cluster, 1)
    assert refused.value.oldest == 6
    assert [c.revision for c in store.changes(cluster, 6)] == [7, 8]
    assert sorted(Revision.objects.values_list("revision", flat=True)) == [1, 6, 7, 8]


def test_two_clusters_in_one_database_number_for_themselves(cluster):
    store.create_cluster("other")
    store.append(cluster, [write("a")], "me")
    assert store.append("other", [write("a")], "me") == 1


def test_a_writer_that_lost_its_hold_is_refused(cluster):
    Cursor.objects.create(name="x/replicaset", holder="somebody else")
    with pytest.raises(store.LostFence):
        store.append(cluster, [write("a")], "me", fence=store.Fence("x/replicaset", "me"))
    assert store.view(cluster).revision == 0


def test_an_unknown_cluster_is_named(db):
    with pytest.raises(store.UnknownCluster, match="nowhere"):
        store.view("nowhere")


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_no_gap_and_lose_nothing():
    store.create_cluster("race")
    failures = []

    def work(who: int) -> None:
        try:
            for i in range(20):
                store.append("race", [write(f"{who}-{i}")], f"writer-{who}")
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [c.revision for c in store.changes("race", 0, 1000)] == list(range(1, 81))
    assert len(store.view("race").list("pods")) == 80


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_that_expect_the_same_revision_one_wins():
    store.create_cluster("duel")
    store.append("duel", [write("a")], "me")
    ready, outcomes = threading.Barrier(2), []

    def work(who: str) -> None:
        ready.wait()
        try:
            outcomes.append(store.append("duel", [write("a", 1, by=who)], who))
        except store.Conflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(who,)) for who in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["2", "conflict"]


names = st.sampled_from(["a", "b", "c"])
steps = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "stale", "compact"]), names, st.integers(0, 99)), max_size=30
)


class TheLogAgainstASimpleModel(TestCase):
    """Whatever is written, the view, the log read from the start and a plain dict agree."""

    @settings(max_examples=40, deadline=None)
    @given(steps=steps)
    def test_they_agree(self, steps):
        store.create_cluster("model")
        model: dict[str, tuple[int, int]] = {}
        head = 0
        for verb, name, value in steps:
            expected = model.get(name, (0, 0))[0]
            if verb == "stale":
                with pytest.raises(store.Conflict):
                    store.append("model", [write(name, expected + 1000)], "me")
            elif verb == "compact":
                store.compact("model", keep=3)
            elif verb == "put":
                head = store.append("model", [write(name, expected, value=value)], "me")
                model[name] = (head, value)
            elif name in model:
                head = store.append("model", [write(name, expected, deleted=True)], "me")
                del model[name]
        state = {o["metadata"]["name"]: o["value"] for o in store.view("model").list("pods")}
        assert state == {name: value for name, (_, value) in model.items()}
        assert store.view("model").revision == head


def test_the_guard_against_two_successors_is_in_the_database_too(cluster):
    """Compare-and-swap does not rest on our own code alone."""
    store.append(cluster, [write("a")], "me")
    store.append(cluster, [write("a", 1)], "me")
    with connection.cursor() as cursor, pytest.raises(Exception, match="(?i)unique"):
        cursor.execute('UPDATE "lab_revision" SET previous = 1 WHERE revision = 1')
