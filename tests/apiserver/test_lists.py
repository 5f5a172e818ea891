"""Pages of a list show one state, whatever is written in between."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apiserver import lists
from lab.store import Change


def obj(name, namespace="a", revision=1):
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": str(revision)}}


def change(revision, new, old=None, *, deleted=False, resource="pods"):
    namespace, name = lists.key_of(new)
    return Change(revision, resource, namespace, name, new, old, old is None, deleted, 0.0, "x", 0)


def test_a_page_names_where_the_next_begins():
    items = [obj("p1"), obj("p2"), obj("p3")]
    first, metadata = lists.page(items, 9, 2, None, filtered=False)
    assert [o["metadata"]["name"] for o in first] == ["p1", "p2"]
    assert metadata["remainingItemCount"] == 1
    token = lists.decode_token(metadata["continue"])
    assert token == lists.Token(9, "a", "p2")
    rest, metadata = lists.page(items, 9, 2, token.key, filtered=False)
    assert [o["metadata"]["name"] for o in rest] == ["p3"]
    assert metadata == {"resourceVersion": "9"}


def test_a_filtered_page_counts_no_rest():
    assert "remainingItemCount" not in lists.page([obj("p1"), obj("p2")], 9, 1, None, filtered=True)[1]


@pytest.mark.parametrize(
    "text", ["x", "!!!", "e30", "bnVsbA", "\u00e9", "eyJ2Ijp9", "W10", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ"]
)
def test_it_refuses_tokens_that_it_never_gave(text):
    with pytest.raises(ApiError) as refused:
        lists.decode_token(text)
    assert refused.value.code == 400


def test_rewinding_takes_back_what_was_made_changed_and_deleted():
    new, old, gone = obj("changed", revision=5), obj("changed"), obj("gone")
    now = [new, obj("made", revision=4), obj("same")]
    changes = [change(4, obj("made", revision=4)), change(5, new, old), change(6, gone, gone, deleted=True)]
    changes.append(change(7, obj("other"), resource="nodes"))
    assert lists.rewind(now, changes, "pods", "") == [old, gone, obj("same")]


def test_rewinding_passes_through_an_object_that_was_made_anew():
    first, second = obj("p", revision=1), obj("p", revision=5)
    changes = [change(4, first, first, deleted=True), change(5, second)]
    assert lists.rewind([second], changes, "pods", "a") == [first]


def test_an_expired_page_gives_a_token_to_go_on_with():
    status = lists.ExpiredPage(lists.Token(3, "a", "p"), 900).as_status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert lists.decode_token(status["metadata"]["continue"]) == lists.Token(900, "a", "p")
