"""A lab with a room: a learner comes in by its port, and finds their own cluster and nothing else."""

import pytest

from ..labs import LabUnderTest, wait_until
from .room import ROOM, Browser, made, root_of, teacher_of


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = LabUnderTest(tmp_path_factory.mktemp("room") / "data", "process", *ROOM)
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def test_a_class_is_made_and_joined_and_each_has_a_cluster_of_their_own(lab):
    teacher, root = teacher_of(lab), root_of(lab)
    ada, bob = Browser(root), Browser(root)
    code = made(teacher, "10-desired-state")
    assert "You are <b>Ada</b>" in ada.post("join", code=code.lower(), nickname="Ada")
    bob.post("join", code=code, nickname="Bob")
    mine, theirs = (f"clusters/{code.lower()}-{number}/" for number in (1, 2))
    ready = '"reason":"KubeletReady"'
    wait_until("her nodes to be ready", lambda: ada.get(f"{mine}api/v1/nodes").replace(" ", "").count(ready) == 4, 60)
    assert "Ada" not in ada.get(mine) and theirs[:-1] not in ada.get(mine)
    for path in (
        theirs,
        f"{theirs}api/v1/nodes",
        "clusters/default/",
        "api/v1/nodes",
        f"staff/workshops/{code}/delete",
    ):
        assert ada.refused(path) in (403, 405), path
    assert Browser(root).refused(f"{mine}api/v1/nodes") == 403
    assert theirs in teacher.get(f"staff/workshops/{code}/") and teacher.get(theirs)
