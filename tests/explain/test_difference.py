"""Differences, path by path."""

import pytest

from lab.explain.difference import HIDDEN, changed, in_words
from tests.dashboard.build import a_deployment, a_node


def paths(old: dict, new: dict) -> dict[str, tuple]:
    return {item["path"]: (item.get("from"), item.get("to")) for item in changed(old, new)}


def test_nothing_differs_of_an_object_from_itself():
    assert changed(a_deployment(), a_deployment()) == []


def test_a_path_leads_to_each_value_that_differs():
    old, new = a_deployment(replicas=3), a_deployment(replicas=5, image="orrery/hello:v2", paused=True)
    assert paths(old, new) == {
        "spec.replicas": (3, 5),
        "spec.template.spec.containers[web].image": ("orrery/hello:v1", "orrery/hello:v2"),
        "spec.paused": (None, True),
    }


def test_what_was_taken_away_has_no_value_now():
    assert changed(a_deployment(paused=True), a_deployment()) == [{"path": "spec.paused", "from": True}]


def test_an_item_of_a_list_is_the_one_of_its_name_wherever_it_stands():
    old, new = a_node(), a_node(truth="Unknown")
    new["status"]["conditions"].insert(0, {"type": "MemoryPressure", "status": "False"})
    assert paths(old, new) == {
        "status.conditions[MemoryPressure]": (None, {"type": "MemoryPressure", "status": "False"}),
        "status.conditions[Ready].status": ("True", "Unknown"),
    }


def test_items_without_names_go_by_their_number():
    old, new = (a_deployment(args=args) for args in (["a", "b"], ["a", "c", "d"]))
    assert paths(old, new) == {"spec.args[1]": ("b", "c"), "spec.args[2]": (None, "d")}


def test_of_a_secret_one_learns_which_data_differ_and_nothing_of_what_is_in_them():
    old, new = (
        {"kind": "Secret", "metadata": {"name": "s"}, "data": data}
        for data in ({"a": "eA==", "b": "eQ=="}, {"a": "eg=="})
    )
    assert changed(old, new) == [
        {"path": "data.a", "from": HIDDEN, "to": HIDDEN},
        {"path": "data.b", "from": HIDDEN},
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"replicas": 5}, "replicas 3 → 5"),
        ({"paused": True}, "paused set to true"),
        ({"nodeSelector": {"disk": "ssd"}}, "nodeSelector added"),
        ({"replicas": 1, "image": "orrery/hello:v2"}, "replicas 3 → 1, 1 more"),
    ],
)
def test_the_most_telling_difference_is_said_in_words(fields, words):
    assert in_words(changed(a_deployment(replicas=3), a_deployment(**{"replicas": 3, **fields}))) == words


def test_a_key_that_has_dots_is_said_whole():
    off = a_deployment(replicas=3)
    off["metadata"] = {**off["metadata"], "annotations": {"orrery.io/power": "off"}}
    on = {**off, "metadata": {**off["metadata"], "annotations": {"orrery.io/power": "on"}}}
    assert in_words(changed(on, off)) == "orrery.io/power on → off"
