"""Backup and restore of a lab with a class, with real containers: what was lost with its folder comes back."""

import json
from pathlib import Path

import pytest

from tests.labs import LabUnderTest, manage, wait_until

from .room import ROOM, Browser, made, root_of, teacher_of

PODS = "api/v1/namespaces/default/pods?labelSelector=app%3Dweb"
WEB = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
    "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}},
                     "spec": {"containers": [{"name": "app", "image": "orrery/hello:v1"}]}},
    },
}  # fmt: skip


@pytest.fixture
def lab(engine, tmp_path) -> LabUnderTest:
    lab = LabUnderTest(tmp_path / "data", "docker", *ROOM)
    yield lab
    lab.clean_up()


def ready(browser: Browser, cluster: str) -> list[str]:
    pods = json.loads(browser.get(f"{cluster}{PODS}"))["items"]
    return [
        pod["metadata"]["name"]
        for pod in pods
        if any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))
    ]


def containers(browser: Browser, cluster: str) -> set[str]:
    """The ids of those that are told to run in her pods."""
    statuses = (pod["status"] for pod in json.loads(browser.get(f"{cluster}{PODS}"))["items"])
    found = (each for status in statuses for each in status.get("containerStatuses", ()))
    return {each["containerID"] for each in found if "running" in each["state"]}


def check_one_moment(path: Path) -> None:
    """Each log in the file ends where its cluster says that it does, though it grew all the while."""
    from tests.management.test_backup import lines

    heads, newest, columns, table = {}, {}, [], ""
    for line in lines(path):
        if isinstance(line, dict):
            table, columns = line.get("table", ""), line.get("columns", [])
        elif table == "lab.cluster":
            heads[line[columns.index("id")]] = line[columns.index("revision")]
        elif table == "lab.revision":
            cluster, number = (line[columns.index(name)] for name in ("cluster_id", "revision"))
            newest[cluster] = max(newest.get(cluster, 0), number)
    assert heads == newest and len(heads) == 2


@pytest.mark.timeout(500)
def test_a_class_that_was_lost_comes_back_with_its_clusters_and_its_learners(lab, tmp_path):
    lab.start()
    teacher = teacher_of(lab)
    code = made(teacher, "10-desired-state")
    ada = Browser(root_of(lab))
    ada.post("join", code=code, nickname="Ada")
    token, cluster = ada.cookie("orrery-seat"), f"clusters/{code.lower()}-1/"
    lab.api("POST", "/apis/apps/v1/namespaces/default/deployments", WEB, cluster=f"{code.lower()}-1")
    before = wait_until("her pods", lambda: len(found := ready(ada, cluster)) == 2 and found, 120)
    gone, history = containers(ada, cluster), json.loads(lab_text(lab, f"/clusters/{code.lower()}-1/history"))
    file = tmp_path / "kept"
    assert "1 workshops, 1 learners, 2 clusters" in manage("backup", str(file), data=lab.data).stdout
    check_one_moment(file)
    refusal = manage("restore", str(file), "--yes", data=lab.data)
    assert refusal.returncode and "The lab still runs: in this folder" in refusal.stderr

    manage("down", "--purge", "--yes", data=lab.data)
    lab.process.wait(60)
    assert not lab.data.exists()
    done = manage("restore", str(file), data=lab.data)
    assert done.returncode == 0 and "1 workshops, 1 learners, 2 clusters" in done.stdout, done.stderr
    lab.start()

    back = Browser(root_of(lab))
    assert "You are <b>Ada</b>" in back.get(f"back/{token}")
    # The same pods; what is told of them at first is of the time before: their containers are new.
    wait_until("new containers", lambda: not containers(back, cluster) & gone and len(containers(back, cluster)) == 2)
    after = wait_until("her pods again", lambda: len(found := ready(back, cluster)) == 2 and found, 120)
    assert sorted(after) == sorted(before)
    lab.wait_for_ready_pods(3, seconds=120)
    again = json.loads(lab_text(lab, f"/clusters/{code.lower()}-1/history"))
    assert again["begins"] == history["begins"] and again["head"]["revision"] > history["head"]["revision"]
    again = Browser(root_of(lab))
    again.post("staff/sign-in", username="instructor", password="of my own choice")
    assert "Ada" in again.get(f"staff/workshops/{code}/")


def lab_text(lab: LabUnderTest, path: str) -> str:
    return Browser(f"{lab.address}/").get(path.lstrip("/"))
