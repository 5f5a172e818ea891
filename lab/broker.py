"""How tasks reach Redis and come back: kombu's transport, spared most of what it costs a worker.

Kombu makes a client of Redis anew for each of the commands around a task: sent, taken, done. Of some 1.5 ms of the
processor that a task cost beside its own work, that was a third (kombu 5.7, redis-py 8.1). And of each task that a
worker has taken it keeps a copy in Redis until the task is done, for the case that the worker is killed: of what a busy
worker still took of the processor, more than a third.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.entity import TRANSIENT_DELIVERY_MODE
from kombu.transport import redis, virtual
from kombu.utils.objects import cached_property
from redis import Redis


class QoS(redis.QoS):
    """What this worker has taken and not done: of what is transient it is known here alone."""

    def append(self, message: virtual.Message, delivery_tag: str) -> None:
        keep: type[Any] = virtual.QoS if is_transient(message) else redis.QoS
        keep.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        message = self._delivered.get(delivery_tag)
        forget: type[Any] = virtual.QoS if message and is_transient(message) else redis.QoS
        forget.ack(self, delivery_tag)

    def restore_by_tag(self, tag: str, client: Redis | None = None, leftmost: bool = False) -> None:
        """Back into its queue: what this worker does not come to, or what one took that is no more."""
        message = self._delivered.get(tag)
        if not message or not is_transient(message):
            super().restore_by_tag(tag, client, leftmost)  # type: ignore[no-untyped-call]
            return
        place = message.delivery_info["exchange"], message.delivery_info["routing_key"]
        with self.channel.conn_or_acquire(client) as client:
            self.channel._do_restore_message(message._raw, *place, client, leftmost)


def is_transient(message: virtual.Message) -> bool:
    """Whether it was sent with `settings.TRANSIENT`."""
    return bool(message.properties.get("delivery_mode") == TRANSIENT_DELIVERY_MODE)


class Channel(redis.Channel):
    """One client for all commands: it takes a connection out of the channel's pool for each, and is good for as long
    as the channel is."""

    QoS = QoS

    @cached_property
    def _lasting(self) -> Redis:
        return self._create_client()  # type: ignore[no-untyped-call]

    @contextmanager
    def conn_or_acquire(self, client: Redis | None = None) -> Iterator[Redis]:
        yield client or self._lasting


class Transport(redis.Transport):
    Channel = Channel
