"""Images, through the kubelets: what the engines under a cluster have, and having one build an image."""

from lab.apimachinery.errors import unavailable
from lab.apimachinery.kinds import NODES
from lab.apimachinery.labels import KUBELET, RUNTIME_LABEL
from lab.apimachinery.meta import is_true
from lab.apiserver import kubelet_images
from lab.apiserver.kubelet_images import Lines

from .client import Client

__all__ = ["BUILDERS", "MINE", "Lines", "build_image", "built_as", "engines", "images", "repository_of"]

MINE = "mine/"
BUILDERS = ("docker", "process")  # a simulated node has nothing to build with


def engines(client: Client) -> list[tuple[str, str]]:
    """(where its kubelet listens, runtime) of each engine that runs a ready node, the real ones first."""
    found = set()
    for node in client.list(NODES):
        meta = node["metadata"]
        kubelet, runtime = meta.get("annotations", {}).get(KUBELET), meta.get("labels", {}).get(RUNTIME_LABEL)
        if kubelet and runtime and is_true(node, "Ready"):
            found.add((kubelet, runtime))
    return sorted(found, key=lambda engine: (engine[1], engine[0]))


def repository_of(image: str) -> str:
    """`orrery/hello` of `orrery/hello:v1`; a port of a registry stays."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def built_as(image: str, guard: str) -> str:
    """The repository of what is built to take the place of this image. All clusters of an engine see its images, so
    what a stranger builds has no name that is the lab's, or that others wait for: it is one of `mine/`."""
    repository = repository_of(image)
    return f"{MINE}{repository.rpartition('/')[2]}" if guard and not repository.startswith(MINE) else repository


def tag_of(image: str) -> str:
    """`v1` of `orrery/hello:v1`; "" where it has none."""
    return image.partition("@")[0].removeprefix(repository_of(image)).removeprefix(":")


def images(client: Client) -> list[dict]:
    """What each engine has: `{runtime, id, names, size, layers}`. Raises ApiError 503 if a kubelet does not answer."""
    return [
        {"runtime": runtime, **image}
        for kubelet, runtime in engines(client)
        for image in kubelet_images.images(kubelet, runtime)
    ]


def build_image(client: Client, repository: str, files: dict[str, str], seconds: float) -> Lines:
    """Have the cluster's engine build an image. Raises ApiError 503 if it has none."""
    able = [engine for engine in engines(client) if engine[1] in BUILDERS]
    if not able:
        raise unavailable("no ready node has an engine to build with: Docker, or this lab's own processes")
    owner = client.cluster if client.view().guard else ""
    order = {"repository": repository, "files": files, "seconds": seconds, "owner": owner}
    return kubelet_images.build(*able[0], order)
