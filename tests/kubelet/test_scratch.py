"""What pods of strangers keep on disks: counted, and evicted when it is too much."""

import os
from types import SimpleNamespace

import pytest

from lab.kubelet import scratch
from lab.kubelet.environment import ConfigError
from lab.kubelet.nodes import NodeTable
from lab.kubelet.records import PodTable
from lab.kubelet.scratch import ScratchWatch, check_claim, size_of
from lab.kubelet.volumes import remove_pod_folder, scratch_folders
from lab.runtime import Container, Sandbox
from tests.labs import wait_until

KIB = 1024


class Watched:
    """Pods on one node, in a cluster that is a stranger's or not; who was woken, and what was told."""

    def __init__(self, root, stranger: bool = True):
        self.root, self.pods, self.nodes = root, PodTable(), NodeTable()
        self.nodes.put("c", {"metadata": {"name": "n", "uid": "u"}}, stranger)
        self.woken: list[str] = []
        self.told: list[str] = []
        self.watch = ScratchWatch(
            SimpleNamespace(
                pods=self.pods, nodes=self.nodes, data_dir=root, wake=self.woken.append,
                runtime=SimpleNamespace(name="docker", engine="docker"),
                teller=lambda record: lambda *said: self.told.append(said[1]),
            )
        )  # fmt: skip

    def pod(self, name: str, phase: str = "Running", **files: int):
        """Running as its phase says, with so many bytes in its emptyDir called `scratch`."""
        obj = {"metadata": {"name": name, "namespace": "d", "uid": name}, "spec": {"nodeName": "n"}}
        record, _ = self.pods.put("c", {**obj, "status": {"phase": phase}}, 1)
        state = "running" if phase == "Running" else "exited"
        inside = (Container("1", "app", 0, state),)
        record.sandbox = Sandbox("s", "c", "n", "d", name, name, True, containers=inside)
        folder = self.root / "pods" / name / "volumes" / "kubernetes.io~empty-dir" / "scratch"
        folder.mkdir(parents=True)
        for file, size in files.items():
            (folder / file).write_bytes(b"x" * size)
        return record


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    monkeypatch.setattr(scratch, "VOLUME_BYTES", 64 * KIB)
    monkeypatch.setattr(scratch, "CLUSTER_BYTES", 100 * KIB)


def test_who_keeps_too_much_is_evicted_once_and_the_others_stay(tmp_path):
    watched = Watched(tmp_path)
    hog, calm = watched.pod("hog", a=60 * KIB, b=8 * KIB), watched.pod("calm", a=8 * KIB)
    for _ in range(2):
        watched.watch.look()
    assert 'EmptyDir volume "scratch" exceeds the limit' in hog.evicted and not calm.evicted
    assert (watched.woken, watched.told) == (["hog"], ["Evicted"])


def test_many_that_keep_little_are_too_much_together(tmp_path):
    watched = Watched(tmp_path)
    pods = [watched.pod(name, a=40 * KIB) for name in "abc"]
    watched.watch.look()
    assert sum(bool(pod.evicted) for pod in pods) == 1


def test_whose_lab_it_is_keeps_what_they_want(tmp_path):
    watched = Watched(tmp_path, stranger=False)
    pod = watched.pod("hog", a=200 * KIB)
    watched.watch.look()
    assert not pod.evicted


def test_what_one_kept_that_has_ended_is_removed(tmp_path):
    watched = Watched(tmp_path)
    watched.pod("done", "Succeeded", a=8 * KIB)
    watched.watch.look()
    assert scratch_folders(tmp_path, "done") == []


def test_a_claim_that_is_full_ends_its_pod_and_starts_no_other(tmp_path):
    watched, place = Watched(tmp_path), tmp_path / "volume"
    place.mkdir()
    pod = watched.pod("db")
    pod.claims["kept"] = place
    check_claim("kept", place)
    (place / "sparse").open("wb").truncate(1 << 30)  # takes nothing
    watched.watch.look()
    assert not pod.evicted and size_of(place) < KIB
    (place / "full").write_bytes(b"x" * 70 * KIB)
    watched.watch.look()
    assert 'claim "kept" exceeds' in pod.evicted
    with pytest.raises(ConfigError, match="Delete the claim, and make another"):
        check_claim("kept", place)


@pytest.mark.parametrize(("name", "levels"), [("d", 1200), ("d" * 200, 40)])
def test_what_is_hidden_so_deep_that_it_cannot_be_counted_is_too_much_and_can_be_removed(tmp_path, name, levels):
    watched = Watched(tmp_path)
    deep, hog = watched.pod("deep"), watched.pod("hog", a=68 * KIB)
    place, *_ = scratch_folders(tmp_path, "deep")
    within = os.open(place, os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=within)
        above, within = within, os.open(name, os.O_DIRECTORY, dir_fd=within)
        os.close(above)
    os.close(os.open("hidden", os.O_CREAT | os.O_WRONLY, dir_fd=within))
    os.close(within)
    watched.watch.look()
    assert deep.evicted and hog.evicted
    remove_pod_folder(tmp_path, "deep")
    assert scratch_folders(tmp_path, "deep") == []


def test_a_look_that_fails_is_not_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "LOOK_SECONDS", 0.01)
    watched = Watched(tmp_path)
    hog, look = watched.pod("hog", a=68 * KIB), watched.watch._look_at
    monkeypatch.setattr(watched.watch, "_look_at", lambda *_: watched.woken.append("broken") or 1 / 0)
    watched.watch.start()
    wait_until("a look to fail", lambda: watched.woken, 5, 0.01)
    monkeypatch.setattr(watched.watch, "_look_at", look)
    wait_until("another look", lambda: hog.evicted, 5, 0.01)
    watched.watch.stop()
