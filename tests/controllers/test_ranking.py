"""Which pods of a ReplicaSet go first."""

from lab.apimachinery.meta import parse_time
from lab.controllers.ranking import first_to_go, why_first

from .build import a_pod

NOW = parse_time("2026-05-20T20:00:00Z")


def gone_first(*pods: dict, related: list[dict] | None = None) -> str:
    return first_to_go(pods, 1, related if related is not None else pods, NOW)[0]["metadata"]["name"]


def test_the_least_missed_pod_goes_first():
    cheap = {"controller.kubernetes.io/pod-deletion-cost": "-5"}
    restarted = a_pod("x", "n")
    restarted["status"]["containerStatuses"] = [{"restartCount": 3}]
    early, late = "2026-05-20T10:00:00Z", "2026-05-20T19:59:50Z"
    cases = [
        (a_pod("x"), a_pod("y", "n", phase="Pending", ready=False), "on no node yet"),
        (a_pod("x", "n", phase="Pending", ready=False), a_pod("y", "n", ready=False), "does not run yet"),
        (a_pod("x", "n", ready=False), a_pod("y", "n"), "not ready"),
        (a_pod("x", "n", annotations=cheap), a_pod("y", "n"), "lower pod-deletion-cost"),
        (a_pod("x", "n", since=late), a_pod("y", "n", since=early), "ready for less long"),
        (restarted, a_pod("y", "n"), "restarted more often"),
        (a_pod("x", "n", creationTimestamp=late), a_pod("y", "n", creationTimestamp=early), "younger"),
    ]
    for first, second, because in cases:
        assert gone_first(second, first) == "x"
        assert why_first([first], [second], [], NOW) == {first["metadata"]["uid"]: because}


def test_where_all_go_none_goes_before_another():
    assert why_first([a_pod("x")], [], [], NOW) == {}


def test_a_pod_on_a_crowded_node_goes_before_one_that_is_alone():
    alone, crowded = a_pod("alone", "n1"), a_pod("crowded", "n2")
    others = [alone, crowded, a_pod("other version", "n2")]
    assert list(why_first([crowded], [alone], others, NOW).values()) == ["more pods on its node"]
    assert gone_first(alone, crowded, related=[alone, crowded, a_pod("other version", "n2")]) == "crowded"


def test_a_deletion_cost_that_is_no_number_counts_as_none():
    odd = a_pod("odd", "n", annotations={"controller.kubernetes.io/pod-deletion-cost": "dear"})
    assert gone_first(odd, a_pod("unready", "n", ready=False)) == "unready"


def test_of_a_pods_containers_the_one_that_was_restarted_most_counts_and_sidecars_only_between_equals():
    def restarted(name: str, *counts: int, sidecar: int = 0) -> dict:
        pod = a_pod(name, "n")
        pod["status"]["containerStatuses"] = [{"name": str(n), "restartCount": n} for n in counts]
        pod["spec"]["initContainers"] = [{"name": "mesh", "restartPolicy": "Always"}, {"name": "prepare"}]
        inits = {"mesh": sidecar, "prepare": 9}
        pod["status"]["initContainerStatuses"] = [{"name": n, "restartCount": count} for n, count in inits.items()]
        return pod

    assert gone_first(restarted("y", 2, 2), restarted("x", 3, 0)) == "x"
    assert gone_first(restarted("y", 3, sidecar=5), restarted("x", 3, sidecar=6)) == "x"
    assert gone_first(restarted("y", 2, sidecar=5), restarted("x", 3)) == "x"
