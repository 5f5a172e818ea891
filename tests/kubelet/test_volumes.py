import base64
import os
import threading
from pathlib import Path

import pytest

from lab.kubelet.environment import Find
from lab.kubelet.volumes import (
    Content,
    File,
    MountError,
    machine_folder,
    mounts_of,
    pod_folder,
    remove_machine_folder,
    remove_pod_folder,
    set_up,
    write_atomically,
)
from lab.runtime import Mount

from .build import UID, container, pod


def content(made: dict, find: Find = lambda *_: None) -> Content:
    return Content(made, find, {}, lambda source: f"a token for {source.get('audience', 'the API')}")


def files(**content: str) -> dict[str, File]:
    return {name.replace("__", "/"): File(text.encode(), 0o640) for name, text in content.items()}


def test_files_are_written_with_their_modes_and_folders(tmp_path):
    write_atomically(tmp_path / "v", files(a="1", deep__b="2"))
    assert (tmp_path / "v/a").read_text() == "1" and (tmp_path / "v/deep/b").read_text() == "2"
    assert (tmp_path / "v/a").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in (tmp_path / "v").iterdir() if not path.name.startswith("..")) == ["a", "deep"]


def test_what_is_no_more_in_the_source_goes_and_nothing_old_is_left(tmp_path):
    write_atomically(tmp_path, files(a="1", b="1"))
    write_atomically(tmp_path, files(b="2", c="2"))
    assert sorted(os.listdir(tmp_path)) == sorted(["..data", os.readlink(tmp_path / "..data"), "b", "c"])
    assert (tmp_path / "b").read_text() == "2"


def test_what_has_not_changed_is_not_touched(tmp_path):
    write_atomically(tmp_path, files(a="1"))
    before = os.readlink(tmp_path / "..data")
    write_atomically(tmp_path, files(a="1"))
    assert os.readlink(tmp_path / "..data") == before


def test_a_reader_never_sees_half_of_the_old_and_half_of_the_new(tmp_path):
    write_atomically(tmp_path, files(a="0", b="0"))
    mixed, over = [], threading.Event()

    def read() -> None:
        while not over.is_set():
            version = tmp_path / os.readlink(tmp_path / "..data")
            try:
                pair = [(version / name).read_text() for name in ("a", "b")]
                mixed.extend([pair] if pair[0] != pair[1] else [])
            except FileNotFoundError:
                continue  # the old one, removed while it was read: as in Kubernetes a reader opens it again

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        write_atomically(tmp_path, files(a=str(number), b=str(number)))
    over.set()
    reader.join()
    assert mixed == []


def mounts(tmp_path, volume: dict, **mount):
    made = pod(
        [container("web", volumeMounts=[{"name": "v", "mountPath": "/v", **mount}])], volumes=[{"name": "v"} | volume]
    )
    found = content(made, lambda *_: {"data": {"web-1": "mine"}})
    sources = set_up(tmp_path, tmp_path / "m", found, lambda claim: f"engine/{claim}")
    return mounts_of(made["spec"]["containers"][0], sources, {"NAME": "web-1", "UP": "../.."})


CONFIG = {"configMap": {"name": "c"}}


def test_a_part_of_a_volume_may_be_named_by_a_variable(tmp_path):
    (one,) = mounts(tmp_path, CONFIG, subPathExpr="$(NAME)")
    assert Path(one.source).read_text() == "mine" and one.target == "/v"


def test_a_part_of_an_empty_folder_is_made_for_everybody(tmp_path):
    (one,) = mounts(tmp_path, {"emptyDir": {}}, subPath="a/b")
    made = Path(one.source)
    assert (made.parts[-2:], one.read_only) == (("a", "b"), False)
    assert [folder.stat().st_mode & 0o777 for folder in (made, made.parent)] == [0o777] * 2


@pytest.mark.parametrize("leads", ["$(UP)", "$(UP)/new", "nothing"])
def test_a_part_that_is_not_in_the_volume_is_refused_and_not_made(tmp_path, leads):
    with pytest.raises(MountError, match="failed to prepare subPath"):
        mounts(tmp_path, CONFIG, subPathExpr=leads)
    assert not list(tmp_path.rglob("new")) and not list(tmp_path.rglob("nothing"))


def test_no_container_writes_where_the_kubelet_writes_what_comes_from_the_api(tmp_path):
    of_api = [CONFIG, {"secret": {"secretName": "s"}}, {"downwardAPI": {}}, {"projected": {}}]
    assert [mounts(tmp_path, volume)[0].read_only for volume in of_api] == [True] * 4
    written = [{"emptyDir": {}}, {"hostPath": {"path": "/data"}}]
    assert [mounts(tmp_path, volume)[0].read_only for volume in written] == [False] * 2
    assert mounts(tmp_path, written[0], readOnly=True)[0].read_only


