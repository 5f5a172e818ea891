"""A shop: a Deployment behind a Service in a namespace of its own, its visitors, and the releases of it."""

import secrets
import time
from urllib.parse import urlsplit

from tests.labs import LabUnderTest, wait_until

from .steps import MERGE
from .visiting import Visit, Visitors

VERSION = "pod-template-hash"


class Shop:
    def __init__(self, lab: LabUnderTest, image: str = "orrery/hello:v1", replicas: int = 4, rate: float = 100):
        self.replicas, self.rate = replicas, rate
        self.lab, self.namespace = lab, f"releases-{secrets.token_hex(3)}"
        self.core = f"/api/v1/namespaces/{self.namespace}"
        self.deployment = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        self.releases = f"/apis/orrery.io/v1/namespaces/{self.namespace}/releases"
        lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        lab.api("POST", self.deployment, {"metadata": {"name": "web"}, "spec": deployment_of(image, replicas)})
        service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
        lab.api("POST", f"{self.core}/services", {"metadata": {"name": "web"}, "spec": service})
        wait_until("the shop to be open", lambda: len(self.ready()) == self.replicas, 60)
        wait_until("the front door to lead there", self.answers, 30)

    def close(self) -> None:
        self.lab.api("DELETE", f"/api/v1/namespaces/{self.namespace}")
        wait_until("the shop to be gone", lambda: self.lab.get(self.core) is None, 60)

    def ready(self) -> list[dict]:
        return [
            pod
            for pod in self.lab.get(f"{self.core}/pods")["items"]
            if "deletionTimestamp" not in pod["metadata"]
            and any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", ()))
        ]

    def versions(self) -> dict[str, int]:
        """Revision → ready pods."""
        found: dict[str, int] = {}
        for pod in self.ready():
            found[pod["metadata"]["labels"][VERSION]] = found.get(pod["metadata"]["labels"][VERSION], 0) + 1
        return found

    def visitors(self, path: str = "/") -> Visitors:
        door = urlsplit(self.lab.run()["front_door"])
        return Visitors(
            ("127.0.0.1", door.port), f"web.{self.namespace}.default.localhost:{door.port}", self.rate, path
        )

    def answers(self) -> bool:
        with self.visitors() as visitors:
            time.sleep(0.1)
        return bool(visitors.visits) and not visitors.failures

    def release(self, strategy: dict, name: str = "next", **spec) -> None:
        spec = {"deployment": "web", "strategy": strategy, **spec}
        self.lab.api("POST", self.releases, {"metadata": {"name": name}, "spec": spec})

    def change(self, **spec) -> None:
        """Of the Deployment."""
        self.lab.api("PATCH", f"{self.deployment}/web", {"spec": spec}, content_type=MERGE)

    def say(self, name: str = "next", **spec) -> None:
        self.lab.api("PATCH", f"{self.releases}/{name}", {"spec": spec}, content_type=MERGE)

    def status(self, name: str = "next") -> dict:
        return self.lab.get(f"{self.releases}/{name}").get("status", {})

    def until(self, phase: str, name: str = "next", over: bool = False, **fields) -> dict:
        """Its status, once it is in that phase and has those fields; `over`: and nothing is left to do."""
        seen: dict = {}

        def look() -> bool:
            seen.clear()
            seen.update(self.status(name))
            return {"phase": phase, **fields}.items() <= seen.items() and ("finishedAt" in seen or not over)

        try:
            wait_until(f"the release to be {phase} {fields or ''}", look, 60)
        except AssertionError as error:
            raise AssertionError(f"{error}; {seen.get('phase')}: {seen.get('message')}") from None
        return seen

    def until_over(self, phase: str, name: str = "next") -> dict:
        return self.until(phase, name, over=True)


def deployment_of(image: str, replicas: int) -> dict:
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    container = {"name": "web", "image": image, "readinessProbe": probe, "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    return {
        "replicas": replicas,
        "progressDeadlineSeconds": 60,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template,
    }


def share(visits: list[Visit], version: str) -> float:
    return 100 * sum(visit.version == version for visit in visits) / len(visits)


def some(visitors: Visitors, count: int = 200) -> list[Visit]:
    """The next so many visits, once they are over."""
    first = len(visitors.visits)
    wait_until(f"{count} visits", lambda: len(visitors.visits) >= first + count, 60)
    seen = visitors.visits[first : first + count]
    wait_until("their answers", lambda: all(visit.ended for visit in seen), 30)
    return seen
