"""The drawer's forms: something new for the cluster to run, a node for it to run on, and those of `forms`."""

import json

import yaml
from django.http import QueryDict

from lab import demos
from lab.apimachinery.engines import DOCKER
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BY_GVK, DEPLOYMENTS, NAMESPACES, NODEPOOLS, NODES, PODS, SERVICES, VISITORS
from lab.apimachinery.meta import key_of
from lab.client import Client
from lab.client.engines import choice

from .console import kubeconfig_command, program
from .creating import Wrong, create_from_yaml, deployment_object, node_object
from .done import from_yaml, patch
from .forms import FORMS, free_name
from .noderows import usual_runtime
from .past import difference
from .requests import REQUESTS, make_request
from .rows import WORKLOADS
from .steeringrows import target_of_release, target_of_scaler

BOARD_SHOWS = (PODS, NODES, *WORKLOADS, SERVICES, VISITORS, NODEPOOLS)
# What is drawn on the card of a deployment: the card is what to open.
ON_A_CARD = {"Release": target_of_release, "HorizontalPodAutoscaler": target_of_scaler}
BANKS = {"monolith": "The bank as one program", "services": "The bank as services"}
OTHER_RUNTIMES = ("process", "simulated")
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
    context = {"cluster": client.cluster, "mode": mode, "wrong": [], "lines": "[]", "name": name}
    if name == "kubectl":
        return {**context, "kubectl": program(), "kubeconfig": kubeconfig_command(client.cluster)}
    if name == "difference":
        return {**context, **difference(client, asked.get("for", ""))}
    if name == "request":
        return {**context, **_request(client, *_meant(asked.get("for", "")))}
    if name in FORMS:
        namespace, of = _meant(asked.get("for", ""))
        typed = {"namespace": namespace or "default"}
        fields = FORMS[name].fields(client, typed["namespace"], of)
        typed |= {field.name: field.value for field in fields}
        return {**context, **_shown(client, name, fields, typed), "for": asked.get("for", "")}
    _must_create(name)
    if name == "create":
        known = {
            "namespaces": _namespaces(client),
            "images": _images(client),
            "examples": {"": "A web server", **BANKS},
        }
        return {**context, "form": {}, "text": _example(asked.get("example", "")), **known}
    form = _next_node(client)
    return {**context, "form": form, "text": _written(node_object(form)), "runtimes": _runtimes()}


def submit(client: Client, name: str, form: QueryDict) -> dict:
    """Create what the form says. The context of the form again with what is `wrong`, or of the news with `made`."""
    given = form.dict()
    if name == "request":
        return _follow(client, given)
    if name in FORMS:
        return _submit(client, name, given)
    _must_create(name)
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
    made, wrong = create_from_yaml(client.cluster, text, namespace, author=client.author)
    lines = json.dumps([{"line": one.line} for one in wrong])
    context |= {"lines": lines, "command": from_yaml(text, namespace=namespace)}
    return {**context, "wrong": wrong, "made": made, "open": _first_row(made)}


def _request(client: Client, namespace: str, name: str) -> dict:
    """The form for one request to follow: to the Service of that name, or of the visitors of that name."""
    namespace = namespace or "default"
    visitors = client.find(VISITORS, namespace, name)
    services = sorted(obj["metadata"]["name"] for obj in client.list(SERVICES, namespace))
    spec = visitors["spec"] if visitors else {"service": name}
    path = next((v["spec"].get("path") for v in client.list(VISITORS, namespace) if v["spec"]["service"] == name), "")
    path = spec.get("path") or path or "/"
    return {"namespace": namespace, "services": services, "service": spec["service"].partition(":")[0], "path": path}


def _follow(client: Client, typed: dict[str, str]) -> dict:
    namespace = typed.get("namespace") or "default"
    context = {"cluster": client.cluster, "name": "request", **_request(client, namespace, typed.get("service", ""))}
    context |= {"path": typed.get("path") or "/"}
    try:
        if not context["path"].startswith("/"):
            raise ValueError("a path begins with /")
        id_ = make_request(client, namespace, context["service"], context["path"])
    except (ValueError, ApiError) as error:
        return {**context, "wrong": [Wrong(0, str(error))]}
    return {**context, "open": f"{REQUESTS}/{namespace}/{id_}"}


