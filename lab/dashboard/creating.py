"""Making objects from what people type: from YAML, and from the two forms, which only write YAML for them.

Errors come back with the line they belong to. Nothing is created before everything has been checked.
"""

import re
from dataclasses import dataclass

from lab.apimachinery.engines import labels_of
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BY_GVK, NAMESPACES, Kind
from lab.apimachinery.labels import HOSTNAME_LABEL, ZONE_LABEL
from lab.apiserver import apply as server_side
from lab.apiserver import registry
from lab.apiserver.request import Request

from .rows import GPU
from .yamllines import BadYaml, Document, documents

AUTHOR = "board"
UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"')
TYPED_FIELD = re.compile(r"Go struct field [A-Za-z]+\.(?P<path>[\w.]+) of type")
NAMED_FIELD = re.compile(r"^(?:[A-Za-z.]+ \"[^\"]*\" is invalid: )?(?P<path>[a-z][\w.\[\]/-]*): ")


@dataclass(frozen=True)
class Wrong:
    """One error beside its line (from 1)."""

    line: int
    message: str


def create_from_yaml(
    cluster: str, text: str, namespace: str = "default", apply: bool = False, author: str = AUTHOR
) -> tuple[list[dict], list[Wrong]]:
    """Create every object in `text`, or none; `apply`: what is there already becomes what the text says. Returns what
    was written, and what was wrong."""
    try:
        found = documents(text)
    except BadYaml as error:
        return [], [Wrong(error.line, error.message)]
    if not found:
        return [], [Wrong(1, "there is no object here")]
    kinds, wrong = _kinds(found)
    known = [(document, kind) for document, kind in zip(found, kinds, strict=True) if kind]
    for document, kind in known:
        refusal = _attempt(cluster, author, document, kind, namespace, apply, dry_run=True)
        if refusal and not _is_made_by(found, refusal):
            wrong += explain(document, refusal)
    if wrong:
        return [], wrong
    created: list[dict] = []
    for document, kind in known:
        if refusal := _attempt(cluster, author, document, kind, namespace, apply, created=created):
            return created, explain(document, refusal)
    return created, []


def _kinds(found: list[Document]) -> tuple[list[Kind | None], list[Wrong]]:
    kinds, wrong = [], []
    for document in found:
        version, kind = document.object.get("apiVersion", ""), document.object.get("kind", "")
        kinds.append(BY_GVK.get((version, kind)))
        if kinds[-1] is None:
            said = f'no matches for kind "{kind}" in version "{version}"' if kind else "apiVersion and kind are missing"
            wrong.append(Wrong(document.line_of("kind"), said))
    return kinds, wrong


def _attempt(
    cluster: str,
    author: str,
    document: Document,
    kind: Kind,
    namespace: str,
    apply: bool,
    dry_run: bool = False,
    created: list | None = None,
) -> ApiError | None:
    req = Request(cluster, author, dry_run=dry_run, field_validation="Strict", manager=AUTHOR)
    meta = document.object.get("metadata")
    own = meta.get("namespace") if isinstance(meta, dict) else None
    home, name = (own or namespace) if kind.namespaced else "", _name(document)
    try:
        if apply and name and req.view().get(kind.resource, home, name):
            made, _ = server_side.apply(req, kind, home, name, document.object, force=True)
        else:
            made = registry.create(req, kind, home, document.object)
    except ApiError as error:
        return error
    if created is not None:
        created.append(made)
    return None


def _is_made_by(found: list[Document], error: ApiError) -> bool:
    """Whether what is missing is a namespace that this same file makes."""
    details = error.details or {}
    return (
        error.code == 404
        and details.get("kind") == NAMESPACES.plural
        and any(d.object.get("kind") == NAMESPACES.kind and _name(d) == details.get("name") for d in found)
    )


def _name(document: Document) -> str:
    return (document.object.get("metadata") or {}).get("name", "")


def explain(document: Document, error: ApiError) -> list[Wrong]:
    """An API error as lines of the file: one for each cause, or each unknown field; else the object's name."""
    causes = (error.details or {}).get("causes", ())
    if causes:
        return [Wrong(document.line_of(cause["field"]), f"{cause['field']}: {cause['message']}") for cause in causes]
    if unknown := UNKNOWN_FIELD.findall(error.message):
        return [Wrong(document.line_of(path), f'unknown field "{path}"') for path in unknown]
    if named := TYPED_FIELD.search(error.message) or NAMED_FIELD.match(error.message):
        return [Wrong(document.line_of(named["path"]), error.message)]
    return [Wrong(document.line_of("metadata.name"), error.message)]


def deployment_object(form: dict) -> dict:
    """The Deployment (of one container) that the form describes. Raises ValueError with what is wrong in words."""
    name, image = form.get("name", "").strip(), form.get("image", "").strip()
    container: dict = {"name": name, "image": image}
    if port := form.get("port", "").strip():
        container["ports"] = [{"containerPort": whole(port, "port")}]
    requests = {key: form[key].strip() for key in ("cpu", "memory") if form.get(key, "").strip()}
    if requests:
        container["resources"] = {"requests": requests}
    if command := form.get("command", "").split():
        container["args"] = command
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": whole(form.get("replicas") or "1", "replicas"),
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def node_object(form: dict) -> dict:
    """The Node that the form describes: its size is its capacity, and its label says which engine runs it."""
    capacity = {"cpu": form.get("cpu", "4"), "memory": form.get("memory", "8Gi"), "pods": form.get("pods") or "110"}
    if gpus := whole(form.get("gpus") or "0", "GPUs"):
        capacity[GPU] = str(gpus)
    labels = {**labels_of(form.get("runtime", "")), **_labels(form.get("labels", ""))}
    if zone := form.get("zone", "").strip():
        labels[ZONE_LABEL] = zone
    name = form.get("name", "").strip()
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {HOSTNAME_LABEL: name, **labels}},
        "spec": {},
        "status": {"capacity": capacity, "allocatable": dict(capacity)},
    }


def _labels(text: str) -> dict[str, str]:
    """`disk=ssd, tier=front` → a dict. Raises ValueError."""
    labels = {}
    for part in filter(None, re.split(r"[,\s]+", text)):
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"a label is written key=value, not {part}")
        labels[key] = value
    return labels


def whole(text: str, what: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{what} must be a whole number, not {text}")
    return int(text)
