"""The files of pods on an engine that sees none of the kubelet's folders, and on one that does."""

import secrets

import pytest

from lab.runtime import EMPTY_DIR, Mount, RuntimeFailure
from lab.runtime.engines import open_runtime

from .conftest import Bench


@pytest.fixture
def distant(distant_engine, tmp_path, monkeypatch) -> Bench:
    monkeypatch.setenv("DOCKER_HOST", distant_engine.host)
    runtime = open_runtime("docker.b", f"far-{secrets.token_hex(4)}", tmp_path)
    try:
        yield Bench(runtime)
    finally:
        runtime.remove_everything()


def said(bench: Bench, pod, script: str, *mounts: Mount) -> str:
    container = bench.container(pod, script, mounts=mounts)
    bench.ended(container)
    return bench.output(container).decode()


def test_a_pod_has_its_files_where_its_engine_sees_none_of_ours(distant, tmp_path):
    pod = distant.pod()
    volumes = tmp_path / "pods" / pod[0].uid / "volumes"
    distant.runtime.volumes.share(pod[1], pod[0].uid)  # it has none: nothing is to be done
    (volumes / "kubernetes.io~configmap" / "a").mkdir(parents=True)
    (volumes / "kubernetes.io~configmap" / "a" / "colour").write_text("green")
    (volumes / EMPTY_DIR / "b" / "below").mkdir(parents=True)
    (volumes / EMPTY_DIR / "b").chmod(0o777)
    settings = Mount(str(volumes / "kubernetes.io~configmap" / "a"), "/a", read_only=True)
    scratch = Mount(str(volumes / EMPTY_DIR / "b"), "/b")
    script = "cat /a/colour; ls /b; echo kept > /b/note; (echo bad > /a/colour) 2>/dev/null || echo ' read-only'"
    assert said(distant, pod, script, settings, scratch) == "green read-only\n"
    for source, why in (
        (str(volumes / EMPTY_DIR / "b" / "below"), "a subPath of an emptyDir is not to be had"),
        (str(tmp_path / "machines" / "uid" / "%2Fvar"), "a hostPath is not to be had"),
    ):
        with pytest.raises(RuntimeFailure, match=why):
            distant.container(pod, "true", "other", mounts=(Mount(source, "/c"),))
    assert not list(tmp_path.glob("seen-*"))


def test_a_strangers_emptydir_there_has_an_end_though_nobody_looks(distant, tmp_path):
    pod = distant.pod(stranger=True)
    folder = tmp_path / "pods" / pod[0].uid / "volumes" / EMPTY_DIR / "b"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    fill = "for n in 1 2 3; do head -c 60000000 /dev/zero > /b/$n 2>/dev/null || echo full; done; ls /b"
    assert said(distant, pod, fill, Mount(str(folder), "/b")).split() == ["full", "1", "2", "3"]


def test_a_further_engine_that_sees_our_files_mounts_them_themselves(docker_bench, tmp_path):
    bench = Bench(open_runtime("docker.here", f"near-{secrets.token_hex(4)}", tmp_path))
    try:
        pod = bench.pod()
        folder = tmp_path / "pods" / pod[0].uid / "volumes" / EMPTY_DIR / "b"
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        said(bench, pod, "echo kept > /b/note", Mount(str(folder), "/b"))
        assert (folder / "note").read_text() == "kept\n"
    finally:
        bench.runtime.remove_everything()
