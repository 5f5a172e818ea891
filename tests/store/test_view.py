"""A process's view of a cluster: as fresh as the log, however it learnt of it."""

import gc
import weakref
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lab import store
from lab.models import Revision
from lab.store import View
from lab.store.view import head_of

from .writes import write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cluster() -> str:
    store.create_cluster("view")
    return "view"


def read_anew(cluster: str) -> View:
    """A view that knows only what the database says, change by change."""
    row = head_of(cluster)
    other = View(row)
    while other.revision < row.revision:
        other._read_some()
    return other


def test_what_a_process_has_written_itself_is_what_it_would_have_read(cluster):
    state = store.view(cluster)
    store.append(cluster, [write("a", x=1), write("b")], "me", cause=7)
    store.append(cluster, [write("a", 1, x=2), write("c")], "you")
    store.append(cluster, [write("b", 2, deleted=True)], "me")
    assert state.revision == 5
    other = read_anew(cluster)
    assert state.changes_since(0) == other.changes_since(0)
    assert sorted(state, key=str) == sorted(other, key=str)
    assert state.resources() == other.resources() == ["pods"]


def test_and_it_does_not_read_it(cluster):
    store.append(cluster, [write("a")], "me")
    with CaptureQueriesContext(connection) as asked:
        store.append(cluster, [write("b")], "me")
    assert [q["sql"].partition(":")[2][:7] for q in asked if Revision._meta.db_table in q["sql"]] == [" INSERT"]


def test_what_others_have_written_meanwhile_is_read(cluster):
    state = store.view(cluster)
    store.append(cluster, [write("a")], "me")
    state.take(0, [])  # comes late: the view is past that already
    state.take(7, [(8, "pods", "default", "z", b"{}", True, False, 0.0, "me", 0)])  # and this one is too early
    assert state.revision == 1
    assert state.get("pods", "default", "z") is None


def test_the_views_of_many_clusters_share_what_they_remember(cluster, monkeypatch):
    module = import_module("lab.store.view")  # by its name: in the package that is the function
    monkeypatch.setattr(module, "_views", {})
    monkeypatch.setattr(module, "FEWEST_CHANGES", 2)
    monkeypatch.setattr(module, "CHANGES_OF_ALL", 10)
    state = store.view(cluster)
    store.append(cluster, [write(f"a{number}") for number in range(12)], "me")
    assert len(state.changes_since(2)) == 10
    assert state.changes_since(1) is None
    store.create_cluster("another")
    store.view("another")
    store.append(cluster, [write("last")], "me")
    assert [change.name for change in state.changes_since(8)] == ["a8", "a9", "a10", "a11", "last"]
    assert state.changes_since(7) is None
    assert len(state.list("pods")) == 13


def test_the_view_of_a_cluster_that_is_gone_is_let_go(cluster):
    store.append(cluster, [write("a")], "me")
    state = weakref.ref(store.view(cluster))
    store.delete_cluster(cluster)
    with pytest.raises(store.UnknownCluster):
        store.view(cluster)
    gc.collect()
    assert state() is None


def test_what_is_known_of_a_cluster_goes_when_it_has_gone_and_another_is_made(cluster):
    """Nobody asks for it any more: its board is closed."""
    gone = weakref.ref(store.view(cluster))
    store.create_cluster("stays")
    stays = store.view("stays")
    store.delete_cluster(cluster)
    store.create_cluster("new")
    store.view("new")
    gc.collect()
    assert gone() is None and store.view("stays") is stays


def test_two_threads_may_forget_a_cluster_at_once(cluster, monkeypatch):
    class Crowded(dict):
        def keys(self):
            """Those that were there: between this and the next step another thread forgets one."""
            names = set(super().keys())
            self.pop(cluster, None)
            return names

    store.view(cluster)
    store.delete_cluster(cluster)
    module = import_module("lab.store.view")
    monkeypatch.setattr(module, "_views", Crowded(module._views))
    store.create_cluster("new")
    assert store.view("new").name == "new"
