"""A control loop for tests of the loop itself, and something for it to look at."""

from lab.apimachinery.kinds import CONFIGMAPS
from lab.client.reconcile import Controller


class Recorder(Controller):
    """Remembers what it was asked to sync; fails as often as it is told to."""

    name = "recorder"
    watches = ("configmaps",)

    def __init__(self):
        self.synced: list[str] = []
        self.failures = 0
        self.delay: float | None = None

    def keys(self, change):
        yield f"{change.namespace}/{change.name}"

    def all_keys(self, client):
        return [f"default/{o['metadata']['name']}" for o in client.list(CONFIGMAPS)]

    def sync(self, client, key):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("not today")
        self.synced.append(key)
        return self.delay


def a_configmap(name: str) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "data": {"a": "1"}}
