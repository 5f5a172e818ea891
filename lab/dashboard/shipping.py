"""What the pages "Ship" and "Images" show. Pure: objects in, rows out.

Shipping is a Build (`lab/pipeline`): here its files are put before whoever edits them, with a Dockerfile that says what
is done with them.
"""

from pathlib import Path

from lab import demos
from lab.apimachinery.meta import controller_of, key_of
from lab.client.images import MINE, repository_of

PAGE, DOCKERFILE = "page.html", "Dockerfile"


def first_image(deployment: dict) -> str:
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def program_of(image: str) -> tuple[str, Path] | None:
    """(the demo image that one of its name stands on, its program); None if it is no demo."""
    base = image if image in demos.IMAGES else f"{_of_the_lab(repository_of(image))}:v1"
    return (base, demos.IMAGES[base][0]) if base in demos.IMAGES else None


def _of_the_lab(repository: str) -> str:
    """What a learner has built on `orrery/hello` is `mine/hello` (`lab/client/images.py`)."""
    return f"orrery/{repository.removeprefix(MINE)}" if repository.startswith(MINE) else repository


def builds_of(builds: list[dict], deployment: dict) -> list[dict]:
    """Newest first."""
    meta = deployment["metadata"]
    mine = [
        b for b in builds if b["spec"]["deployment"] == meta["name"] and b["metadata"]["namespace"] == meta["namespace"]
    ]
    return sorted(mine, key=lambda build: int(build["metadata"]["resourceVersion"]), reverse=True)


def shipped_last(deployments: list[dict], builds: list[dict]) -> dict | None:
    """The deployment that one goes on with: that of the newest build, else the first."""

    def newest(deployment: dict) -> int:
        return max((int(one["metadata"]["resourceVersion"]) for one in builds_of(builds, deployment)), default=0)

    return max(deployments, key=newest, default=None)


def files_to_edit(deployment: dict, builds: list[dict], afresh: bool = False) -> dict[str, str]:
    """Those of the last build, so that one goes on where one was; else the demo's own page."""
    if builds and not afresh:
        return builds[0]["spec"]["files"]
    found = program_of(first_image(deployment))
    if found is None:
        return {PAGE: "", DOCKERFILE: f"FROM {first_image(deployment)}\nCOPY {PAGE} /{PAGE}\n"}
    base, program = found
    target = f"/app/{program.parent.name}/{PAGE}"
    page = program.with_name(PAGE).read_text(encoding="utf-8")
    return {PAGE: page, DOCKERFILE: f"FROM {base}\nCOPY {PAGE} {target}\nARG TAG\nENV VERSION=$TAG\n"}


def address_of(deployment: dict, services: list[dict], door: str, cluster: str) -> str:
    """Where its pages are seen, through the lab's front door; "" if no Service leads to it."""
    namespace, labels = (
        deployment["metadata"]["namespace"],
        deployment["spec"]["template"]["metadata"].get("labels", {}),
    )
    for service in services:
        selector = service["spec"].get("selector")
        if door and selector and service["metadata"]["namespace"] == namespace and selector.items() <= labels.items():
            return door.replace("//localhost", f"//{service['metadata']['name']}.{namespace}.{cluster}.localhost", 1)
    return ""


def used_by(pods: list[dict], replicasets: list[dict]) -> dict[str, dict[str, int]]:
    """image's name → whose pods run it, and how many: `{"orrery/hello:v1": {"hello": 3}}`."""
    owners = {key_of(rs): (controller_of(rs) or {}).get("name") for rs in replicasets}
    used: dict[str, dict[str, int]] = {}
    for pod in pods:
        owner = (controller_of(pod) or {}).get("name", pod["metadata"]["name"])
        who = owners.get(f"{pod['metadata']['namespace']}/{owner}") or owner
        for image in {container["image"] for container in pod["spec"]["containers"]}:
            of_image = used.setdefault(image, {})
            of_image[who] = of_image.get(who, 0) + 1
    return used


def image_rows(images: list[dict], used: dict[str, dict[str, int]]) -> list[dict]:
    """A row an image, those in use first, then the lab's own."""
    rows = []
    for image in images:
        users: dict[str, int] = {}
        for name in image["names"]:
            users |= used.get(name, {}) | used.get(name.removesuffix(":latest"), {})
        algorithm, _, digest = image["id"].partition(":")  # a local process's image is a folder, and has no digest
        rows.append({**image, "usedBy": users, "short": digest[:12] if algorithm == "sha256" else ""})
    return sorted(rows, key=lambda row: (not row["usedBy"], not row["names"][0].startswith("orrery/"), row["names"]))


def told_size(size: float) -> str:
    """`85.4 MB`, as Docker counts: by thousands."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
