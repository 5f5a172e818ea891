"""The board's rows are those that the objects give, whatever the order in which changes come in."""

import random

from lab.apimachinery.controlplane import CONTROL_PLANE, POWER
from lab.apimachinery.labels import ZONE_LABEL
from lab.dashboard.board import TAPE, Board
from lab.dashboard.deltas import turns

from .build import a_deployment, a_node, a_pod, a_replicaset, an_event, change, crashed, leaving, meta, ready, with_spec

DEPLOYMENT = a_deployment()
SET = a_replicaset(DEPLOYMENT)
NODE = a_node()
POD = a_pod("web-rs1-aaaaa", SET, node="node-a")
ID = "pods/default/web-rs1-aaaaa"


def without_loops(board: Board) -> dict:
    return {id_: row for id_, row in board.rows.items() if row["kind"] != "loop"}


def test_a_new_pod_changes_its_tile_its_node_and_its_card():
    board = Board([DEPLOYMENT, SET, NODE])
    delta = board.apply([change(POD, author="replicaset-controller")])
    assert set(delta.upserts) == {ID, "nodes/node-a", "loops/replicaset-controller", "loops/kubelet"}
    assert delta.upserts["nodes/node-a"]["gauges"][0][1] == "0.1 of 4 requested"
    assert delta.upserts["loops/kubelet"]["queue"] == "1 busy"


def test_nothing_that_is_drawn_changed_means_an_empty_delta():
    board = Board([NODE])
    assert not board.apply([change(NODE, NODE, author="kubelet")])


def test_a_pod_that_ends_gives_its_room_back():
    board = Board([NODE, POD])
    done = {**POD, "status": {"phase": "Succeeded"}}
    board.apply([change(done, POD)])
    assert board.rows["nodes/node-a"]["gauges"][0][1] == "0 of 4 requested"


def test_a_deleted_pod_is_removed_and_counted_no_more():
    board = Board([DEPLOYMENT, SET, NODE, POD])
    delta = board.apply([change(POD, deleted=True)])
    assert delta.removes == {ID}
    assert "count" not in board.rows["nodes/node-a"]


def test_each_state_passed_through_is_told_with_its_time():
    board = Board([NODE])
    states = [a_pod("web"), a_pod("web", node="node-a"), ready(a_pod("web", node="node-a"))]
    delta = board.apply([change(obj, time=10 + at) for at, obj in enumerate(states)])
    assert delta.phases == {"pods/default/web": [("pending", 10), ("starting", 11), ("ready", 12)]}


def test_a_death_between_two_frames_is_not_swallowed():
    pod = ready(a_pod("web", node="node-a"))
    board = Board([NODE, pod])
    delta = board.apply([change(crashed(pod), time=1), change(ready(pod, restarts=1), time=2)])
    assert delta.phases == {"pods/default/web": [("backoff", 1), ("ready", 2)]}


def test_it_says_how_long_a_pod_took_to_be_ready_and_to_heal():
    pod = a_pod("web", node="node-a")
    board = Board([NODE])
    for obj, old, at in [(pod, None, 10), (ready(pod), pod, 10.5), (crashed(pod), ready(pod), 20)]:
        delta = board.apply([change(obj, old, time=at)])
        assert delta.upserts["pods/default/web"].get("took", "") == ("ready in 0.50 s" if at == 10.5 else "")
    delta = board.apply([change(ready(pod, restarts=1), crashed(pod), time=32)])
    assert delta.upserts["pods/default/web"]["took"] == "healed in 12 s"


def test_a_state_that_did_not_change_is_not_a_turn():
    assert turns({"state": "ready"}, [("ready", 1), ("ready", 2)]) == []
    assert turns(None, [("pending", 1), ("pending", 2), ("ready", 3)]) == [("pending", 1), ("ready", 3)]


def test_a_namesake_made_meanwhile_is_another_pod():
    board = Board([NODE, POD])
    namesake = {**a_pod("web-rs1-aaaaa"), "metadata": {**POD["metadata"], "uid": "another"}}
    board.apply([change(namesake)])
    assert board.rows[ID]["state"] == "pending"
    assert board.rows["nodes/node-a"]["gauges"][0][1] == "0 of 4 requested"


def test_the_tape_keeps_the_newest_and_moves_up_what_is_said_again():
    board = Board([])
    events = [an_event(f"e{i}", POD) for i in range(TAPE + 5)]
    board.apply([change(event) for event in events])
    assert "events/default/e4" not in board.rows
    assert "events/default/e5" in board.rows
    board.apply([change(events[5], events[5]), change(an_event("new", POD))])
    assert "events/default/e5" in board.rows
    assert "events/default/e6" not in board.rows


