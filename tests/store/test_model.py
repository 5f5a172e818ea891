"""The log against a model of a list and a dict: whatever two writers do, and whoever reads when, all are told the same.

Each writer expects what it has last seen, which may be long past. Readers look when they like: one from a cursor, one
through the view of another process. Meanwhile old history is compacted away.
"""

import uuid
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import store
from lab.models import Revision
from lab.store import Change, View
from lab.store.view import head_of

from .writes import write

pytestmark = pytest.mark.django_db(transaction=True)
Row = tuple[int, str, bool, int, int]  # revision, name, deleted, value, the revision of this name before

NAMES, LIMIT = "abc", 3
batches = st.dictionaries(st.sampled_from(NAMES), st.tuples(st.booleans(), st.integers(0, 9)), min_size=1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("look"), st.sampled_from(("left", "right"))),
        st.tuples(st.just("append"), st.sampled_from(("left", "right")), batches),
        st.tuples(st.just("compact"), st.integers(1, 8)),
        st.tuples(st.just("watch")),
        st.tuples(st.just("follow")),
    ),
    min_size=5,
    max_size=40,
)


@dataclass
class Model:
    """What the log of one cluster should be, beside the log itself. Each step is done to both."""

    cluster: str = field(default_factory=lambda: f"model-{uuid.uuid4().hex[:12]}")
    log: list[Row] = field(default_factory=list)
    mark: int = 0  # the oldest revision that can be watched from
    cursor: int = 0
    seen: dict[str, dict[str, int]] = field(default_factory=lambda: {"left": {}, "right": {}})

    def __post_init__(self) -> None:
        store.create_cluster(self.cluster)
        self.other_process = View(head_of(self.cluster))

    def state(self, revision: int | None = None) -> dict[str, Row]:
        """Name → its newest row, of those that are not deleted: now, or when `revision` was written."""
        newest = {row[1]: row for row in self.log[:revision]}
        return {name: row for name, row in newest.items() if not row[2]}

    def look(self, writer: str) -> None:
        self.seen[writer] = {name: row[0] for name, row in self.state().items()}

    def append(self, writer: str, batch: dict[str, tuple[bool, int]]) -> None:
        known, now = self.seen[writer], self.state()
        deletions = {name: gone and name in known for name, (gone, _) in batch.items()}
        writes = [write(n, known.get(n, 0), deletions[n], value=value) for n, (_, value) in batch.items()]
        if any(known.get(name, 0) != now.get(name, (0,))[0] for name in batch):
            with pytest.raises(store.Conflict):
                store.append(self.cluster, writes, writer)
            return
        for name, (_, value) in batch.items():
            self.log.append((len(self.log) + 1, name, deletions[name], value, known.get(name, 0)))
        assert store.append(self.cluster, writes, writer) == len(self.log)

    def compact(self, keep: int) -> None:
        self.mark = max(self.mark, len(self.log) - keep)
        store.compact(self.cluster, keep)

    def watch(self) -> None:
        """The next few changes after the cursor, or to be told to begin anew."""
        if self.cursor < self.mark:
            with pytest.raises(store.Compacted) as refused:
                store.changes(self.cluster, self.cursor, LIMIT)
            assert refused.value.oldest == self.mark
            self.cursor = self.mark
        told = store.changes(self.cluster, self.cursor, LIMIT)
        assert list(map(self.as_told, self.log[self.cursor :][:LIMIT])) == list(map(plain, told))
        self.cursor += len(told)

    def follow(self) -> None:
        """A view that begins anew after a compaction may; otherwise it has missed nothing."""
        before, head = self.other_process.revision, len(self.log)
        self.other_process.read_to(head)
        assert self.other_process.revision == head
        assert contents(self.other_process) == self.contents()
        told = self.other_process.changes_since(before)
        if told is None:
            assert before < self.mark or before == 0
        else:
            assert list(map(self.as_told, self.log[before:])) == list(map(plain, told))

    def rewind(self) -> None:
        """To each revision that there ever was: the state of then, or why not; and on from there by the log."""
        for revision in range(self.mark):
            with pytest.raises(store.Compacted) as refused:
                store.state_at(self.cluster, revision)
            assert refused.value.oldest == self.mark
        played = contents(store.state_at(self.cluster, self.mark))
        for revision in range(self.mark, len(self.log) + 1):
            assert contents(store.state_at(self.cluster, revision)) == self.contents(revision) == played
            for change in store.changes(self.cluster, revision, limit=1):
                play(change, played)
        with pytest.raises(store.Ahead) as refused:
            store.state_at(self.cluster, len(self.log) + 1)
        assert refused.value.head == len(self.log)

    def contents(self, revision: int | None = None) -> dict[str, tuple[int, int]]:
        return {name: (row[0], row[3]) for name, row in self.state(revision).items()}

    def as_told(self, row: Row) -> tuple:
        revision, name, deleted, value, previous = row
        old = self.log[previous - 1][3] if previous else None
        return revision, name, value, old, not previous, deleted

    def kept(self) -> list[int]:
        """The rows that compaction leaves: all after the mark, and before it the newest of each name that lives."""
        newest = {row[1]: row for row in self.log[: self.mark]}
        current = [row[0] for row in newest.values() if not row[2]]
        return sorted(current) + list(range(self.mark + 1, len(self.log) + 1))


def plain(change: Change) -> tuple:
    assert change.object["metadata"]["resourceVersion"] == str(change.revision)
    old = change.old["value"] if change.old else None
    return change.revision, change.name, change.object["value"], old, change.created, change.deleted


def play(change: Change, state: dict[str, tuple[int, int]]) -> None:
    """Take one change into a state as `contents` has it."""
    state.pop(change.name, None)
    if not change.deleted:
        state[change.name] = (change.revision, change.object["value"])


def contents(view: View) -> dict[str, tuple[int, int]]:
    """Name → its revision and value."""
    found = view.list("pods", "default")
    return {pod["metadata"]["name"]: (int(pod["metadata"]["resourceVersion"]), pod["value"]) for pod in found}


@settings(max_examples=100)
@given(steps=steps)
def test_log_view_and_watchers_agree_with_the_model(steps):
    model = Model()
    for verb, *with_what in steps:
        getattr(model, verb)(*with_what)
        assert contents(store.view(model.cluster)) == model.contents()
    rows = Revision.objects.filter(cluster__name=model.cluster)
    assert list(rows.order_by("revision").values_list("revision", flat=True)) == model.kept()
    model.watch()
    model.follow()
    assert contents(View(head_of(model.cluster)).refresh()) == model.contents()
    model.rewind()
