"""The drawer's two forms: something new for the cluster to run, and a node for it to run on."""

import yaml
from django.http import QueryDict

from lab.apimachinery.kinds import BY_GVK, DEPLOYMENTS, NAMESPACES, NODES, PODS
from lab.apimachinery.meta import key_of
from lab.client import Client

from .creating import Wrong, create_from_yaml, deployment_object, node_object

BOARD_SHOWS = (PODS, NODES, DEPLOYMENTS)
RUNTIMES = ("docker", "process", "simulated")
EXAMPLE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: orrery/hello:v1
        ports:
        - containerPort: 8080
        resources:
          requests: {cpu: 100m, memory: 32Mi}
"""


def panel(client: Client, name: str, asked: QueryDict) -> dict:
    """What the empty form shows."""
    context = {"cluster": client.cluster, "wrong": [], "form": {}}
    if name == "create":
        mode = "yaml" if asked.get("mode") == "yaml" else "form"
        return {**context, "mode": mode, "text": EXAMPLE, "namespaces": _namespaces(client), "images": _images(client)}
    return {**context, "form": _next_node(client), "runtimes": RUNTIMES}


def submit(client: Client, name: str, form: QueryDict) -> dict:
    """Create what the form says. The context of the form again with what is `wrong`, or of the news with `made`."""
    given = form.dict()
    context = {**panel(client, name, form), "form": given}
    namespace = given.get("namespace") or "default"
    if name == "create" and given.get("mode") == "yaml":
        text = given.get("text", "").replace("\r\n", "\n")
        context |= {"mode": "yaml", "text": text}
    else:
        try:
            obj = deployment_object(given) if name == "create" else node_object(given)
        except ValueError as error:
            return {**context, "wrong": [Wrong(0, str(error))]}
        text = yaml.safe_dump(obj, sort_keys=False)
    if given.get("then") == "yaml":
        return {**context, "mode": "yaml", "text": text}
    made, wrong = create_from_yaml(client.cluster, text, namespace)
    return {**context, "wrong": wrong, "lines": sorted({w.line for w in wrong}), "made": made, "open": _first_row(made)}


def _first_row(made: list[dict]) -> str:
    """The row to open: the first of what was made that the board has a row for."""
    for obj in made:
        kind = BY_GVK[obj["apiVersion"], obj["kind"]]
        if kind in BOARD_SHOWS:
            return f"{kind.resource}/{key_of(obj)}"
    return ""


def _namespaces(client: Client) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in client.list(NAMESPACES))


def _images(client: Client) -> list[str]:
    """Images that the cluster's deployments run: the likeliest to be wanted, and to be there."""
    containers = [c for d in client.list(DEPLOYMENTS) for c in d["spec"]["template"]["spec"]["containers"]]
    return sorted({container["image"] for container in containers if container.get("image")})


def _next_node(client: Client) -> dict:
    """A node like the last one, with the next free name."""
    nodes = client.list(NODES)
    taken = {node["metadata"]["name"] for node in nodes}
    number = next(i for i in range(1, len(taken) + 2) if f"worker-{i}" not in taken)
    runtimes = [node["metadata"].get("labels", {}).get("orrery.io/runtime") for node in nodes]
    return {
        "name": f"worker-{number}",
        "cpu": "4",
        "memory": "8Gi",
        "gpus": "0",
        "pods": "110",
        "zone": "abc"[len(nodes) % 3],
        "runtime": next(filter(None, runtimes), "docker"),
    }
