"""Options out of a query: what cannot be meant is refused, and nothing else."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apiserver import options


def test_a_list_without_options_is_the_newest_state_in_full():
    assert options.list_options({}) == options.ListOptions()
    assert options.list_options({"resourceVersion": "", "limit": "", "watch": "false"}) == options.ListOptions()


def test_kubectls_watch_list_is_understood():
    query = {"watch": "1", "sendInitialEvents": "true", "allowWatchBookmarks": "true"}
    wanted = options.list_options({**query, "resourceVersionMatch": "NotOlderThan", "timeoutSeconds": "30"})
    assert (wanted.watch, wanted.initial_events, wanted.bookmarks, wanted.timeout) == (True, True, True, 30)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "many"}, 400), ({"limit": "-1"}, 400), ({"limit": "1_0"}, 400), ({"limit": "9" * 30}, 400),
        ({"limit": "\u0663"}, 400), ({"resourceVersion": "abc"}, 400), ({"watch": "perhaps"}, 400),
        ({"includeObject": "Everything"}, 400), ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422), ({"sendInitialEvents": "true"}, 422),
        ({"watch": "1", "sendInitialEvents": "true"}, 422), ({"watch": "1", "resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersionMatch": "Newest", "resourceVersion": "1"}, 422),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "1", "continue": "x"}, 422),
    ],
)  # fmt: skip
def test_it_refuses_lists_that_cannot_be_meant(query, code):
    with pytest.raises(ApiError) as refused:
        options.list_options(query)
    assert refused.value.code == code


def test_the_body_of_a_delete_goes_before_its_query():
    found = options.delete_options({"propagationPolicy": "Orphan"}, {"propagationPolicy": "Foreground"})
    assert found["propagationPolicy"] == "Foreground"
    assert options.delete_options({"gracePeriodSeconds": "0"}, None) == {"gracePeriodSeconds": 0}


@pytest.mark.parametrize(
    "body",
    [{"gracePeriodSeconds": "soon"}, {"gracePeriodSeconds": True}, {"gracePeriodSeconds": 1e30},
     {"propagationPolicy": 3}, {"preconditions": "x"}, {"preconditions": {"uid": 3}}, {"kind": "Pod"},
     {"orphanDependents": True, "propagationPolicy": "Background"}],
)  # fmt: skip
def test_it_refuses_delete_options_that_cannot_be_meant(body):
    with pytest.raises(ApiError):
        options.delete_options({}, body)


def test_dry_run_is_all_or_nothing():
    assert options.write_options("POST", {"dryRun": "All"}).dry_run
    assert not options.write_options("POST", {}).dry_run
    assert not options.write_options("DELETE", {}, {"dryRun": []}).dry_run


def test_logs_are_since_a_time_or_since_seconds():
    assert options.log_options({"tailLines": "5", "follow": "1", "previous": "0"}) == {
        "tailLines": "5",
        "follow": "true",
    }
    with pytest.raises(ApiError):
        options.log_options({"sinceSeconds": "5", "sinceTime": "2024-01-01T00:00:00Z"})
