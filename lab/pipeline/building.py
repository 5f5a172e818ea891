"""One build, in a thread: has the kubelet build, writes down what it says, and ships the image if there is one.

Its words go into the Build's status, a few times a second, so whoever watches the Build sees them come. The Deployment
and the Build are changed in one transaction: it is shipped and says so, or neither.
"""

import json
import logging
import queue
import threading
import time

from django.db import DatabaseError, connections

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError, not_found
from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS
from lab.client import Client, Lock, LostFence, Put
from lab.client.images import Lines, build_image, built_as

from .plan import FAILED, ROLLING_OUT, clipped, container_of, with_image

log = logging.getLogger(__name__)
WRITE_SECONDS = 0.3
RENEW_SECONDS = 1.0
TRIES = 5
PATIENCE_SECONDS = 10.0


class Building:
    """`start()` returns at once. `lock` is held, and is given back when all is over."""

    def __init__(self, cluster: str, build: dict, lock: Lock):
        self._client = Client(cluster, "build-controller", int(build["metadata"]["resourceVersion"]), lock.fence)
        self._key = build["metadata"]["namespace"], build["metadata"]["name"]
        self._uid = build["metadata"]["uid"]
        self._spec = build["spec"]
        self._lock = lock
        self._said: list[str] = []
        self._lines: Lines | None = None
        self._over = threading.Event()
        self._heard: queue.Queue[dict] = queue.Queue()

    def start(self) -> None:
        threading.Thread(target=self._run, name="build", daemon=True).start()

    def _run(self) -> None:
        try:
            result = self._build()
            for _ in range(TRIES):
                if self._conclude(result):
                    break
        except (LostFence, DatabaseError) as error:
            log.warning("build %s/%s is given up: %s", *self._key, error)
        except ApiError as error:
            log.info("build %s/%s is over: %s", *self._key, error.message)  # it was deleted: nobody wants it any more
        finally:
            self._lock.release()
            connections.close_all()

    def _build(self) -> dict:
        """The kubelet's last word: `{"image": …, "id": …}` or `{"error": …}`."""
        threading.Thread(target=self._listen, name="build-listener", daemon=True).start()
        try:
            return self._follow()
        finally:
            self._over.set()
            if self._lines:
                self._lines.close()

    def _container(self) -> dict:
        """The container that is to get the image. Raises ApiError 404."""
        deployment = self._client.get(DEPLOYMENTS, self._key[0], self._spec["deployment"])
        found = container_of({"spec": self._spec}, deployment)
        if found is None:
            raise ApiError(404, "NotFound", f"{self._spec['deployment']} has no container {self._spec['container']}")
        return found

    def _listen(self) -> None:
        """Ask, and pass on what is answered. A kubelet that does not answer may just be starting."""
        end, heard = time.monotonic() + PATIENCE_SECONDS, False
        while True:
            try:
                image, guard = self._container()["image"], self._client.view().guard
                repository = self._spec.get("repository") or built_as(image, guard)
                seconds = self._spec["timeoutSeconds"]
                self._lines = build_image(self._client, repository, self._spec["files"], seconds)
                for line in self._lines:
                    heard = True
                    self._heard.put(json.loads(line))
                self._heard.put({"error": "the kubelet hung up in the middle of the build; nothing was changed"})
                break
            except ApiError as error:
                if heard or error.code != 503 or time.monotonic() > end:
                    self._heard.put({"error": error.message})
                    break
            if self._over.wait(RENEW_SECONDS):
                break
        connections.close_all()

    def _follow(self) -> dict:
        """Until the last word. Raises ApiError 404 when the Build was deleted, and LostFence with the hold."""
        written = renewed = 0.0
        lines = 0
        while True:
            try:
                told = self._heard.get(timeout=WRITE_SECONDS)
            except queue.Empty:
                told = {}
            if "line" in told:
                self._said.append(told["line"])
            elif told:
                return told
            now = time.monotonic()
            if now - renewed > RENEW_SECONDS:
                renewed = now
                if not self._lock.renew():
                    raise LostFence(self._lock.name)
                self._build_now()
            if len(self._said) > lines and now - written > WRITE_SECONDS:
                written, lines = now, len(self._said)
                self._client.patch(BUILDS, *self._key, {"status": {"log": clipped(self._said)}}, "status")

    def _build_now(self) -> dict:
        build = self._client.get(BUILDS, *self._key)
        if build["metadata"]["uid"] != self._uid:
            raise not_found(BUILDS, self._key[1])
        return build

    def _conclude(self, result: dict) -> bool:
        """Write the end of the build, with the Deployment if there is an image; False if somebody else wrote first."""
        build = self._build_now()
        status = {**build["status"], "log": clipped(self._said)}
        puts = []
        if "error" not in result:
            try:
                puts.append(self._shipped(result))
            except ApiError as error:  # the deployment went away meanwhile
                result = {"error": error.message}
        if "error" in result:
            status |= {"phase": FAILED, "message": result["error"], "finishedAt": meta.now()}
        else:
            message = f"built {result['image']}; it is being rolled out"
            status |= {"phase": ROLLING_OUT, "image": result["image"], "imageID": result["id"], "message": message}
        try:
            self._client.write([*puts, Put(BUILDS, {**build, "status": status}, "status")])
        except ApiError as error:
            if error.code != 409:
                raise
            return False
        return True

    def _shipped(self, result: dict) -> Put:
        deployment = self._client.get(DEPLOYMENTS, self._key[0], self._spec["deployment"])
        name, template = self._container()["name"], deployment["spec"]["template"]
        containers = with_image(template["spec"]["containers"], name, result["image"])
        template = {**template, "spec": {**template["spec"], "containers": containers}}
        new = {**deployment, "spec": {**deployment["spec"], "template": template}}
        return Put(DEPLOYMENTS, new, why={"decision": "RollOutImage", "build": self._key[1], "image": result["image"]})