def test_the_verdicts_on_a_waiting_pod_come_with_its_row_and_go_with_it():
    board, pod = Board([NODE]), a_pod("report")
    verdicts = {"pods/default/report": [{"node": "node-a", "fits": False, "text": "cordoned"}]}
    board.apply([change(pod, author="scheduler")], verdicts)
    assert board.rows["pods/default/report"]["verdicts"][0]["text"] == "cordoned"
    board.apply([change(with_spec(pod, nodeName="node-a"), pod, author="scheduler")], {"pods/default/report": []})
    assert "verdicts" not in board.rows["pods/default/report"]


def test_what_is_drawn_in_a_line_comes_in_the_order_of_names():
    nodes = [{**NODE, "metadata": {"name": f"n{zone}", "labels": {ZONE_LABEL: zone}}} for zone in "cadbfe"]
    assert [id_ for id_ in Board(nodes).rows if id_.startswith("zones/")] == [f"zones/{zone}" for zone in "abcdef"]


def test_a_loop_counts_each_time_it_acted():
    board = Board([DEPLOYMENT, SET])
    board.apply([change(POD, author="replicaset-controller", time=1)])
    board.apply([change(leaving(POD), POD, author="replicaset-controller", time=2)])
    row = board.rows["loops/replicaset-controller"]
    assert (row["acts"], row["at"]) == (2, 2)


def test_a_loop_that_many_a_cluster_has_no_work_for_is_drawn_once_it_acts():
    board = Board([NODE])
    assert "loops/daemonset-controller" not in board.rows
    delta = board.apply([change(POD, author="daemonset-controller", time=1)])
    assert delta.upserts["loops/daemonset-controller"]["acts"] == 1


def test_rows_are_those_of_the_objects_whatever_order_the_changes_come_in():
    chance = random.Random(7)
    for _ in range(40):
        objects = [DEPLOYMENT, SET, a_replicaset(DEPLOYMENT, 2), NODE, a_node("node-b")]
        for i in range(8):
            owner = chance.choice([None, SET, objects[2]])
            pod = a_pod(f"web-rs1-{i}", owner, chance.choice(["", "node-a", "node-b", "gone"]))
            objects.append(chance.choice([pod, ready(pod), crashed(pod), leaving(pod)]))
        chance.shuffle(objects)
        board = Board([])
        for obj in objects:
            board.apply([change(obj)])
        dropped = [obj for obj in objects if chance.random() < 0.3]
        for obj in dropped:
            board.apply([change(obj, deleted=True)])
        left = [obj for obj in objects if obj not in dropped]
        assert without_loops(board) == without_loops(Board(left))


def test_a_zone_is_the_machines_in_it():
    board = Board([NODE, a_node("node-b")])
    assert board.rows["zones/a"]["text"] == "2 machines"
    off = {**NODE, "metadata": {**NODE["metadata"], "annotations": {POWER: "off"}}}
    assert board.apply([change(off, NODE)]).upserts["zones/a"]["text"] == "1 of 2 off"
    delta = board.apply([change(off, deleted=True), change(a_node("node-b"), deleted=True)])
    assert "zones/a" in delta.removes


def test_a_cluster_that_nobody_steers_says_so():
    member = {**NODE, "metadata": {**NODE["metadata"], "labels": {CONTROL_PLANE: ""}}}
    off = {**member, "metadata": {**member["metadata"], "annotations": {POWER: "off"}}}
    board = Board([member])
    assert "warning" not in board.rows["lab"]
    assert "nobody heals" in board.apply([change(off, member)]).upserts["lab"]["warning"]


def test_a_control_plane_node_leads_while_it_has_power():
    labels = {CONTROL_PLANE: ""}
    member = {**NODE, "metadata": {**NODE["metadata"], "labels": labels}}
    about = {"name": "kube-scheduler", "namespace": "kube-system"}
    spec = {"holderIdentity": "node-a"}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about, "spec": spec}
    board = Board([member, lease])
    assert ("leads scheduler", "leads") in board.rows["nodes/node-a"]["flags"]
    off = {**member, "metadata": {**member["metadata"], "annotations": {POWER: "off"}}}
    board.apply([change(off, member)])
    assert ("powered off", "bad") in board.rows["nodes/node-a"]["flags"]
    assert not [words for words, look in board.rows["nodes/node-a"]["flags"] if look == "leads"]


def test_owners_that_go_round_in_a_circle_end_no_board():
    itself = a_deployment("itself")
    itself["metadata"] |= {"ownerReferences": meta("itself", itself)["ownerReferences"]}
    one, other = a_replicaset(a_deployment("one")), a_replicaset(a_deployment("other"))
    one["metadata"] |= {"ownerReferences": meta("one", other)["ownerReferences"]}
    other["metadata"] |= {"ownerReferences": meta("other", one)["ownerReferences"]}
    pods = [a_pod("a", itself), a_pod("b", one)]
    board = Board([itself, one, other, *pods])
    assert {board.rows[f"pods/default/{name}"]["kind"] for name in "ab"} == {"pod"}
    board.apply([change(obj, deleted=True) for obj in (*pods, itself, one, other)])
    assert not without_loops(board).keys() & {"pods/default/a", "pods/default/b", "deployments.apps/default/itself"}
