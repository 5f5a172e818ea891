"""Whether a pod that must end has to be drained first: SIGTERM only once nobody asks it anything new.

Kubernetes does both at once, the end of the pod and the news of it to every proxy, and a request that comes in between
is refused; hence all the `preStop: sleep 5`. Here kube-proxy says in the pod's condition when it is out of the way.
"""

import time

from lab.apimachinery.kinds import ENDPOINTSLICES
from lab.apimachinery.labels import DRAINED
from lab.apimachinery.meta import is_true
from lab.client import Client
from lab.client.cursors import place_of
from lab.client.locks import PROXY_HOLD

from .records import PodRecord

ANNOTATION = "orrery.io/drain"  # "false": end it at once, and see what happens without
SILENCE_SECONDS = 2.0  # without a word from a proxy, after which it is asked whether there is any
MOST_SECONDS = 8.0  # a proxy gives up five seconds after it has heard of the pod


def must_drain(client: Client, pod: dict) -> bool:
    """Only a pod that stands behind a Service: nobody else has visitors that could find it."""
    meta = pod["metadata"]
    if (meta.get("annotations") or {}).get(ANNOTATION) == "false" or not pod.get("status", {}).get("podIP"):
        return False
    return any(
        (endpoint.get("targetRef") or {}).get("uid") == meta["uid"]
        for one in client.list(ENDPOINTSLICES, meta["namespace"])
        for endpoint in one.get("endpoints") or ()
    )


def wait_until_drained(record: PodRecord, grace: float) -> None:
    """Returns when the proxy has said so, when there is none, or when the grace is over; at once if the pod is to be
    killed. The record's event is set by whoever hears of either."""
    deadline = time.monotonic() + min(grace, MOST_SECONDS)
    if not record.drained.wait(min(grace, SILENCE_SECONDS)) and place_of(PROXY_HOLD).is_held:
        record.drained.wait(max(0.0, deadline - time.monotonic()))


def note_drained(record: PodRecord) -> None:
    """The API says something new of the pod."""
    if is_true(record.pod, DRAINED):
        record.drained.set()
