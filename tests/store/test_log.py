"""The revision log: ordered, compare-and-swap, all or nothing."""

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lab import store
from lab.models import Cluster, Cursor, Revision
from lab.store import View, Write

from .writes import a_pod, write


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


def test_a_guard_is_asked_of_the_state_that_the_write_would_follow(cluster):
    def is_first(view: View) -> bool:
        return not view.list("pods")

    first, second = (Write("pods", "default", name, a_pod(name), 0, guard=is_first) for name in "ab")
    store.append(cluster, [first], "me")
    with pytest.raises(store.Conflict):
        store.append(cluster, [second], "me")


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


def test_the_mark_of_compaction_never_goes_back(cluster, monkeypatch):
    """Of two workers that compact at once, the one that looked first comes last."""
    for number in range(10):
        store.append(cluster, [write(f"pod-{number}")], "me")
    seen_by_the_slow_one = Cluster.objects.get(name=cluster)
    for number in range(10):
        store.append(cluster, [write(f"more-{number}")], "me")
    store.compact(cluster, keep=5)
    monkeypatch.setattr(Cluster.objects, "get", lambda name: seen_by_the_slow_one)
    store.compact(cluster, keep=5)
    with pytest.raises(store.Compacted) as refused:
        store.changes(cluster, 10)
    assert refused.value.oldest == 15


def test_history_that_is_compacted_while_it_is_read_is_no_silence(cluster, monkeypatch):
    for revision in range(6):
        store.append(cluster, [write("busy", revision, at=revision)], "me")
    read = store.log._objects_at

    def compacted_meanwhile(*args):
        store.compact(cluster, keep=1)
        return read(*args)

    monkeypatch.setattr(store.log, "_objects_at", compacted_meanwhile)
    with pytest.raises(store.Compacted):
        store.changes(cluster, 2)


def test_a_view_that_compaction_has_left_behind_reads_everything_anew(cluster):
    """The news of a deletion is compacted away too: who does not notice keeps the object for ever."""
    store.append(cluster, [write("kept"), write("gone"), write("busy")], "me")
    other_process = View(Cluster.objects.get(name=cluster))
    other_process.read_to(3)
    assert other_process.get("pods", "default", "gone")
    store.append(cluster, [write("gone", 2, deleted=True)], "me")
    for revision in (3, 5, 6, 7):
        head = store.append(cluster, [write("busy", revision, at=revision)], "me")
    store.compact(cluster, keep=2)
    other_process.read_to(head)
    assert other_process.get("pods", "default", "gone") is None
    assert sorted(pod["metadata"]["name"] for pod in other_process.list("pods")) == ["busy", "kept"]
    assert other_process.changes_since(3) is None
    assert other_process.revision == head


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
