"""Heartbeats go before the rest, and take nothing with them but the time at which they came."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import store
from lab.models import Revision
from lab.store import Write

LEASES = "leases.coordination.k8s.io"
pytestmark = pytest.mark.django_db(transaction=True)

# Whose turn it is, who holds the lease from now on (or that it is deleted), and whether something comes of it.
steps = st.lists(
    st.tuples(st.sampled_from(["a", "b", "pod"]), st.sampled_from(["me", "me", "me", "you", "gone"]), st.booleans()),
    min_size=5,
    max_size=25,
)


@pytest.fixture
def cluster(db) -> str:
    store.create_cluster("log")
    return "log"


def lease(name: str, holder: str, at: int, expected: int, deleted: bool = False) -> Write:
    spec = {"holderIdentity": holder, "renewTime": str(at)}
    return Write(
        LEASES, "n", name, {"metadata": {"namespace": "n", "name": name, "uid": name}, "spec": spec}, expected, deleted
    )


def play(cluster: str, steps: list[tuple[str, str, bool]]) -> int:
    """Write a history; its head."""
    known: dict[str, int] = {}
    head = 0
    for name, holder, leads in steps:
        written = lease(name, holder, head + 1, known.pop(name, 0), holder == "gone")
        if name == "pod":
            written = Write("pods", "n", name, written.object, written.expected, written.deleted)
        if written.deleted and not written.expected:
            continue
        head = store.append(cluster, [written], "me")
        if not written.deleted:
            known[name] = head
        if leads:
            pod = {"metadata": {"namespace": "n", "name": f"made-{head}", "uid": "made"}}
            head = store.append(cluster, [Write("pods", "n", f"made-{head}", pod, 0)], "me", cause=head)
    return head


def state(cluster: str, revision: int) -> dict:
    then = store.state_at(cluster, revision)
    return {(resource, obj["metadata"]["name"]): obj for resource in ("pods", LEASES) for obj in then.list(resource)}


def but_times(state: dict) -> dict:
    return {key: obj.get("spec", {}).get("holderIdentity") if LEASES in key else obj for key, obj in state.items()}


@settings(max_examples=40)
@given(steps=steps, renewals=st.integers(0, 8), keep=st.integers(1, 20))
def test_every_state_is_as_before_but_for_the_times_of_old_heartbeats(steps, renewals, keep):
    cluster = uuid.uuid4().hex
    store.create_cluster(cluster)
    head = play(cluster, steps)
    rows = Revision.objects.filter(cluster__name=cluster).order_by("revision")
    causes = set(rows.filter(cause__gt=0).values_list("cause", flat=True))
    before = {at: state(cluster, at) for at in range(1, head + 1)}
    store.compact(cluster, keep=head + 1, renewals=renewals)
    left = list(rows.values_list("revision", "resource", "name", "previous", "created"))
    assert causes <= {row[0] for row in left}
    assert {row[0] for row in left} >= set(range(max(1, head - renewals + 1), head + 1))
    for at, was in before.items():
        now = state(cluster, at)
        assert but_times(now) == but_times(was)
        assert at <= head - renewals or now == was
    last: dict[tuple, int] = {}
    for revision, *key, previous, created in left:
        assert created or previous == last[tuple(key)]
        last[tuple(key)] = revision
    mark = left[-keep - 1][0] if len(left) > keep else 0
    store.compact(cluster, keep=keep, renewals=renewals)
    current = {int(obj["metadata"]["resourceVersion"]) for obj in store.state_at(cluster, mark)} if mark else set()
    assert {*rows.values_list("revision", flat=True)} == current | {row[0] for row in left if row[0] > mark}


def test_of_a_thousand_heartbeats_the_first_and_the_last_are_left_and_what_happened_between_is(cluster, monkeypatch):
    monkeypatch.setattr("lab.store.compaction.ROWS_A_PIECE", 7)
    store.append(cluster, [lease("a", "me", 0, 0)], "kubelet")
    for at in range(1, 60):
        store.append(cluster, [lease("a", "me" if at < 40 else "you", at, at)], "kubelet")
    assert store.compact(cluster, keep=100, renewals=10) == 46
    revisions = list(Revision.objects.order_by("revision").values_list("revision", flat=True))
    assert revisions == [1, 40, 41, *range(50, 61)]
    assert [(row.revision, row.old and row.old["spec"]["renewTime"]) for row in store.changes(cluster, 1, 4)] == [
        (40, "0"),
        (41, "39"),
        (50, "40"),
        (51, "49"),
    ]
    assert store.head_of(cluster).compacted == 0
