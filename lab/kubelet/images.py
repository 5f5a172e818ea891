"""Images: is it there, may it be pulled, and how long to leave a registry alone that refuses.

A pull can take minutes, so it runs in a thread of its own while its pod's worker goes on. Source of the rules and of
the words: pkg/kubelet/images/image_manager.go.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lab.runtime import Image, ImageService, RuntimeFailure

from .backoff import Backoff
from .status import Waiting

log = logging.getLogger(__name__)
PULLS_AT_ONCE = 4

Tell = Callable[[str, str, str], None]  # Normal | Warning, reason, message: an event of the pod


class Images:
    def __init__(self, engine: ImageService, backoff: Backoff):
        self._engine = engine
        self._backoff = backoff
        self._pool = ThreadPoolExecutor(PULLS_AT_ONCE, thread_name_prefix="pull")
        self._lock = threading.Lock()
        self._waiters: dict[str, list[Callable[[], None]]] = {}  # images being pulled → whom to wake afterwards
        self._pulled: set[tuple[str, str]] = set()  # (pod's uid, image): pulled for this pod, by policy Always
        self._failed: dict[str, Waiting] = {}
        self._told: set[tuple[str, str]] = set()  # (pod's uid, image): has shown its ErrImagePull, backs off now
        self._present: dict[str, Image] = {}  # by its name

    def ensure(
        self, uid: str, container: dict, tell: Tell, wake: Callable[[], None], abroad: bool = True
    ) -> Waiting | None:
        """None if the image is there. Else why the container waits; `wake` is called when that may have changed.
        `abroad`: it may come from a registry.

        Raises RuntimeFailure("InvalidImageName").
        """
        image = container["image"]
        policy = container.get("imagePullPolicy", "IfNotPresent")
        if policy == "Always":
            if (uid, image) in self._pulled:
                # Always means: at each start of the container. The pull made for this start is used up by it.
                self._pulled.discard((uid, image))
                return None
        elif self._is_present(image):
            if (uid, image) not in self._pulled:
                tell("Normal", "Pulled", f'Container image "{image}" already present on machine')
            return None
        if policy == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            tell("Warning", "ErrImageNeverPull", message)
            tell("Warning", "Failed", "Error: ErrImageNeverPull")
            return Waiting("ErrImageNeverPull", message)
        return self._pull(uid, image, tell, wake, abroad)

    def begin(self, uid: str, container: dict, tell: Tell, wake: Callable[[], None], abroad: bool = True) -> None:
        """Have a missing image pulled already, while the pod's network is made. `ensure` will tell of any failure."""
        image = container["image"]
        try:
            missing = container.get("imagePullPolicy", "IfNotPresent") == "IfNotPresent" and not self._is_present(image)
        except RuntimeFailure:
            return
        if missing and not self._backoff.remaining(image):
            self._pull(uid, image, tell, wake, abroad)

    def _is_present(self, image: str) -> bool:
        if image not in self._present and (found := self._engine.status(image)):
            self._present[image] = found
        return image in self._present

    def id_of(self, image: str) -> str:
        return self._present[image].id if image in self._present else ""

    def user_of(self, image: str) -> str | None:
        """Who runs it unless a pod says who; None where that is not known."""
        return self._present[image].user if image in self._present else None

    def recheck(self) -> None:
        """Images may be removed behind our back: believe nothing longer than from one relist to the next."""
        self._present.clear()

    def remaining(self, image: str) -> float:
        return self._backoff.remaining(image)

    def forget(self, uid: str) -> None:
        for entries in (self._pulled, self._told):
            for entry in [entry for entry in entries.copy() if entry[0] == uid]:
                entries.discard(entry)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _pull(self, uid: str, image: str, tell: Tell, wake: Callable[[], None], abroad: bool) -> Waiting:
        with self._lock:
            if image in self._waiters:
                self._waiters[image].append(wake)
                return Waiting("ContainerCreating")
            if self._backoff.remaining(image) > 0:
                failed = self._failed[image]
                if (uid, image) not in self._told:
                    self._told.add((uid, image))
                    return failed
                message = f'Back-off pulling image "{image}"'
                tell("Normal", "BackOff", message)
                tell("Warning", "Failed", "Error: ImagePullBackOff")
                return Waiting("ImagePullBackOff", f"{message}: {failed.reason}: {failed.message}")
            self._waiters[image] = [wake]
            self._told.discard((uid, image))
        tell("Normal", "Pulling", f'Pulling image "{image}"')
        self._pool.submit(self._pull_now, uid, image, tell, abroad)
        return self._failed.get(image) or Waiting("ContainerCreating")

    def _pull_now(self, uid: str, image: str, tell: Tell, abroad: bool) -> None:
        try:
            found = self._engine.pull(image, abroad)
        except Exception as error:
            failure = error if isinstance(error, RuntimeFailure) else RuntimeFailure("ErrImagePull", repr(error))
            self._backoff.failed(image)
            self._failed[image] = Waiting(failure.reason, failure.message)
            tell("Warning", "Failed", f'Failed to pull image "{image}": {failure.message}')
            tell("Warning", "Failed", f"Error: {failure.reason}")
            if error is not failure:  # nobody asks what becomes of this thread's work
                log.exception("%s cannot be pulled", image)
        else:
            self._backoff.succeeded(image)
            self._failed.pop(image, None)
            self._present[image] = found
            self._pulled.add((uid, image))
            tell("Normal", "Pulled", f'Successfully pulled image "{image}". Image size: {found.size} bytes.')
        finally:
            with self._lock:
                waiters = self._waiters.pop(image)
            for wake in waiters:
                wake()
