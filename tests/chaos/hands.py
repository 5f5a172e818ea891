"""Hands at the API: who is not answered asks again, as client-go does, and a ledger keeps what was accepted."""

import contextlib
import http.client
import json
import time
import urllib.error
from collections.abc import Callable

from ..labs import LabUnderTest
from . import manifests
from .findings import Findings
from .plan import FRONT

NODES = "/api/v1/nodes"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
TRIES = 120
AGAIN = (409, 429, 500, 503)
NO_ANSWER = (OSError, http.client.HTTPException, TimeoutError, json.JSONDecodeError)


class Refused(Exception):
    """The API said no, and will say so again."""

    def __init__(self, code: int, message: str):
        super().__init__(f"{code}: {message}")
        self.code = code


class Ledger:
    """`written`: kind, name and revision of each write that was answered; `declared`: what the last one left of each
    object, as a test of it; None for one that was deleted."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, int]] = []
        self.declared: dict[tuple[str, str], Callable[[dict], bool] | None] = {}
        self.most_replicas: dict[str, int] = {}  # of each Deployment, since it was last quiet
        self.replicas: dict[str, int] = {}

    def size(self, name: str, replicas: int) -> None:
        self.replicas[name] = replicas
        self.most_replicas[name] = max(replicas, self.most_replicas.get(name, 0))

    def quiet(self) -> None:
        self.most_replicas = dict(self.replicas)


class Hands:
    def __init__(self, lab: LabUnderTest, findings: Findings):
        self.lab, self.findings, self.ledger = lab, findings, Ledger()
        self._shape: dict[tuple[str, str], dict] = {}

    def ask(self, method: str, path: str, body: dict | None = None, content_type: str = "application/json") -> dict:
        """The answer, however often it takes to get one. Raises Refused."""
        last: object = None
        for _ in range(TRIES):
            try:
                return self.lab.api(method, path, body, content_type=content_type)
            except urllib.error.HTTPError as error:
                with error:
                    said = error.read().decode(errors="replace")
                if error.code not in AGAIN or "AlreadyExists" in said:
                    raise Refused(error.code, said[:300]) from None
                last = said[:300]
                if error.code == 500:
                    self.findings.add(f"{method} {path} was answered with 500: {last}")
            except NO_ANSWER as error:
                last = error
            self.findings.count("requests made again")
            time.sleep(0.5)
        raise Refused(0, f"no answer to {method} {path} in {TRIES} tries: {last!r}")

    # What a plan declares: each is done when it was accepted.

    def create_deployment(self, name: str, replicas: int, image: str, strategy: str) -> None:
        self.ledger.size(name, replicas)
        self._create(
            "deployment", manifests.deployment(name, replicas, image, strategy), replicas=replicas, image=image
        )

    def create_statefulset(self, name: str, replicas: int, image: str, policy: str) -> None:
        self._create(
            "statefulset", manifests.stateful_set(name, replicas, image, policy), replicas=replicas, image=image
        )

    def create_daemonset(self, name: str, image: str) -> None:
        self._create("daemonset", manifests.daemon_set(name, image), image=image)

    def create_job(self, name: str, **shape) -> None:
        self._create("job", manifests.job(name, **shape), completions=shape["completions"])

    def create_cronjob(self, name: str, **shape) -> None:
        self._create("cronjob", manifests.cron_job(name, **shape))

    def create_autoscaler(self, name: str, image: str, least: int, most: int, each: int) -> None:
        """With what it scales."""
        self.ledger.size(name, most)
        self._create("deployment", manifests.deployment(name, least, image, "RollingUpdate"), image=image)
        scaler = manifests.autoscaler(name, FRONT, least, most, each)
        self._create("autoscaler", scaler, minReplicas=least, maxReplicas=most)

    def create_service(self, name: str, app: str) -> None:
        self._create("service", manifests.service(name, app))

    def create_namespace(self, name: str) -> None:
        """With something of each sort in it, which must go with it."""
        self._create("namespace", {"metadata": {"name": name}})
        apps, image = f"/apis/apps/v1/namespaces/{name}", manifests.FALLBACK_IMAGE
        for path, obj in (
            (f"{apps}/deployments", manifests.deployment("inside", 1, image, "RollingUpdate")),
            (f"{apps}/statefulsets", manifests.stateful_set("ordered", 1, image, "OrderedReady")),
            (f"/apis/batch/v1/namespaces/{name}/jobs", manifests.job("once", 1, 1, 0.1, "NonIndexed", "Never")),
            (f"/api/v1/namespaces/{name}/services", manifests.service("inside", "inside")),
        ):
            with contextlib.suppress(Refused):  # its answer was lost, and it is there
                self.ask("POST", path, obj)

    def scale_deployment(self, name: str, replicas: int) -> None:
        self.ledger.size(name, replicas)
        self._change("deployment", name, {"spec": {"replicas": replicas}}, replicas=replicas)

    def scale_statefulset(self, name: str, replicas: int) -> None:
        self._change("statefulset", name, {"spec": {"replicas": replicas}}, replicas=replicas)

    def release_deployment(self, name: str, image: str) -> None:
        self._release("deployment", name, image)

    def release_statefulset(self, name: str, image: str) -> None:
        self._release("statefulset", name, image)

    def release_daemonset(self, name: str, image: str) -> None:
        self._release("daemonset", name, image)

    def restart_deployment(self, name: str, mark: str) -> None:
        """As `kubectl rollout restart` does."""
        annotations = {"kubectl.kubernetes.io/restartedAt": mark}
        self._change("deployment", name, {"spec": {"template": {"metadata": {"annotations": annotations}}}})

    def undo_deployment(self, name: str) -> None:
        """As `kubectl rollout undo` does: the template of the newest revision but one that is not broken."""
        sets = self.ask("GET", f"{manifests.APPS}/replicasets?labelSelector=app%3D{name}")["items"]
        sets.sort(key=lambda each: -int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
        images = [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in sets]
        good = next((image for image in images if not image.endswith("broken")), manifests.FALLBACK_IMAGE)
        self._release("deployment", name, good)

    def scale_autoscaler(self, name: str, replicas: int) -> None:
        """A person scales too, and is overruled."""
        self.ledger.size(name, max(replicas, self.ledger.replicas[name]))
        self._change("deployment", name, {"spec": {"replicas": replicas}})

    def release_autoscaler(self, name: str, image: str) -> None:
        self._release("deployment", name, image)

    def resize_autoscaler(self, name: str, least: int, most: int) -> None:
        self.ledger.size(name, most)
        bounds = {"minReplicas": least, "maxReplicas": most}
        self._change("autoscaler", name, {"spec": bounds}, **bounds)

    def delete(self, kind: str, name: str, propagation: str) -> None:
        if kind in ("deployment", "autoscaler"):
            self.ledger.size(name, 0)
        self._delete(kind, name, propagation)
        if kind == "autoscaler":
            self._delete("deployment", name, propagation)

    def readopt(self, kind: str, name: str) -> None:
        """It goes and leaves what it owned, which its successor of the same name takes over."""
        found = self.ask("GET", f"{manifests.PATHS[kind]}/{name}")
        self._delete(kind, name, "Orphan")
        self._create(kind, {"metadata": {"name": name}, "spec": found["spec"]}, **self._shape[kind, name])

    def drain_node(self, where: float, seconds: float) -> None:
        """Cordon, evict until nobody is left whom a drain would move, wait, uncordon. Budgets are kept."""
        name = self.worker_node(where)
        self.cordon(name, True)
        for _ in range(TRIES):
            there = [pod for pod in self.pods_on(name) if "deletionTimestamp" not in pod["metadata"]]
            if not there:
                break
            for pod in there:
                self.evict(pod)
            time.sleep(0.5)
        else:
            self.findings.add(f"drain of {name} does not end: {[pod['metadata']['name'] for pod in there]}")
        time.sleep(seconds)
        self.cordon(name, False)

    # Nodes and pods.

    def worker_node(self, where: float) -> str:
        names = sorted(
            node["metadata"]["name"]
            for node in self.ask("GET", NODES)["items"]
            if "node-role.kubernetes.io/control-plane" not in node["metadata"]["labels"]
        )
        return names[int(where * len(names))]

    def pods_on(self, node: str) -> list[dict]:
        listed = self.ask("GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}")["items"]
        return [pod for pod in listed if _owner_kind(pod) != "DaemonSet" and _is_living(pod)]

    def cordon(self, name: str, on: bool) -> None:
        self.ask("PATCH", f"{NODES}/{name}", {"spec": {"unschedulable": on or None}}, MERGE)

    def evict(self, pod: dict) -> None:
        meta = pod["metadata"]
        body = {"metadata": {"name": meta["name"], "namespace": meta["namespace"]}}
        with contextlib.suppress(urllib.error.HTTPError, *NO_ANSWER):
            path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction"
            self.lab.api("POST", path, {"apiVersion": "policy/v1", "kind": "Eviction", **body})

    def delete_pod(self, pod: dict, **options) -> None:
        meta = pod["metadata"]
        body = {"preconditions": {"uid": meta["uid"]}, **options}
        with contextlib.suppress(Refused):  # it went by itself
            self.ask("DELETE", f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", body)

    # The ledger.

    def _create(self, kind: str, obj: dict, **shape) -> None:
        name = obj["metadata"]["name"]
        for _ in range(TRIES):
            try:
                self._accepted(kind, self.ask("POST", manifests.PATHS[kind], obj), shape)
                return
            except Refused as refused:
                if refused.code != 409:
                    raise
            # Of our own, whose answer was lost; or its predecessor, which is on its way out.
            with contextlib.suppress(Refused):
                found = self.ask("GET", f"{manifests.PATHS[kind]}/{name}")
                if "deletionTimestamp" not in found["metadata"]:
                    return self._accepted(kind, found, shape)
            time.sleep(1)
        self.findings.add(f"{kind} {name} does not go: another of its name could not be created")

    def _release(self, kind: str, name: str, image: str) -> None:
        containers = [{"name": "main", "image": image}]
        self._change(kind, name, {"spec": {"template": {"spec": {"containers": containers}}}}, image=image)

    def _change(self, kind: str, name: str, patch: dict, **shape) -> None:
        try:
            made = self.ask("PATCH", f"{manifests.PATHS[kind]}/{name}", patch, STRATEGIC)
        except Refused as refused:
            self.findings.add(f"{kind} {name} was accepted, and is not there to be changed: {refused}")
        else:
            self._accepted(kind, made, self._shape.get((kind, name), {}) | shape)

    def _delete(self, kind: str, name: str, propagation: str) -> None:
        try:
            self.ask("DELETE", f"{manifests.PATHS[kind]}/{name}", {"propagationPolicy": propagation})
        except Refused as refused:
            if refused.code != 404:  # that is a deletion whose answer was lost
                raise
        self.ledger.declared[kind, name] = None

    def _accepted(self, kind: str, made: dict, shape: dict) -> None:
        name, uid = made["metadata"]["name"], made["metadata"]["uid"]
        revision = int(made["metadata"]["resourceVersion"])
        self.ledger.written.append((kind, name, revision))
        self._shape[kind, name] = shape

        def is_kept(seen: dict) -> bool:
            same = seen["metadata"]["uid"] == uid and int(seen["metadata"]["resourceVersion"]) >= revision
            return same and _shape_of(seen).items() >= shape.items()

        self.ledger.declared[kind, name] = is_kept


def _shape_of(obj: dict) -> dict:
    spec = obj.get("spec", {})
    containers = spec.get("template", {}).get("spec", {}).get("containers", [{}])
    numbers = ("replicas", "completions", "minReplicas", "maxReplicas")
    return {**{key: spec.get(key) for key in numbers}, "image": containers[0].get("image")}


def _is_living(pod: dict) -> bool:
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def _owner_kind(pod: dict) -> str:
    return next((ref["kind"] for ref in pod["metadata"].get("ownerReferences", ()) if ref.get("controller")), "")
