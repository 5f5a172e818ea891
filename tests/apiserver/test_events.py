"""Events of a watch: a world in which only matching objects exist."""

from lab.apimachinery.kinds import PODS
from lab.apiserver.events import bookmark, events_of
from lab.store import Change


def pod(app, revision):
    return {"metadata": {"namespace": "a", "name": "p", "labels": {"app": app}, "resourceVersion": str(revision)}}


def change(new, old=None, *, deleted=False, resource="pods", namespace="a"):
    revision = int(new["metadata"]["resourceVersion"])
    return Change(revision, resource, namespace, "p", new, old, old is None, deleted, 0.0, "x", 0)


def is_web(obj):
    return obj["metadata"]["labels"]["app"] == "web"


def told(*changes, namespace=""):
    return [(kind, o["metadata"]["resourceVersion"]) for kind, o in events_of(changes, "pods", namespace, is_web)]


def test_what_is_made_changed_and_deleted_is_told_so():
    one, two, three = pod("web", 1), pod("web", 2), pod("web", 3)
    changes = (change(one), change(two, one), change(three, two, deleted=True))
    assert told(*changes) == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "3")]


def test_an_object_that_stops_matching_is_deleted_under_the_revision_at_which_it_did():
    (event,) = events_of([change(pod("db", 2), pod("web", 1))], "pods", "", is_web)
    assert event[0] == "DELETED"
    assert event[1]["metadata"] == {**pod("web", 1)["metadata"], "resourceVersion": "2"}


def test_an_object_that_begins_to_match_is_added():
    assert told(change(pod("web", 2), pod("db", 1))) == [("ADDED", "2")]


def test_nothing_is_told_of_what_never_matched_or_is_of_elsewhere():
    assert told(change(pod("db", 1))) == []
    assert told(change(pod("db", 2), pod("db", 1), deleted=True)) == []
    assert told(change(pod("web", 1), resource="nodes")) == []
    assert told(change(pod("web", 1), namespace="b"), namespace="a") == []


def test_a_bookmark_says_which_revision_and_whether_the_beginning_is_over():
    assert bookmark(PODS, 7)[1]["metadata"] == {"resourceVersion": "7", "creationTimestamp": None}
    marked = bookmark(PODS, 7, initial_end=True)[1]["metadata"]["annotations"]
    assert marked == {"k8s.io/initial-events-end": "true"}