def test_an_unknown_kind_of_volume_and_an_unknown_volume_are_refused(tmp_path):
    with pytest.raises(MountError) as unknown:
        set_up(tmp_path, tmp_path / "m", content(pod(volumes=[{"name": "v", "nfs": {"path": "/"}}])), str)
    assert 'MountVolume.SetUp failed for volume "v"' in str(unknown.value)
    with pytest.raises(MountError):
        mounts_of(container("web", volumeMounts=[{"name": "none", "mountPath": "/v"}]), {}, {})


def test_a_claims_volume_is_the_engines_and_may_be_read_only(tmp_path):
    claimed = [
        {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "w", "persistentVolumeClaim": {"claimName": "fixed", "readOnly": True}},
    ]
    seen = [{"name": name, "mountPath": f"/{name}"} for name in ("v", "w")]
    folders = set_up(tmp_path, tmp_path / "m", content(pod(volumes=claimed)), lambda claim: f"engine/{claim}")
    writable, fixed = mounts_of(container("web", volumeMounts=seen), folders, {})
    assert writable == Mount("engine/data", "/v", read_only=False, volume=True)
    assert fixed == Mount("engine/fixed", "/w", read_only=True, volume=True)


def of_host(tmp_path, path: str, kind: str = ""):
    volumes = [{"name": "v", "hostPath": {"path": path, "type": kind}}]
    return set_up(tmp_path, machine_folder(tmp_path, "n1"), content(pod(volumes=volumes)), str)["v"].place


def test_a_path_of_the_host_is_one_of_the_nodes_own_and_goes_with_the_node(tmp_path):
    logs = of_host(tmp_path, "/var/log")
    (logs / "a").write_text("1")
    (logs / "out").symlink_to("/etc")
    assert of_host(tmp_path, "/var/log/", "Directory") == logs
    assert (of_host(tmp_path, "/var/log") / "a").read_text() == "1"
    inside = of_host(tmp_path, "/var/log/out/ssh")
    assert inside.resolve().is_relative_to(machine_folder(tmp_path, "n1").resolve())
    assert of_host(tmp_path, "/run/socket", "FileOrCreate").is_file()
    for path, kind in (("/var/log", "File"), ("/nothing", "Directory"), ("/nothing", "File")):
        with pytest.raises(MountError, match="hostPath type check failed"):
            of_host(tmp_path, path, kind)
    remove_machine_folder(tmp_path, "n1")
    assert os.listdir(tmp_path / "machines") == []


def test_a_pods_folder_goes_as_a_whole(tmp_path):
    mounts(tmp_path, {"emptyDir": {}})
    remove_pod_folder(tmp_path, UID)
    remove_pod_folder(tmp_path, UID)
    assert not pod_folder(tmp_path, UID).exists()


ACCESS = {
    "defaultMode": 0o644,
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ],
}


def test_a_token_lies_beside_what_else_is_projected_and_nothing_is_written_where_nobody_reads(tmp_path):
    made = content(pod(volumes=[{"name": "v", "projected": ACCESS}]), lambda *_: {"data": {"ca.crt": "PEM"}})
    unseen = set_up(tmp_path, tmp_path / "m", made, str, written=False)["v"].place
    assert not unseen.exists()
    seen = set_up(tmp_path, tmp_path / "m", made, str)["v"].place
    assert seen == unseen
    assert {name: (seen / name).read_text() for name in ("token", "ca.crt", "namespace")} == {
        "token": "a token for the API",
        "ca.crt": "PEM",
        "namespace": made.pod["metadata"]["namespace"],
    }
    missing = content(made.pod)
    with pytest.raises(MountError, match="kube-root-ca.crt"):
        set_up(tmp_path, tmp_path / "m", missing, str, written=False)


@pytest.mark.parametrize(
    ("count", "size", "fits"), [(2000, 1, True), (2001, 1, False), (161, 10**5, True), (168, 10**5, False)]
)
def test_what_a_pods_volumes_unfold_into_has_a_limit(tmp_path, count, size, fits):
    """A key of one ConfigMap, asked for as many files, in two volumes."""
    items = [{"key": "k", "path": f"f{n}"} for n in range(count)]
    halves = {"a": items[::2], "b": items[1::2]}
    volumes = [{"name": name, "configMap": {"name": "c", "items": half}} for name, half in halves.items()]
    given = content(pod(volumes=volumes), lambda *_: {"data": {"k": "x" * size}})
    if fits:
        assert len(set_up(tmp_path, tmp_path, given, str)) == 2
    else:
        with pytest.raises(MountError, match="2000 files of 16 MiB"):
            set_up(tmp_path, tmp_path, given, str)


def test_what_there_is_no_room_for_is_not_made_first(tmp_path):
    """Of a Secret each source of a projected volume makes files of its own."""
    sources = [{"secret": {"name": "s", "items": [{"key": "k", "path": f"f{n}"}]}} for n in range(1000)]
    asked, of_all = [], {"data": {"k": base64.b64encode(b"x" * 10**5).decode()}}
    made = pod(volumes=[{"name": "v", "projected": {"sources": sources}}])
    with pytest.raises(MountError, match="2000 files of 16 MiB"):
        set_up(tmp_path, tmp_path, content(made, lambda *about: asked.append(about) or of_all), str)
    assert len(asked) == 168
