"""What was written for a cluster that somebody has deleted: its volumes, and the images that its learner had built.

Its containers and networks go when nobody knows the cluster any more. That alone must not cost anybody their data: the
database may be a new one, or another, until the right one is back. So these go only when the store says that somebody
has deleted the cluster.
"""

import logging
import time
from collections.abc import Callable
from functools import partial

from lab.client import deleted_clusters
from lab.runtime import Runtime, RuntimeFailure

log = logging.getLogger(__name__)
LOOK_SECONDS = 20.0


class Leavings:
    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._looked = time.monotonic()

    def clear(self) -> None:
        """Once in a while. What somebody still has open stays until the next time. Raises RuntimeFailure where the
        engine does not say what it has."""
        if time.monotonic() < self._looked + LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        deleted = deleted_clusters()
        if not deleted:
            return
        volumes, images = self._runtime.volumes, self._runtime.images
        for cluster, handle in volumes.present():
            if cluster in deleted:
                _try(f"volume {handle} of {cluster}", partial(volumes.remove, cluster, handle))
        for owner in sorted({image.owner for image in images.present()} & deleted):
            _try(f"an image of {owner}", partial(images.forget, owner))


def _try(what: str, remove: Callable[[], None]) -> None:
    try:
        remove()
    except RuntimeFailure as failure:
        log.info("%s stays for now: %s", what, failure.message)
