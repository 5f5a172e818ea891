"""Removing containers, those that the engine cannot remove among them.

An engine that was stopped while it started a container may find, when it is back, that the container's file system is
still mounted where it cannot reach it (`device or resource busy`). It calls such a one dead, and tries again only when
it is started anew. Nothing runs in it, but it keeps its name, which the next try for the same pod needs.
"""

import logging
import time

from docker import APIClient
from docker.errors import APIError

from .engine import words

logger = logging.getLogger(__name__)
WAIT_SECONDS, PAUSE_FIRST, PAUSE_MOST = 10, 0.05, 1.0
DEAD = "dead"  # the engine's word, in lists and inspections
ASIDE = "dead-"


def remove(client: APIClient, container_id: str) -> None:
    """Have the container gone, or at least out of the way. Raises docker.errors.APIError; NotFound if it was gone."""
    try:
        client.remove_container(container_id, v=True, force=True)
    except APIError as refusal:
        found = _look_until_settled(client, container_id)
        if found["State"]["Status"] != DEAD:
            raise
        name = found["Name"].lstrip("/")
        if not name.startswith(ASIDE):
            logger.warning("container %s stays until the engine is started anew: %s", name, words(refusal))
            client.rename(container_id, f"{ASIDE}{found['Id'][:12]}-{name}")


def _look_until_settled(client: APIClient, container_id: str) -> dict:
    """What there is of it once nobody is removing it any more: somebody else may have begun before us."""
    end, pause = time.monotonic() + WAIT_SECONDS, PAUSE_FIRST
    while True:
        found = client.inspect_container(container_id)
        if found["State"]["Status"] != "removing" or time.monotonic() > end:
            return found
        time.sleep(pause)
        # Whoever asks an engine that is behind again and again keeps it from catching up.
        pause = min(2 * pause, PAUSE_MOST)
