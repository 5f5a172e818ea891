"""Volumes on both real engines: what is written stays when the container goes, until the volume is removed."""

import pytest

from lab.runtime import Mount, RuntimeFailure
from lab.runtime.process.volumes import rewritten


@pytest.fixture
def source(bench):
    """A volume that is gone afterwards."""
    yield bench.runtime.volumes.ensure("contract", "pvc-1")
    bench.clear()
    bench.runtime.volumes.remove("contract", "pvc-1")


def wrote(bench, script: str, *mounts: Mount, **more) -> str:
    container = bench.run(script, mounts=mounts, **more)
    bench.ended(container)
    return bench.output(container).decode()


def test_a_volume_outlives_its_containers(bench, source):
    mount = Mount(source, "/data", volume=True)
    assert wrote(bench, "echo kept > /data/note; ls /data", mount, user="65534") == "note\n"
    assert bench.runtime.volumes.ensure("contract", "pvc-1") == source
    assert wrote(bench, "cat /elsewhere/note", Mount(source, "/elsewhere", volume=True)) == "kept\n"
    assert ("contract", "pvc-1") in bench.runtime.volumes.present()


def test_a_removed_volume_is_gone_with_what_was_written(bench, source):
    mount = Mount(source, "/data", volume=True)
    wrote(bench, "echo kept > /data/note", mount)
    bench.clear()
    bench.runtime.volumes.remove("contract", "pvc-1")
    bench.runtime.volumes.remove("contract", "pvc-1")
    assert ("contract", "pvc-1") not in bench.runtime.volumes.present()
    bench.runtime.volumes.ensure("contract", "pvc-1")
    assert wrote(bench, "ls /data; echo nothing", mount) == "nothing\n"


def test_docker_keeps_a_volume_that_is_mounted_and_a_reader_from_writing(docker_bench):
    bench, runtime = docker_bench, docker_bench.runtime
    source = runtime.volumes.ensure("contract", "pvc-2")
    fixed = Mount(source, "/fixed", read_only=True, volume=True)
    try:
        assert "Read-only" in wrote(bench, "touch /fixed/x", fixed)
        with pytest.raises(RuntimeFailure, match="in use"):
            runtime.volumes.remove("contract", "pvc-2")
    finally:
        bench.clear()
        runtime.volumes.remove("contract", "pvc-2")


def test_docker_finishes_a_volume_whose_maker_was_interrupted(docker_bench, engine):
    runtime = docker_bench.runtime
    full = runtime.volumes.ensure("contract", "pvc-3")
    opener = runtime.images.maker.making_name(full)
    mount = {"Type": "volume", "Source": full, "Target": "/volume"}
    config = {"Image": "orrery/pause:1", "HostConfig": {"NetworkMode": "none", "Mounts": [mount]}}
    engine.create_container_from_config(config, name=opener)
    runtime.volumes.ensure("contract", "pvc-3")
    assert not engine.containers(all=True, filters={"name": [opener]})
    runtime.volumes.remove("contract", "pvc-3")


MOUNTS = [{"target": "/data", "source": "/lab/v/one"}, {"target": "/data/deep/", "source": "/lab/v/two"}]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("/data", "/lab/v/one"),
        ("file:/data/bank.json", "file:/lab/v/one/bank.json"),
        ("date >> /data/log; ls '/data'", "date >> /lab/v/one/log; ls '/lab/v/one'"),
        ("--store=/data/deep/x", "--store=/lab/v/two/x"),
        ("/database /data-old /data.txt", "/database /data-old /data.txt"),
        ("/srv/data http://host/data", "/srv/data http://host/data"),
    ],
)
def test_a_process_is_told_the_folder_behind_a_mount(said, meant):
    assert rewritten(said, MOUNTS) == meant
    assert rewritten(said, []) == rewritten(said, [{"target": "/", "source": "/x"}]) == said
