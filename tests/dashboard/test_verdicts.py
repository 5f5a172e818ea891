"""The scheduler's verdicts in the few words that fit on a chip."""

import pytest

from lab.dashboard.verdicts import SHOWN, chips, short


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Insufficient cpu", "too little cpu"),
        ("Insufficient nvidia.com/gpu", "too little nvidia.com/gpu"),
        ("Too many pods", "full"),
        ("node(s) were unschedulable", "cordoned"),
        ("node(s) didn't match PersistentVolume's node affinity", "volume"),
        ("node(s) had untolerated taint {node.kubernetes.io/unreachable: }", "taint unreachable"),
        ("node(s) didn't match Pod's node affinity/selector", "selector"),
        ("node(s) didn't have free ports for the requested pod ports", "port taken"),
        ("node(s) had something new", "had something new"),
    ],
)
def test_kube_schedulers_words_are_cut_to_what_matters(reason, words):
    assert short(reason) == words


def test_a_node_that_fits_shows_its_points_and_one_that_does_not_its_objections():
    why = {
        "nodes": [
            {"node": "a", "fits": True, "total": 72.0},
            {"node": "b", "fits": False, "reasons": ["Insufficient cpu", "node(s) were unschedulable"]},
        ]
    }
    assert chips(why) == [
        {"node": "a", "fits": True, "text": "72"},
        {"node": "b", "fits": False, "text": "too little cpu, cordoned"},
    ]


def test_what_every_pod_is_told_comes_last():
    taint = "node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
    nodes = [{"node": "head", "fits": False, "reasons": [taint]}, {"node": "a", "fits": False, "reasons": ["full"]}]
    assert [chip["node"] for chip in chips({"nodes": nodes})] == ["a", "head"]


def test_of_a_large_cluster_the_counts_are_shown_most_first():
    assert [chip["node"] for chip in chips({"nodes": [], "counts": {"Too many pods": 2, "Insufficient cpu": 90}})] == [
        "90 nodes",
        "2 nodes",
    ]


def test_there_are_no_more_chips_than_one_can_read():
    assert len(chips({"nodes": [{"node": str(i), "fits": True} for i in range(50)]})) == SHOWN
