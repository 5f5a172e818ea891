"""What the broker keeps of tasks that a worker has taken: those that nobody would say again; of hints, nothing."""

import secrets
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from kombu import Connection, Consumer, Queue
from kombu.transport.virtual import Message

from lab.celery import app

DURABLE: dict = {}
PREFIX = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]


class Taking:
    """A worker's part: it takes a few tasks at a time from a queue of its own."""

    def __init__(self, connection: Connection, name: str):
        self.name = name
        self.taken: list[Message] = []
        self._connection = connection
        self.channel = connection.channel()
        self.channel.basic_qos(0, 2, False)
        Consumer(self.channel, [Queue(name)], on_message=self.taken.append, accept=["json"]).consume()

    def sends(self, options: dict, number: int = 1) -> None:
        for _ in range(number):
            app.send_task("a.task", args=[], queue=self.name, connection=self._connection, **options)

    def takes(self, until: int) -> None:
        """As many as it may, at most `until` in all."""
        while len(self.taken) < until and self.channel.qos.can_consume():
            self._connection.drain_events(timeout=5)


@pytest.fixture
def worker(broker) -> Iterator[Taking]:
    with app.connection_for_read() as connection:
        yield Taking(connection, f"queue-{secrets.token_hex(3)}")


@pytest.fixture
def kept(broker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(broker) as client:
        client.delete(f"{PREFIX}unacked", f"{PREFIX}unacked_index")
        yield client


@pytest.mark.parametrize(("options", "copies"), [(settings.TRANSIENT, 0), (DURABLE, 1)])
def test_a_copy_is_kept_of_what_nobody_would_say_again(worker, kept, options, copies):
    worker.sends(options)
    worker.takes(1)
    assert kept.hlen(f"{PREFIX}unacked") == kept.zcard(f"{PREFIX}unacked_index") == copies
    worker.taken[0].ack()
    assert kept.hlen(f"{PREFIX}unacked") == kept.zcard(f"{PREFIX}unacked_index") == 0


@pytest.mark.parametrize("options", [settings.TRANSIENT, DURABLE])
def test_a_worker_takes_no_more_than_it_may_until_some_are_done(worker, kept, options):
    worker.sends(options, 3)
    worker.takes(3)
    assert len(worker.taken) == 2
    worker.taken[0].ack()
    worker.takes(3)
    assert len(worker.taken) == 3


@pytest.mark.parametrize("options", [settings.TRANSIENT, DURABLE])
def test_what_a_worker_that_ends_has_not_done_is_for_the_next_one(worker, kept, options):
    worker.sends(options, 2)
    worker.takes(2)
    worker.taken[0].ack()
    worker.channel.close()
    assert kept.llen(PREFIX + worker.name) == 1
    assert kept.hlen(f"{PREFIX}unacked") == 0
    kept.delete(PREFIX + worker.name)


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE.values(), ids=lambda entry: entry["task"])
def test_what_the_clock_sends_it_sends_again(entry):
    assert settings.TRANSIENT.items() <= entry["options"].items()
