"""The revision log: ordered, compare-and-swap, all or nothing."""

import orjson
import pytest
from django.db import connection

from lab import store
from lab.models import Cluster, Cursor, Requeue, Revision
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


def test_it_says_of_one_revision_who_wrote_it_of_what_and_because_of_which(cluster):
    store.append(cluster, [write("a"), write("b")], "kubectl", cause=7)
    row = store.row_at(cluster, 2)
    assert (row["name"], row["author"], row["cause"], row["created"], row["deleted"]) == (
        "b",
        "kubectl",
        7,
        True,
        False,
    )
    assert store.row_at(cluster, 3) is None


def test_it_says_what_came_of_a_revision(cluster):
    store.append(cluster, [write("a"), Write("pods", "default", "b", a_pod("b"), 0, cause=1)], "kubectl", cause=7)
    assert store.effects(cluster, [1, 7], 10) == [(1, 7, "pods"), (2, 1, "pods")]
    assert store.effects(cluster, [1, 7], 1) == [(1, 7, "pods")]
    assert store.effects(cluster, [0], 10) == []


def test_the_lineage_of_a_revision_goes_back_as_far_as_causes_are_kept(cluster):
    for name, cause in (("a", 0), ("b", 1), ("c", 2), ("d", 99)):
        store.append(cluster, [write(name)], "me", cause=cause)
    assert (store.lineage(cluster, 3, 9), store.lineage(cluster, 3, 2)) == ([3, 2, 1], [3, 2])
    assert (store.lineage(cluster, 4, 9), store.lineage(cluster, 0, 9)) == ([4], [])


def test_the_history_of_a_key_is_its_newest_rows(cluster):
    store.append(cluster, [write("other"), write("a")], "me")
    for revision in (2, 3, 4):
        store.append(cluster, [write("a", revision)], "me")
    assert [row["revision"] for row in store.history(cluster, "pods", "default", "a", limit=2)] == [5, 4]


def test_the_beginning_of_a_key_is_the_first_rows_of_its_newest_object(cluster):
    for change in (write("a"), write("a", 1, deleted=True), write("a"), write("a", 3), write("a", 4)):
        store.append(cluster, [change], "me")

    def beginning(limit: int, until: int | None = None) -> list[int]:
        return [row["revision"] for row in store.beginning(cluster, "pods", "default", "a", limit, until)]

    assert (beginning(2), beginning(9)) == ([3, 4], [3, 4, 5])
    assert (beginning(9, until=4), beginning(9, until=2), beginning(9, until=0)) == ([3, 4], [1, 2], [])


def test_an_object_is_stored_without_the_revision_it_was_read_at(cluster):
    store.append(cluster, [write("a")], "me")
    read = store.view(cluster).get("pods", "default", "a")
    store.append(cluster, [Write("pods", "default", "a", read, 1)], "me")
    assert orjson.loads(Revision.objects.get(revision=2).object)["metadata"] == a_pod("a")["metadata"]
    assert store.view(cluster).get("pods", "default", "a")["metadata"]["resourceVersion"] == "2"


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


def test_a_check_sees_the_state_that_the_batch_would_follow_and_may_refuse_it(cluster):
    def is_full(view: View) -> None:
        if view.list("pods"):
            raise ValueError("no more room")

    store.append(cluster, [write("a")], "me", check=is_full)
    with pytest.raises(ValueError, match="no more room"):
        store.append(cluster, [write("b")], "me", check=is_full)
    assert store.view(cluster).revision == 1


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


def test_of_a_strangers_cluster_less_is_kept(cluster, monkeypatch):
    monkeypatch.setattr("lab.store.compaction.KEEP_OF_STRANGERS", 2)
    store.append(cluster, [write("busy")], "me")
    for revision in range(1, 6):
        store.append(cluster, [write("busy", revision, at=revision)], "me")
    assert store.compact(cluster) == 0
    Cluster.objects.filter(name=cluster).update(guard="orrery/*")
    assert store.compact(cluster) == 3


def test_compaction_goes_in_pieces_and_leaves_the_same_state_after_each(cluster, monkeypatch):
    monkeypatch.setattr("lab.store.compaction.ROWS_A_PIECE", 1)
    store.append(cluster, [write("gone"), write("busy"), write("kept")], "me")
    store.append(cluster, [write("gone", 1, deleted=True), write("busy", 2)], "me")
    store.append(cluster, [write("busy", 5), write("more")], "me")
    seen = []

    def look(execute, sql, *rest):
        result = execute(sql, *rest)
        if sql.startswith("DELETE"):
            view = View(Cluster.objects.get(name=cluster))
            view.read_to(7)
            seen.append(sorted(obj["metadata"]["name"] for obj in view.list("pods")))
        return result

    with connection.execute_wrapper(look):
        assert store.compact(cluster, keep=1) == 4
    assert seen == [["busy", "kept", "more"]] * 4


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
    read = store.past._objects_at

    def compacted_meanwhile(*args):
        store.compact(cluster, keep=1)
        return read(*args)

    monkeypatch.setattr(store.past, "_objects_at", compacted_meanwhile)
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


def test_the_clusters_are_named_in_the_order_in_which_they_were_made(cluster):
    assert store.create_cluster("first by the alphabet") and not store.create_cluster(cluster)
    assert store.cluster_names() == [cluster, "first by the alphabet"]


def test_with_a_cluster_go_its_log_its_cursors_and_what_was_put_off_and_nothing_of_another(cluster):
    store.create_cluster("other")
    for row in Cluster.objects.all():
        store.append(row.name, [write("a")], "me")
        Cursor.objects.create(name=f"{row.uid}/replicaset")
        Requeue.objects.create(cluster=row, controller="replicaset", key="default/a", due=0, queued=0)
    store.delete_cluster(cluster)
    assert store.cluster_names() == ["other"]
    uid = Cluster.objects.get().uid
    assert list(Cursor.objects.values_list("name", flat=True)) == [f"{uid}/replicaset"]
    assert (Revision.objects.count(), Requeue.objects.count()) == (1, 1)


def test_a_writer_that_lost_its_hold_is_refused(cluster):
    Cursor.objects.create(name="x/replicaset", holder="somebody else")
    with pytest.raises(store.LostFence):
        store.append(cluster, [write("a")], "me", fence=store.Fence("x/replicaset", "me", 5.0))
    assert store.view(cluster).revision == 0


def test_an_unknown_cluster_is_named(db):
    for ask in (store.view, store.delete_cluster, lambda name: store.changes(name, 0)):
        with pytest.raises(store.UnknownCluster, match="nowhere"):
            ask("nowhere")


def test_the_guard_against_two_successors_is_in_the_database_too(cluster):
    """Compare-and-swap does not rest on our own code alone."""
    store.append(cluster, [write("a")], "me")
    store.append(cluster, [write("a", 1)], "me")
    with connection.cursor() as cursor, pytest.raises(Exception, match="(?i)unique"):
        cursor.execute('UPDATE "lab_revision" SET previous = 1 WHERE revision = 1')
