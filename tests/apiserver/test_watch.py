"""Watches: nothing is missed, nothing is told twice, and nobody waits for nothing."""

import time

from lab.apimachinery.kinds import CONFIGMAPS, PODS
from lab.apiserver import feed
from lab.apiserver.views import watches
from lab.client import Client
from lab.store import compact, delete_cluster

from ..labs import wait_until
from .conftest import TABLE, pod

PATH = "/api/v1/namespaces/default/pods"
WATCH_LIST = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def head(api) -> str:
    return api.get(PATH).json["metadata"]["resourceVersion"]


def test_a_watch_from_a_revision_tells_only_what_comes_after(api):
    api.create(PATH, pod("before"))
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}") as watch:
        api.create(PATH, pod("a"))
        api.patch(f"{PATH}/a", {"metadata": {"labels": {"x": "y"}}})
        api.ask("DELETE", f"{PATH}/a")
        assert watch.names(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_a_deletion_carries_its_own_revision(api):
    made = api.create(PATH, pod("a"))["metadata"]["resourceVersion"]
    with api.watch(f"{PATH}?watch=1&resourceVersion={made}") as watch:
        api.ask("DELETE", f"{PATH}/a")
        assert int(watch.next()[1]["metadata"]["resourceVersion"]) > int(made)


def test_a_watch_without_a_revision_begins_with_what_there_is(api):
    api.create(PATH, pod("a"))
    with api.watch(f"{PATH}?watch=1") as watch:
        assert watch.names(1) == [("ADDED", "a")]
        api.create(PATH, pod("b"))
        assert watch.names(1) == [("ADDED", "b")]


def test_a_watch_list_marks_the_end_of_what_there_was(api):
    api.create(PATH, pod("a"))
    with api.watch(f"{PATH}?{WATCH_LIST}") as watch:
        assert watch.names(1) == [("ADDED", "a")]
        kind, mark = watch.next()
        assert (kind, mark["kind"]) == ("BOOKMARK", "Pod")
        assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert mark["metadata"]["resourceVersion"] == head(api)
        api.create(PATH, pod("b"))
        assert watch.names(1) == [("ADDED", "b")]


def test_who_asks_for_bookmarks_is_told_in_quiet_times_how_far_it_is(api, monkeypatch):
    monkeypatch.setattr(watches, "BOOKMARK_SECONDS", 0.2)
    api.create(PATH, pod("a"))
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}&allowWatchBookmarks=true") as watch:
        api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "other"}})
        kind, mark = watch.next()
        assert (kind, mark["kind"], mark["metadata"].get("annotations")) == ("BOOKMARK", "Pod", None)
        newest = head(api)
        wait_until("the newest", lambda: watch.next()[1]["metadata"]["resourceVersion"] == newest)
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}&timeoutSeconds=1") as watch:
        assert watch.answer.read() == b""


def test_a_watch_with_a_selector_sees_a_world_of_matching_objects(api):
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}&labelSelector=app%3Dweb") as watch:
        api.create(PATH, pod("a", app="db"))
        api.patch(f"{PATH}/a", {"metadata": {"labels": {"app": "web"}}})
        api.patch(f"{PATH}/a", {"metadata": {"labels": {"app": "db"}}})
        assert watch.names(2) == [("ADDED", "a"), ("DELETED", "a")]


def test_one_object_can_be_watched(api):
    with api.watch(f"{PATH}/a?watch=1") as watch:
        api.create(PATH, pod("b"))
        api.create(PATH, pod("a"))
        assert watch.names(1) == [("ADDED", "a")]


def test_a_watch_of_tables_names_its_columns_once(api):
    api.create(PATH, pod("a"))
    with api.watch(f"{PATH}?watch=1", Accept=TABLE) as watch:
        first = watch.next()[1]
        assert (first["kind"], first["rows"][0]["cells"][0]) == ("Table", "a")
        assert first["columnDefinitions"]
        api.create(PATH, pod("b"))
        assert watch.next()[1]["columnDefinitions"] == []


def test_a_watch_ends_when_its_time_is_over(api):
    began = time.monotonic()
    with api.watch(f"{PATH}?watch=1&timeoutSeconds=1") as watch:
        assert watch.answer.read() == b""
    assert 0.9 < time.monotonic() - began < 30


def test_a_watch_from_forgotten_history_says_so_in_its_stream(api):
    api.create(PATH, pod("a"))
    api.create(PATH, pod("b"))
    compact("default", keep=0)
    with api.watch(f"{PATH}?watch=1&resourceVersion=1") as watch:
        assert watch.answer.status == 200
        kind, status = watch.next()
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")


def test_a_watch_from_the_future_is_refused(api):
    assert api.get(f"{PATH}?watch=1&resourceVersion=99999").code == 504


def test_a_watch_of_a_cluster_that_goes_ends(api):
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}") as watch:
        delete_cluster("default")
        assert watch.answer.read() == b""


def test_a_watch_outlives_a_look_that_fails(api, monkeypatch):
    """As of a cluster that is deleted, and made anew, while it is read."""
    failures, look = [], feed._news

    def news(*args):
        if len(failures) < 2:
            failures.append(args)
            raise RuntimeError("the log ends before its own head")
        return look(*args)

    monkeypatch.setattr(feed, "RETRY_SECONDS", 0.05)
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}") as watch:
        monkeypatch.setattr(feed, "_news", news)
        api.create(PATH, pod("a"))
        assert watch.names(1) == [("ADDED", "a")] and len(failures) == 2


def test_what_other_parts_of_the_lab_write_is_told_at_once(api):
    client, took = Client("default", "replicaset-controller"), []
    with api.watch(f"{PATH}?watch=1&resourceVersion={head(api)}") as watch:
        for name in "abcdef":
            began = time.monotonic()
            client.create(PODS, {**pod(name), "metadata": {"name": name, "namespace": "default"}})
            assert watch.names(1) == [("ADDED", name)]
            took.append(time.monotonic() - began)
    assert min(took) < 0.5  # without a hint it would take a second, each time


def test_a_watch_resumes_after_more_changes_than_the_feed_remembers(api, monkeypatch):
    monkeypatch.setattr(feed, "REMEMBERED", 8)
    start = head(api)
    with api.watch(f"{PATH}?watch=1&resourceVersion={start}") as early:
        maps = [{"metadata": {"name": f"c{n}", "namespace": "default"}} for n in range(30)]
        Client("default", "x").create_many(CONFIGMAPS, maps)
        api.create(PATH, pod("a"))
        assert early.names(1) == [("ADDED", "a")]
        with api.watch(f"{PATH}?watch=1&resourceVersion={start}") as late:
            assert late.names(1) == [("ADDED", "a")]


def test_the_feed_is_shared_and_closed_when_the_last_client_hangs_up(api):
    start = head(api)
    watches = [api.watch(f"{PATH}?watch=1&resourceVersion={start}") for _ in range(20)]
    wait_until("all to watch", lambda: [f.watchers for f in feed._feeds.values()] == [20])
    api.create(PATH, pod("a"))
    assert all(watch.names(1) == [("ADDED", "a")] for watch in watches)
    for watch in watches:
        watch.connection.close()
    wait_until("the feed to be closed", lambda: not feed._feeds)
