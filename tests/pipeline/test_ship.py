"""Shipping on running labs: a page that was edited is what the pods answer; what cannot be built changes nothing."""

import contextlib
import secrets
import urllib.request

import pytest

from lab import demos

from ..labs import LabUnderTest, manage, wait_until

BUILDS = "/apis/orrery.io/v1/namespaces/default/builds"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
DOCKERFILE = "FROM orrery/hello:v1\nCOPY page.html /app/hello/page.html\nARG TAG\nENV VERSION=$TAG\n"


class Ship:
    """A Deployment of one pod on a lab, for builds to be shipped to."""

    def __init__(self, lab: LabUnderTest):
        self.lab = lab
        self.name = f"ship-{secrets.token_hex(3)}"
        labels = {"app": self.name}
        probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
        containers = [{"name": "web", "image": "orrery/hello:v1", "readinessProbe": probe}]
        spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
        spec["template"]["spec"] = {"containers": containers, "terminationGracePeriodSeconds": 2}
        lab.api("POST", DEPLOYMENTS, {"metadata": {"name": self.name}, "spec": spec})
        lab.wait_for_ready_pods(1, f"app={self.name}")

    def build(self, dockerfile: str = DOCKERFILE, seconds: float = 120, page: str = "", **more: str) -> str:
        files = {"Dockerfile": dockerfile, "page.html": page}
        spec = {"deployment": self.name, "files": files, "timeoutSeconds": seconds, **more}
        made = self.lab.api("POST", BUILDS, {"metadata": {"generateName": f"{self.name}-"}, "spec": spec})
        return made["metadata"]["name"]

    def told(self, build: str) -> dict:
        return self.lab.get(f"{BUILDS}/{build}").get("status", {})

    def over(self, build: str, seconds: float = 90) -> dict:
        def look() -> dict | None:
            told = self.told(build)
            return told if told.get("phase") in ("Complete", "Failed") else None

        return wait_until(f"the end of {build}, {self.told(build)}", look, seconds)

    def deployment(self) -> dict:
        return self.lab.get(f"{DEPLOYMENTS}/{self.name}")

    def image(self) -> str:
        return self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"]

    def page(self) -> str:
        pod = self.lab.wait_for_ready_pods(1, f"app={self.name}")[0]
        request = urllib.request.Request(f"http://{pod['status']['podIP']}:8080/", headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def close(self) -> None:
        self.lab.api("DELETE", f"{DEPLOYMENTS}/{self.name}")
        for build in self.lab.get(BUILDS)["items"]:
            if build["spec"]["deployment"] == self.name:
                self.lab.api("DELETE", f"{BUILDS}/{build['metadata']['name']}")


def aboard(lab: LabUnderTest):
    ship = Ship(lab)
    yield ship
    ship.close()


@pytest.fixture(scope="module")
def docker_ship(docker_lab):
    yield from aboard(docker_lab)


@pytest.fixture(scope="module")
def process_ship(process_lab):
    yield from aboard(process_lab)


@pytest.fixture(params=["docker", "process"])
def ship(request) -> Ship:
    return request.getfixturevalue(f"{request.param}_ship")


def test_an_edited_page_is_what_the_pods_answer(ship):
    told = ship.over(ship.build(page="<h1>{version} says ahoy</h1>"))
    assert told["phase"] == "Complete", told
    assert told["image"] == ship.image() and told["image"] not in demos.IMAGES
    assert "COPY page.html" in told["log"] and told["imageID"]
    assert ship.page() == f"<h1>{told['image'].rpartition(':')[2]} says ahoy</h1>"  # as its image is called
    again = ship.over(ship.build(page="<h1>again</h1>"))
    assert int(again["image"].rpartition("v")[2]) == int(told["image"].rpartition("v")[2]) + 1
    assert ship.page() == "<h1>again</h1>"


def test_an_image_that_was_built_here_tells_its_layers_whatever_its_name_is(ship):
    told = ship.over(ship.build(page="<h1>mine</h1>", repository=f"mine/{ship.name}"))
    images = ship.lab.get("/images.json")["images"]
    mine = next(one for one in images if told["image"] in one["names"])
    last = [layer for layer in mine["layers"] if layer["size"]][-1]
    assert last["madeBy"].startswith("COPY") and 0 < last["size"] < 1000


def test_a_build_that_fails_changes_nothing(ship):
    before = ship.deployment()["spec"]
    told = ship.over(ship.build("FROM orrery/hello:v1\nRUN echo so far && exit 3\n"))
    assert told["phase"] == "Failed" and "image" not in told
    assert ("code: 3" if ship.lab.runtime == "docker" else "install Docker") in told["message"]
    assert ship.deployment()["spec"] == before


@pytest.mark.parametrize("text", ["FROMM orrery/hello:v1", "FROM orrery/hello:v1\nCOPY nothing /x\n"])
def test_the_engines_words_are_told_when_it_will_not_build(docker_ship, text):
    told = docker_ship.over(docker_ship.build(text))
    assert told["phase"] == "Failed" and ("FROMM" in told["message"] or "nothing" in told["message"])


def test_a_build_that_hangs_is_ended(docker_ship, engine):
    before = docker_ship.deployment()["spec"]
    mark = secrets.token_hex(4)
    build = docker_ship.build(f"FROM orrery/hello:v1\nRUN echo {mark} && sleep 600\n", seconds=3)
    told = docker_ship.over(build)
    assert told["phase"] == "Failed" and "not done within 3 s" in told["message"] and mark in told["log"]
    assert docker_ship.deployment()["spec"] == before
    wait_until("its container to be gone", lambda: not building(engine, mark))


def test_a_build_that_is_deleted_is_ended_and_the_next_has_its_turn(docker_ship, engine):
    mark = secrets.token_hex(4)
    unwanted = docker_ship.build(f"FROM orrery/hello:v1\nRUN echo {mark} && sleep 600\n")
    wait_until("it to be at work", lambda: building(engine, mark))
    waiting = docker_ship.build("FROM orrery/hello:v1\nRUN false\n")
    assert docker_ship.told(waiting).get("phase", "Pending") == "Pending"
    docker_ship.lab.api("DELETE", f"{BUILDS}/{unwanted}")
    assert docker_ship.over(waiting)["phase"] == "Failed"
    wait_until("its container to be gone", lambda: not building(engine, mark))


def test_a_number_that_another_lab_takes_meanwhile_is_left_to_it(docker_ship, engine):
    repository, mark = f"orrery/race-{secrets.token_hex(3)}", secrets.token_hex(4)
    build = docker_ship.build(
        f"{DOCKERFILE}RUN echo {mark} && sleep 3\n", page="<h1>{version}</h1>", repository=repository
    )
    wait_until("it to be at work", lambda: building(engine, mark))
    engine.tag("orrery/hello:v1", repository, "v1")
    try:
        assert docker_ship.over(build)["image"] == f"{repository}:v2"
        assert docker_ship.page() == "<h1>v2</h1>"
    finally:
        engine.remove_image(f"{repository}:v1")


def building(engine, mark: str) -> list[dict]:
    return [row for row in engine.containers(all=True) if mark in row["Command"]]


def test_a_deployment_that_is_not_there_gets_nothing(ship):
    spec = {"deployment": "nobody", "files": {"Dockerfile": DOCKERFILE}}
    made = ship.lab.api("POST", BUILDS, {"metadata": {"generateName": f"{ship.name}-"}, "spec": spec})
    told = ship.over(made["metadata"]["name"])
    assert told["phase"] == "Failed" and '"nobody" not found' in told["message"]
    ship.lab.api("DELETE", f"{BUILDS}/{made['metadata']['name']}")


def test_what_was_shipped_runs_again_after_down_and_up_and_goes_with_a_purge(own_docker_lab, engine):
    lab = own_docker_lab.start()
    ship = Ship(lab)
    image = ship.over(ship.build(page="<h1>still here</h1>", repository=f"mine/{ship.name}"))["image"]
    told = manage("down", data=lab.data).stdout
    assert f"kept image {image}" in told and f"removed image {image}" not in told
    lab.start()

    def comes_back() -> bool:
        with contextlib.suppress(OSError):  # until its kubelet has looked, the pod is said to be as it was
            return ship.page() == "<h1>still here</h1>"
        return False

    wait_until("what was shipped", comes_back)
    told = manage("down", "--purge", "--yes", data=lab.data).stdout
    assert f"removed image {image}" in told and engine.images(image) == []
