"""The drawer's two forms: something new for the cluster to run, and a node for it to run on."""

import json

import yaml
from django.http import QueryDict

from lab import demos
from lab.apimachinery.kinds import BY_GVK, DEPLOYMENTS, NAMESPACES, NODES, PODS
from lab.apimachinery.meta import key_of
from lab.client import Client

from .creating import Wrong, create_from_yaml, deployment_object, node_object

BOARD_SHOWS = (PODS, NODES, DEPLOYMENTS)
BANKS = {"monolith": "The bank as one program", "services": "The bank as services"}
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
    """What the form shows before anybody has typed: an example, in the fields or as YAML."""
    mode = "yaml" if asked.get("mode") == "yaml" else "form"
    context = {"cluster": client.cluster, "mode": mode, "wrong": [], "lines": "[]"}
    if name == "create":
        known = {
            "namespaces": _namespaces(client),
            "images": _images(client),
            "examples": {"": "A web server", **BANKS},
        }
        return {**context, "form": {}, "text": _example(asked.get("example", "")), **known}
    form = _next_node(client)
    return {**context, "form": form, "text": _written(node_object(form)), "runtimes": RUNTIMES}


def submit(client: Client, name: str, form: QueryDict) -> dict:
    """Create what the form says. The context of the form again with what is `wrong`, or of the news with `made`."""
    given = form.dict()
    context = {**panel(client, name, form), "form": given}
    namespace = given.get("namespace") or "default"
    if context["mode"] == "yaml":
        text = given.get("text", "").replace("\r\n", "\n")
        context["text"] = text
    else:
        try:
            obj = deployment_object(given) if name == "create" else node_object(given)
        except ValueError as error:
            return {**context, "wrong": [Wrong(0, str(error))]}
        text = _written(obj)
    if given.get("then") == "yaml":
        return {**context, "mode": "yaml", "text": text}
    made, wrong = create_from_yaml(client.cluster, text, namespace)
    lines = json.dumps([{"line": one.line} for one in wrong])
    return {**context, "wrong": wrong, "lines": lines, "made": made, "open": _first_row(made)}


def _example(name: str) -> str:
    return demos.MANIFESTS[name].read_text() if name in BANKS else EXAMPLE


def _written(obj: dict) -> str:
    return yaml.safe_dump(obj, sort_keys=False)


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
