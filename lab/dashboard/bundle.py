"""What is in a namespace, to take away: its objects for `kubectl apply` on any Kubernetes, and what their images are
made of, for `docker build` anywhere. Pure: objects in, files out."""

import io
import zipfile
from collections.abc import Iterable, Iterator

import yaml

from lab import demos
from lab.apimachinery.kinds import (
    BY_GVK,
    CONFIGMAPS,
    KINDS,
    LIMITRANGES,
    PERSISTENTVOLUMECLAIMS,
    PRIORITYCLASSES,
    RESOURCEQUOTAS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    VISITORS,
    Kind,
)
from lab.client.images import tag_of
from lab.runtime.dockerfile import TAG, bases

from .portable import is_portable, portable

# What others stand on comes before them, as `kubectl apply` goes by the files' names.
FIRST = (
    PRIORITYCLASSES,
    SERVICEACCOUNTS,
    ROLES,
    ROLEBINDINGS,
    RESOURCEQUOTAS,
    LIMITRANGES,
    CONFIGMAPS,
    SECRETS,
    PERSISTENTVOLUMECLAIMS,
    SERVICES,
)
ORDER = (*FIRST, *(kind for kind in KINDS if kind not in FIRST))
OF_VISITORS = ("requests_per_second", "errors_per_second", "latency_ms")
EPOCH = (1980, 1, 1, 0, 0, 0)  # of the files: the same objects make the same archive

README = """\
# {namespace} of {cluster}

Written for one Kubernetes, it runs on all of them: on a laptop (kind, minikube, k3s) and in a cloud.
{images}
Start everything:  kubectl apply -f manifests/
See it serve:      {visit}
{notes}"""
IMAGES = """
Make the images, where a Docker engine is:  sh build-images.sh
Bring them to the nodes of the cluster, which start what they have and ask nobody for it:
  images="{images}"
- kind:      kind load docker-image $images
- minikube:  minikube image load $images
- k3s:       docker save $images | sudo k3s ctr images import -
- a cloud:   docker tag and docker push them to its registry, and write their names there into manifests/
"""


def bundle(cluster: str, namespace: str, objects: Iterable[dict], builds: list[dict], local: frozenset[str]) -> dict:
    """The files by their paths, each a text. `objects`: all of the namespace, and PriorityClasses; `builds`: Builds of
    the cluster; `local`: names of the StorageClasses that only this lab has."""
    objects = list(objects)
    classes = {spec.get("priorityClassName") for obj in objects for spec in _pod_specs(obj)}
    mine = [obj for obj in objects if is_portable(obj) and (_kind(obj) is not PRIORITYCLASSES or _name(obj) in classes)]
    mine.sort(key=lambda obj: (ORDER.index(_kind(obj)), _name(obj)))
    files = {}
    for number, (obj, taken) in enumerate(zip(mine, portable(mine, local), strict=True), 1):
        path = f"manifests/{number:02}-{_kind(obj).singular}-{_name(obj)}.yaml"
        files[path] = yaml.safe_dump(taken, sort_keys=False, default_flow_style=False, width=100)
    named = sorted({container["image"] for obj in mine for spec in _pod_specs(obj) for container in _containers(spec)})
    made, sources = _images(named, builds)
    files |= sources
    if made:
        files["build-images.sh"] = _script(made)
    return {"README.md": _readme(cluster, namespace, mine, named, made, _visited(objects)), **files}


def archive(files: dict[str, str], folder: str) -> bytes:
    """A zip of the files, in a folder of that name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, text in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{path}", EPOCH)
            entry.external_attr = 0o644 << 16  # whoever the container runs as may read its program
            packed.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _kind(obj: dict) -> Kind:
    return BY_GVK[obj["apiVersion"], obj["kind"]]


def _name(obj: dict) -> str:
    return obj["metadata"]["name"]


def _visited(objects: list[dict]) -> set[str]:
    """The Services that the lab's visitors come to."""
    return {obj["spec"]["service"] for obj in objects if _kind(obj) is VISITORS}


def _pod_specs(obj: dict) -> Iterator[dict]:
    """The specifications of pods in it: of a pod its own, of a workload its template's."""
    spec = obj.get("spec") or {}
    if obj["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if "containers" in spec:
        yield spec
    elif "containers" in (spec.get("template") or {}).get("spec", {}):
        yield spec["template"]["spec"]


def _containers(spec: dict) -> list[dict]:
    return [*spec["containers"], *spec.get("initContainers", ())]


def _images(named: list[str], builds: list[dict]) -> tuple[list[str], dict[str, str]]:
    """(which of the images can be made, in the order in which they stand on each other, the files of which)."""
    built = {
        build["status"]["image"]: build["spec"]["files"] for build in builds if build.get("status", {}).get("image")
    }
    made: list[str] = []
    files: dict[str, str] = {}

    def make(image: str) -> None:
        if image in made:
            return
        if image in demos.IMAGES:
            program = demos.IMAGES[image][0]
            sources = {path.lstrip("/"): data.decode() for path, data in demos.files(program).items()}
            sources["Dockerfile"] = demos.dockerfile(image)
        elif image in built:
            sources = built[image]
            for base in bases({path: text.encode() for path, text in sources.items()}):
                make(base)
        else:
            return
        made.append(image)
        files.update({f"{_folder(image)}/{path}": text for path, text in sources.items()})

    for image in named:
        make(image)
    return made, files


def _folder(image: str) -> str:
    return "images/" + image.replace(":", "-").rpartition("orrery/")[2]


def _script(made: list[str]) -> str:
    steps = []
    for image in made:
        tagged = f" --build-arg {TAG}={tag_of(image)}" if image not in demos.IMAGES else ""
        steps.append(f"docker build -t {image}{tagged} {_folder(image)}")
    return "\n".join(["#!/bin/sh", "set -e", 'cd "$(dirname "$0")"', *steps, ""])


def _readme(
    cluster: str, namespace: str, mine: list[dict], named: list[str], made: list[str], visited: set[str]
) -> str:
    kinds = {obj["kind"] for obj in mine}
    services = [obj for obj in mine if _kind(obj) is SERVICES and obj["spec"].get("ports")]
    service = next((obj for obj in services if _name(obj) in visited), services[0] if services else None)
    visit = "kubectl get pods"
    if service:
        forward = f"kubectl port-forward service/{_name(service)} 8080:{service['spec']['ports'][0]['port']}"
        visit = f"{forward}, then http://localhost:8080/"
    notes = []
    lost = [image for image in named if image.startswith("orrery/") and image not in made]
    if lost:
        notes.append(f"The files of {', '.join(lost)} are no longer known here: these images are not in it.")
    if "Secret" in kinds:
        notes.append("There are Secrets in the manifests, readable for everybody who has this folder.")
    if any(
        word in str(obj["spec"]) for obj in mine if obj["kind"] == "HorizontalPodAutoscaler" for word in OF_VISITORS
    ):
        notes.append("An autoscaler goes by figures of the lab's visitors; elsewhere they need a metrics adapter.")
    return README.format(
        cluster=cluster,
        namespace=namespace,
        images=IMAGES.format(images=" ".join(image for image in made if image in named)) if made else "",
        visit=visit,
        notes="".join(f"\n{note}\n" for note in notes),
    )
