"""A cluster with a Deployment behind a Service, in which releases are played: the real store and the real loops."""

import json

from lab import metrics
from lab.apimachinery.kinds import DEPLOYMENTS, PODS, RELEASES, SERVICES
from lab.apimachinery.meta import is_deleting
from lab.controllers.release.controller import ReleaseController

from .cluster import WORKLOADS, Cluster

LOOP = ReleaseController()
CANARY = {"type": "Canary", "canary": {"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]}}
BLUE_GREEN = {"type": "BlueGreen"}


class Releasing(Cluster):
    """Deployment and Service `web`, `replicas` pods of v1; kubelets and proxy are played."""

    def __init__(self, replicas: int = 10, **spec):
        super().__init__("releases")
        self.deploy(replicas, **spec)
        self.serve()
        self.run_all()

    def serve(self, name: str = "web", **selector) -> None:
        spec = {"selector": selector or {"app": "web"}, "ports": [{"port": 80}]}
        self.client.create(SERVICES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})

    def settle(self, *controllers) -> int:
        return super().settle(*(controllers or (*WORKLOADS, LOOP)))

    def look(self) -> None:
        """Let a second pass: what wants to look again does."""
        for key in LOOP.all_keys(self.client):
            LOOP.sync(self.client, key)
        self.settle()

    def carry_on(self, looks: int = 8) -> None:
        """Let pods start and end, and time pass, until nothing more follows."""
        for _ in range(looks):
            self.run_all()
            self.look()

    def begin(self, strategy: dict, name: str = "to-v2", image: str = "web:v2", **spec) -> None:
        spec = {"deployment": "web", "image": image, "strategy": strategy, **spec}
        self.client.create(RELEASES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        self.settle()

    def say(self, name: str = "to-v2", **spec) -> None:
        """What a person changes in the release's spec."""
        self.client.patch(RELEASES, "default", name, {"spec": spec})
        self.settle()

    def status(self, name: str = "to-v2") -> dict:
        return self.client.get(RELEASES, "default", name).get("status", {})

    def phase(self, name: str = "to-v2") -> str:
        return self.status(name).get("phase", "")

    def weights(self) -> dict[str, int]:
        """Image → percentage; {} where the Service says nothing."""
        said = self.client.get(SERVICES, "default", "web")["metadata"].get("annotations", {}).get("orrery.io/weights")
        images = {rs["metadata"]["labels"]["pod-template-hash"]: image_of(rs) for rs in self.replica_sets()}
        return {images[revision]: share for revision, share in json.loads(said or "{}").items()}

    def counts(self) -> dict[str, int]:
        """Image → pods that are to stay."""
        found: dict[str, int] = {}
        for pod in self.pods():
            if not is_deleting(pod):
                image = pod["spec"]["containers"][0]["image"]
                found[image] = found.get(image, 0) + 1
        return found

    def image(self) -> str:
        return image_of(self.client.get(DEPLOYMENTS, "default", "web"))

    def marks(self) -> set[str]:
        """What releases have left on the Deployment."""
        found = self.client.get(DEPLOYMENTS, "default", "web")["metadata"].get("annotations", {})
        return {key for key in found if key.startswith("orrery.io/")}

    def is_as_before(self, image: str = "web:v1", replicas: int = 10) -> bool:
        """Neither traffic nor sizes nor template tell that there was a release."""
        return (self.image(), self.counts(), self.weights(), self.marks()) == (image, {image: replicas}, {}, set())

    def traffic(self, requests: dict[str, int], errors: dict[str, int] | None = None, mean: float = 5) -> None:
        """What the proxy has counted at each pod of an image until now."""
        servers = {
            pod["metadata"]["uid"]: {
                "requests": requests[image],
                "errors": (errors or {}).get(image, 0),
                "inFlight": 0,
                "totalMs": requests[image] * mean,
            }
            for pod in self.pods()
            if (image := pod["spec"]["containers"][0]["image"]) in requests
        }
        metrics.publish(self.name, metrics.TRAFFIC, "proxy", {"default/web:80": {"servers": servers}})

    def no_traffic(self) -> None:
        metrics.publish(self.name, metrics.TRAFFIC, "proxy", {})

    def complain(self, image: str, reason: str, message: str) -> None:
        """The kubelet's word on pods of an image that cannot start."""
        for pod in self.pods():
            if pod["spec"]["containers"][0]["image"] == image:
                waiting = {"name": "web", "state": {"waiting": {"reason": reason, "message": message}}}
                status = {**pod.get("status", {}), "phase": "Pending", "containerStatuses": [waiting]}
                self.client.update_status(PODS, {**pod, "status": status})


def image_of(obj: dict) -> str:
    return obj["spec"]["template"]["spec"]["containers"][0]["image"]
