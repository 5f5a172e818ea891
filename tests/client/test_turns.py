"""Of several workers that begin the same turn of a loop one has it, and what the others decided is not written."""

import time

import pytest

from lab.apimachinery.kinds import CONFIGMAPS
from lab.client import Client, LostFence, locks, reconcile
from lab.client.clusters import ensure_cluster
from lab.client.cursors import cursor_name
from lab.client.locks import Lock
from lab.client.reconcile import behind, catch_up
from lab.models import Cursor

from .loops import Recorder, a_configmap

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("loop")
    client = Client("loop", "tester")
    behind("loop", [Copier()])  # it has turned before: its cursor stands somewhere
    client.create(CONFIGMAPS, a_configmap("a"))
    return client


class Copier(Recorder):
    """There is to be one copy. It looks whether there is one, and then makes it: who looked too early doubles it."""

    def sync(self, client, key):
        if not copies(client):
            self.has_decided(client)
            client.create(CONFIGMAPS, {"metadata": {"generateName": "copy-", "namespace": "default"}})
        return super().sync(client, key)

    def has_decided(self, client) -> None:
        pass


def copies(client) -> list[str]:
    return [o["metadata"]["name"] for o in client.list(CONFIGMAPS) if o["metadata"]["name"].startswith("copy-")]


def elsewhere(loop: Recorder) -> int:
    """`catch_up` in another process: it knows nothing of the turns of this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "keeping", locks.Renewer().keeping)
        return catch_up("loop", loop)


def hold(client: Client) -> Cursor:
    return Cursor.objects.get(name=cursor_name(client.view(), "recorder"))


def test_two_threads_that_race_for_a_key_sync_it_once(client):
    """The second one leaves it to the first, who looks again."""
    loop = Recorder()

    class Slow(Recorder):
        def sync(self, client, key):
            assert catch_up("loop", loop) == 0
            return super().sync(client, key)

    slow = Slow()
    assert catch_up("loop", slow) == 1
    assert (catch_up("loop", loop), slow.synced, loop.synced) == (0, ["default/a"], [])


def test_who_finds_nothing_to_do_writes_nothing_but_where_the_cursor_stands(client):
    before = hold(client)
    seen = []

    class Looks(Recorder):
        def sync(self, client, key):
            seen.append(hold(client).holder)
            return super().sync(client, key)

    assert catch_up("loop", Looks()) == 1
    after = hold(client)
    assert (seen, after.holder, after.turn) == ([""], "", before.turn + 1)
    assert after.revision == client.view().revision


def test_who_writes_has_the_hold_from_then_on(client):
    """Before that, two may decide; from then on, the others do not even look."""

    class Writes(Copier):
        def sync(self, client, key):
            super().sync(client, key)
            assert hold(client).holder and elsewhere(Copier()) == 0

    catch_up("loop", Writes())
    assert len(copies(client)) == 1
    assert not hold(client).holder


def test_who_decided_before_anothers_whole_turn_is_refused(client):
    other = Copier()

    class Late(Copier):
        def has_decided(self, client):
            assert elsewhere(other) == 2

    late = Late()
    catch_up("loop", late)
    assert len(copies(client)) == 1
    assert (sorted(other.synced), late.synced) == (["default/a", f"default/{copies(client)[0]}"], [])


def test_who_decided_before_anothers_turn_failed_is_refused(client):
    """What that one has written before it failed is not done once more."""

    class Fails(Copier):
        def sync_all(self, client, causes):
            super().sync_all(client, causes)
            raise KeyboardInterrupt

    class Late(Copier):
        def has_decided(self, client):
            with pytest.raises(KeyboardInterrupt):
                elsewhere(Fails())

    late = Late()
    catch_up("loop", late)
    assert len(copies(client)) == 1
    assert "default/a" in late.synced  # once it had looked again


def test_who_decided_before_the_cursor_was_moved_on_looks_again(client):
    class Late(Copier):
        def has_decided(self, client):
            if not self.synced:
                self.synced.append("decided")
                Cursor.objects.filter(name=hold(client).name).update(turn=hold(client).turn + 1)

    catch_up("loop", Late())
    assert len(copies(client)) == 1


def test_who_was_overtaken_leaves_the_work_to_the_other(client):
    """It has written, then its hold ran out while it slept."""
    other = Copier()

    class Sleeper(Copier):
        def has_decided(self, client):
            client.create(CONFIGMAPS, a_configmap("first"))
            Cursor.objects.update(expires=time.time() - 1)
            assert elsewhere(other) >= 2

    sleeper = Sleeper()
    catch_up("loop", sleeper)
    assert (len(copies(client)), sleeper.synced) == (1, [])


def test_who_wakes_up_late_cannot_write_past_one_who_has_begun_since(client):
    """The hold that had run out was taken before anything was looked at."""
    lock = Lock(hold(client).name)
    assert lock.acquire()
    Cursor.objects.update(expires=time.time() - 1)
    refused = []

    class Next(Copier):
        def has_decided(self, client):
            try:
                Client("loop", "late", fence=lock.fence).create(CONFIGMAPS, a_configmap("copy-late"))
            except LostFence:
                refused.append("late")

    catch_up("loop", Next())
    assert (refused, len(copies(client))) == (["late"], 1)
