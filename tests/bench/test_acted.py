"""What the bench of a class tells of each act."""

import pytest

from .acted import Log, Row, became
from .classroom import DELETE, RESTART, SCALE, Act
from .machine import Limit

DEPLOYED, AT = "deployments.apps", "kubectl.kubernetes.io/restartedAt"


def deployment(replicas: int = 4, restarted: str = "") -> dict:
    annotations = {AT: restarted} if restarted else {}
    return {"spec": {"replicas": replicas, "template": {"metadata": {"annotations": annotations}}}}


def scaled(revision: int, time: float, replicas: int) -> Row:
    return Row(revision, time, DEPLOYED, "one", "board", 0, object=deployment(replicas))


def pod(name: str, node: str = "", **more) -> dict:
    about = {"namespace": "default", "name": name, "creationTimestamp": f"2026-01-01T00:00:0{len(name)}Z", **more}
    return {"metadata": about, "spec": {"nodeName": node, "containers": [{}]}, "status": {"phase": "Pending"}}


NODE = {"metadata": {"name": "node-a"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
ROWS = [
    Row(8, 99.0, "nodes", "node-a", "kubelet", 0, object=NODE),
    Row(9, 99.5, "pods", "one-1-a", "replicaset-controller", 0, object=pod("one-1-a", "node-a")),
    scaled(10, 100.1, 5),
    Row(11, 100.2, "leases", "node-a", "kubelet", 0),
    Row(12, 100.3, "replicasets.apps", "one-1", "deployment-controller", 10),
    Row(13, 100.4, "pods", "one-1-a", "kubelet", 9, object=pod("one-1-a", "node-a")),
    Row(14, 100.5, "pods", "one-1-b", "replicaset-controller", 12, object=pod("one-1-b")),
    Row(15, 105.1, "pods", "one-1-a", "board", 0, object=pod("one-1-a", "node-a", deletionTimestamp="2026-01-01")),
    Row(16, 110.1, DEPLOYED, "one", "board", 0, object=deployment(4, "1970-01-01T00:01:50Z")),
    Row(17, 110.3, "pods", "one-2-a", "replicaset-controller", 16, object=pod("one-2-a")),
]
LOG = Log(ROWS)
HEARD = [(9, 99.0), (11, 100.25), (14, 100.6), (16, 110.2), (17, 110.4)]
ALONE, WITH_ONE, LEAVING = {"board": ["+s"]}, {"board": ["+s"], "waiting": "p"}, {"board": ["+l"], "waiting": "p"}
TURNED = [(99.6, ALONE), (100.75, WITH_ONE), (105.5, LEAVING), (110.5, {"board": ["+l"], "waiting": "pp"})]
UP = Act(SCALE, "one", 5, 100.0, 100.2)


def test_a_scale_is_shown_by_its_own_row_and_on_the_wall_by_the_pod_that_came_of_it():
    told = became(UP, LOG, HEARD, TURNED)
    assert told.revision == 10
    assert told.board == pytest.approx(0.25)
    assert told.wall == pytest.approx(0.75)


def test_a_delete_is_the_row_that_marks_the_pod():
    told = became(Act(DELETE, "one-1-a", 0, 105.0, 105.2), LOG, [*HEARD[:3], (15, 105.15)], TURNED)
    assert (told.revision, told.board, told.wall) == (15, pytest.approx(0.15), pytest.approx(0.5))


def test_to_delete_what_ends_already_changes_nothing_and_is_not_lost():
    ends = Row(18, 111.0, "pods", "one-2-a", "replicaset-controller", 16, ending=True)
    act = Act(DELETE, "one-2-a", 0, 111.2, 111.3)
    assert became(act, Log([*ROWS, ends]), HEARD, TURNED).revision == 18
    assert became(act, LOG, HEARD, TURNED).revision == 0


def test_a_restart_is_shown_when_there_is_a_pod_of_it():
    told = became(Act(RESTART, "one", 0, 110.0, 110.2), LOG, HEARD, TURNED)
    assert (told.revision, told.board, told.wall) == (16, pytest.approx(0.4), pytest.approx(0.5))


@pytest.mark.parametrize(
    "act",
    [
        Act(SCALE, "one", 6, 100.0, 100.2),
        Act(SCALE, "two", 5, 100.0, 100.2),
        Act(SCALE, "one", 5, 90.0, 90.2),
        Act(DELETE, "one-1-b", 0, 105.0, 105.2),
        Act(RESTART, "one", 0, 100.0, 100.2),
    ],
)
def test_an_act_of_which_the_log_says_nothing_is_lost(act):
    assert became(act, LOG, HEARD, TURNED).revision == 0


def test_what_the_tile_shows_after_their_next_act_is_not_counted():
    assert became(UP, LOG, HEARD, TURNED[2:], until=105.0).wall is None


def test_a_tile_that_is_another_but_not_yet_as_it_has_to_be_does_not_show_it():
    early = [TURNED[0], (100.6, {"board": ["-s"]}), *TURNED[1:]]
    assert became(UP, LOG, HEARD, early).wall == pytest.approx(0.75)


def test_a_tile_may_be_further_already():
    assert became(UP, LOG, HEARD, [TURNED[0], *TURNED[2:]]).wall == pytest.approx(5.5)
    early = [TURNED[0], (100.9, LEAVING)]  # as it came to be only at 105.1
    assert became(UP, LOG, HEARD, early, until=105.0).wall is None


def test_where_a_tile_looks_so_already_there_is_nothing_to_wait_for():
    told = became(UP, LOG, HEARD, [(99.0, WITH_ONE)])
    assert told.same and told.wall is None


def test_what_came_of_nothing_is_on_no_wall():
    told = became(UP, Log(ROWS[:3]), HEARD, TURNED)
    assert told.board == pytest.approx(0.25) and told.wall is None


def test_so_many_learners_find_room_as_what_is_left_is_enough_for():
    assert Limit("memory", 24576, 2000, 150).learners() == 150
    assert Limit("nothing", 10, 2, 0).learners() == float("inf")
