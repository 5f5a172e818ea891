"""Selectors: what they let through, how they read as text, and how a bad one is refused."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CONFIGMAPS, PODS
from lab.apimachinery.selectors import format_label_selector, parse_fields, parse_label_selector, parse_labels

WEB = {"app": "web", "tier": "front", "cores": "8"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app=web,tier=back", False),
        ("app!=web", False),
        ("zone!=a", True),  # what has no zone is not in zone a
        ("app in (api, web)", True),
        ("app notin (api,web)", False),
        ("zone notin (a)", True),
        ("app", True),
        ("!app", False),
        ("!zone", True),
        ("zone=", False),  # the empty value is not a missing label
        ("cores>4", True),
        ("cores<4", False),
        ("app>4", False),  # no number
        (" app = web , tier in ( front ) ", True),
    ],
)
def test_a_query_selects_by_labels(text, matches):
    assert parse_labels(text).matches(WEB) is matches


@pytest.mark.parametrize("text", ["app in (", "app,,tier", "=web", "app=a=b", "app in web", "a b", "!", "cores>many"])
def test_a_query_that_is_none_is_refused(text):
    with pytest.raises(ApiError) as refused:
        parse_labels(text)
    assert refused.value.code == 400
    assert "unable to parse requirement" in refused.value.message


def test_a_selector_object_needs_all_its_parts():
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["front", "middle"]},
            {"key": "zone", "operator": "DoesNotExist"},
        ],
    }
    assert parse_label_selector(selector).matches(WEB)
    assert not parse_label_selector(selector).matches({**WEB, "zone": "a"})
    assert format_label_selector(selector) == "app=web,tier in (front,middle),!zone"
    assert parse_labels(format_label_selector(selector)) == parse_label_selector(selector)


def test_an_empty_selector_selects_everything_and_a_missing_one_nothing():
    assert parse_label_selector({}).matches({})
    assert not parse_label_selector(None).matches(WEB)


def test_fields_are_compared_as_text():
    selector = parse_fields("spec.nodeName=n1,status.phase!=Failed", PODS)
    assert selector.matches({"spec.nodeName": "n1", "status.phase": "Running"})
    assert not selector.matches({"spec.nodeName": "n1", "status.phase": "Failed"})
    assert not selector.matches({"status.phase": "Running"})
    assert parse_fields(r"metadata.name=a\,b", PODS).matches({"metadata.name": "a,b"})


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("spec.color=red", PODS, "field label not supported: spec.color"),
        ("data=x", CONFIGMAPS, '"data" is not a known field selector'),
        ("metadata.name", PODS, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
    ],
)
def test_a_field_that_cannot_be_selected_by_is_named(text, kind, words):
    with pytest.raises(ApiError) as refused:
        parse_fields(text, kind)
    assert refused.value.message.startswith(words)  # kubectl itself says what it could not find, and puts this behind