def _must_create(name: str) -> None:
    if name not in ("create", "add-node"):
        raise ApiError(404, "NotFound", f"the board has no form {name}")


def _meant(id_: str) -> tuple[str, str]:
    """Namespace and name of the row that a form is for: `deployments.apps/default/web`."""
    namespace, _, name = id_.partition("/")[2].rpartition("/")
    return namespace, name


def _example(name: str) -> str:
    return demos.MANIFESTS[name].read_text() if name in BANKS else EXAMPLE


def _shown(client: Client, name: str, fields: list, typed: dict[str, str]) -> dict:
    """The fields with what was typed into them, and the object that this would make, as YAML."""
    lines = [
        {"field": field, "value": typed.get(field.name, ""), "hidden": typed.get(field.only[0], "") != field.only[1]}
        for field in fields
    ]
    shown = {"form": FORMS[name], "fields": lines, "namespace": typed["namespace"], "template": "form"}
    try:
        text = _written(FORMS[name].object(client, typed))
        return {**shown, "text": text, "command": from_yaml(text)}
    except (ValueError, ApiError) as error:
        return {**shown, "text": f"# {error}\n"}


def _submit(client: Client, name: str, typed: dict[str, str]) -> dict:
    """Make what was typed, or (`then` = look) only show the YAML of it. Visitors who are there already are changed."""
    namespace, of = _meant(typed.get("for", ""))
    fields = FORMS[name].fields(client, typed["namespace"], of)
    context = {"cluster": client.cluster, "name": name, "for": typed.get("for", "")}
    context |= _shown(client, name, fields, typed)
    if typed.get("then") == "look":
        return context
    try:
        obj = FORMS[name].object(client, typed)
        if name == "visitors" and client.find(VISITORS, namespace, of):
            context["command"] = patch(client, VISITORS, namespace, of, {"spec": obj["spec"]})
            return {**context, "made": [obj], "open": f"{VISITORS.resource}/{namespace}/{of}"}
    except (ValueError, ApiError) as error:
        return {**context, "wrong": [Wrong(0, str(error))]}
    made, wrong = create_from_yaml(client.cluster, context["text"], typed["namespace"], author=client.author)
    return {**context, "wrong": wrong, "made": made, "open": _first_row(made)}


def _written(obj: dict) -> str:
    return yaml.safe_dump(obj, sort_keys=False)


def _first_row(made: list[dict]) -> str:
    """The row to open: the first of what was made that the board has a row for."""
    for obj in made:
        kind = BY_GVK[obj["apiVersion"], obj["kind"]]
        if obj["kind"] in ON_A_CARD:
            return ON_A_CARD[obj["kind"]](obj)
        if kind in BOARD_SHOWS:
            return f"{kind.resource}/{key_of(obj)}"
    return ""


def _namespaces(client: Client) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in client.list(NAMESPACES))


def _images(client: Client) -> list[str]:
    """Images that the cluster's deployments run: the likeliest to be wanted, and to be there."""
    containers = [c for d in client.list(DEPLOYMENTS) for c in d["spec"]["template"]["spec"]["containers"]]
    return sorted({container["image"] for container in containers if container.get("image")})


def _runtimes() -> list[str]:
    """What may run a node: of several Docker engines each by its name."""
    return [*(choice() or [DOCKER]), *OTHER_RUNTIMES]


def _next_node(client: Client) -> dict:
    """A node like the last one, with the next free name."""
    nodes = client.list(NODES)
    return {
        "name": free_name("worker", client, NODES),
        "cpu": "4",
        "memory": "8Gi",
        "gpus": "0",
        "pods": "110",
        "zone": "abc"[len(nodes) % 3],
        "runtime": usual_runtime(nodes) or "docker",
    }
