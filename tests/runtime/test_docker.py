"""What only Docker has: its cgroups, its labels, its neighbours, and that it may be restarted under us."""

import os
import threading
from pathlib import Path

import pytest

from lab.runtime import ContainerSpec, Mount, RuntimeFailure
from lab.runtime.docker import labels
from lab.runtime.docker.runtime import DockerRuntime
from tests.conftest import need
from tests.labs import free_port, wait_until

from .conftest import CLUSTER, IMAGE, Bench, Heard
from .test_containers import POLITE


@pytest.fixture
def cgroups(docker_bench, engine) -> Bench:
    need("the engine's cgroups (root, cgroupfs)", os.geteuid() == 0 and engine.info()["CgroupDriver"] == "cgroupfs")
    return docker_bench


def open_sockets() -> int:
    return sum(os.readlink(link).startswith("socket:") for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


def test_a_node_is_a_cgroup_with_the_nodes_capacity(cgroups):
    parent = cgroups.runtime.set_node_capacity(CLUSTER, "node-a", 500, 256 << 20)
    assert parent
    if Path("/sys/fs/cgroup/cpu").exists():
        assert Path("/sys/fs/cgroup/cpu" + parent, "cpu.cfs_quota_us").read_text() == "50000\n"
        assert Path("/sys/fs/cgroup/cpu" + parent, "cpu.shares").read_text() == "512\n"
        assert Path("/sys/fs/cgroup/cpu/orrery/cpu.shares").read_text() == f"{1024 * os.cpu_count()}\n"
        assert Path("/sys/fs/cgroup/memory" + parent, "memory.limit_in_bytes").read_text() == f"{256 << 20}\n"
    pod = cgroups.pod(cgroup_parent=parent)
    container = cgroups.container(pod, "cat /proc/self/cgroup; sleep 100")
    assert f"{parent}/{container}".encode() in cgroups.said(container, b"memory")


@pytest.mark.parametrize("capacity", [(0, 0), (1, 0), (1 << 62, (1 << 63) - 1)])
def test_a_node_of_whatever_capacity_is_in_its_clusters_group(cgroups, capacity):
    """Outside of it its pods would not count as the cluster's."""
    parent = cgroups.runtime.set_node_capacity(CLUSTER, f"node-{capacity[0]}", *capacity)
    assert parent.endswith(f"/{CLUSTER}/node-{capacity[0]}")
    container = cgroups.container(cgroups.pod(cgroup_parent=parent), "cat /proc/self/cgroup; sleep 100")
    assert f"{parent}/{container}".encode() in cgroups.said(container, b"memory")


def test_a_node_with_the_name_of_a_file_of_the_kernels_is_in_its_clusters_group(cgroups):
    cgroups.runtime.set_node_capacity(CLUSTER, "node-a", 500, 256 << 20)
    assert cgroups.runtime.set_node_capacity(CLUSTER, "cgroup.procs", 500, 256 << 20).endswith(f"/{CLUSTER}")


def test_a_container_gets_no_more_cpu_than_its_node_has(cgroups):
    parent = cgroups.runtime.set_node_capacity(CLUSTER, "node-a", 500, 256 << 20)
    pod = cgroups.pod(cgroup_parent=parent)
    container = cgroups.container(pod, "sleep 100", cpu_limit_millis=4000)
    assert cgroups.look(container).state == "running"


def test_containers_together_stay_within_their_nodes_memory(cgroups):
    parent = cgroups.runtime.set_node_capacity(CLUSTER, "node-b", 1000, 96 << 20)
    pod = cgroups.pod(cgroup_parent=parent)
    eat = "python3 -c 'import time; time.sleep(1); x = b\"x\" * (60 << 20); time.sleep(60)'"
    both = [cgroups.container(pod, eat, name=f"eater-{number}", memory_limit_bytes=80 << 20) for number in (1, 2)]
    killed = wait_until("one to be killed", lambda: [c for id_ in both if (c := cgroups.look(id_)).state == "exited"])
    assert killed[0].exit_code == 137


def test_a_container_is_told_its_limits_by_the_kernel(docker_bench, engine):
    container = docker_bench.run("sleep 100", cpu_request_millis=250, cpu_limit_millis=500, memory_limit_bytes=64 << 20)
    host = engine.inspect_container(container)["HostConfig"]
    assert (host["CpuQuota"], host["Memory"], host["MemorySwap"], host["CpuShares"]) == (
        50_000,
        64 << 20,
        64 << 20,
        256,
    )


def test_a_limit_of_more_cores_than_the_engine_has_is_taken(docker_bench):
    docker_bench.run("sleep 100", cpu_limit_millis=1_000_000)


def test_a_container_can_do_little_to_its_host(docker_bench, engine):
    container = docker_bench.run("sleep 100")
    host = engine.inspect_container(container)["HostConfig"]
    assert host["CapDrop"] == ["ALL"] and "NET_RAW" not in host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges"] and not host["Privileged"]
    assert host["PidsLimit"] == 512


def test_a_host_port_is_open_to_this_machine_alone(docker_bench, engine):
    port = free_port()
    _, sandbox = docker_bench.pod(host_ports=((port, 8080, "tcp"),))
    bound = engine.inspect_container(sandbox)["NetworkSettings"]["Ports"]
    assert bound == {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}


def test_mounts_are_seen_and_read_only_ones_kept_so(docker_bench, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "greeting").write_text("hello\n")
    mounts = (Mount(str(tmp_path), "/data"), Mount(str(tmp_path), "/fixed", read_only=True))
    container = docker_bench.run("cat /fixed/greeting; echo new > /data/new; echo no > /fixed/no", mounts=mounts)
    docker_bench.ended(container)
    assert b"hello\n" in docker_bench.output(container)  # beside the shell's complaint, in either order
    assert (tmp_path / "new").read_text() == "new\n" and not (tmp_path / "no").exists()


def test_a_container_started_by_somebody_else_of_our_image_is_not_ours(docker_bench, engine):
    host = engine.create_host_config(network_mode="none")
    stranger = engine.create_container(IMAGE, host_config=host)["Id"]
    try:
        assert all(sandbox.id == docker_bench.home[1] for sandbox in docker_bench.runtime.list_pods())
    finally:
        engine.remove_container(stranger, force=True)


def test_a_sandbox_removed_behind_our_back_leaves_its_containers_told_of(docker_bench, engine):
    pod = docker_bench.pod()
    container = docker_bench.container(pod)
    engine.remove_container(pod[1], force=True)
    found = docker_bench.sandbox(pod[0].uid)
    assert (found.ready, [inside.id for inside in found.containers]) == (False, [container])
    docker_bench.runtime.remove_pod_sandbox(found.id)
    assert docker_bench.look(container) is None


def test_to_remove_everything_touches_only_ones_own_lab(docker_bench, tmp_path, engine):
    other = Bench(DockerRuntime("test-other-lab", tmp_path))
    other.container(other.home, "sleep 100")
    kept = docker_bench.run("sleep 100")
    removed = other.runtime.remove_everything()
    assert sum(line.startswith("container ") for line in removed) == 2
    assert "network orrery-test-other-lab-contract" in removed
    assert other.runtime.list_pods() == [] and other.runtime.remove_everything() == []
    assert docker_bench.look(kept).state == "running"
    assert docker_bench.runtime.images.status(IMAGE)


def test_a_network_that_somebody_is_still_in_is_not_said_to_be_removed(docker_bench, tmp_path, engine):
    other, network = Bench(DockerRuntime("test-shared-lab", tmp_path)), "orrery-test-shared-lab-contract"
    other.container(other.home, "sleep 100")
    docker_bench.run("sleep 100")
    guest = docker_bench.sandbox(docker_bench.home[0].uid).id
    engine.connect_container_to_network(guest, network)
    try:
        assert f"network {network}" not in other.runtime.remove_everything()
    finally:
        engine.disconnect_container_from_network(guest, network)
    assert f"network {network}" in other.runtime.remove_everything()


def test_forty_threads_need_no_more_sockets_than_threads(docker_bench):
    before, ready, over = open_sockets(), threading.Barrier(41), threading.Event()

    def ask() -> None:
        for _ in range(3):
            docker_bench.runtime.list_pods()
            docker_bench.runtime.images.status(IMAGE)
            docker_bench.runtime.version()
        ready.wait(20)
        over.wait(20)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    ready.wait(20)
    assert open_sockets() - before <= 40
    over.set()
    for thread in threads:
        thread.join()
    wait_until("their sockets to be closed", lambda: open_sockets() <= before, 5)


def test_an_image_is_made_once_however_many_want_it(private_engine, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", private_engine.host)
    runtime = DockerRuntime("test-images", tmp_path)
    makers = [threading.Thread(target=make) for make in [lambda: runtime.images.pull(IMAGE)] * 3]
    makers += [threading.Thread(target=runtime.images.maker.make_pause) for _ in range(3)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
    names = sorted(name for image in runtime.images.present() for name in image.names)
    assert names == ["orrery/hello:v1", "orrery/pause:1", "orrery/python:3"]
    assert len(runtime.remove_everything()) == 3
    assert runtime.images.present() == []


def test_what_was_built_and_is_kept_keeps_what_it_stands_on(private_engine, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", private_engine.host)
    runtime = DockerRuntime("test-kept", tmp_path)
    runtime.images.pull("orrery/bank:v1")
    dockerfile = f"FROM {IMAGE}\nCOPY page.html /app/hello/page.html\n".encode()
    for repository in ("mine/kept", "mine/forgotten"):
        list(runtime.images.build(repository, {"Dockerfile": dockerfile, "page.html": repository.encode()}, 60))
    removed = runtime.remove_everything(keep={"mine/kept:v1", "orrery/bank:v1"})
    assert {"image mine/forgotten:v1", "image orrery/bank:v1"} <= set(removed)
    names = sorted(name for image in runtime.images.present() for name in image.names)
    assert names == ["mine/kept:v1", IMAGE, "orrery/python:3"]
    runtime.remove_everything()
    assert runtime.images.present() == []


def test_pods_and_listeners_survive_the_engines_restart(private_engine, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", private_engine.host)
    bench = Bench(DockerRuntime("test-restart", tmp_path))
    container = bench.container(bench.home, POLITE)
    heard = Heard(bench.runtime)
    try:
        private_engine.stop()
        private_engine.start()
        wait_until("a second relist", lambda: sum(event.kind == "relist" for event in heard.events) == 2)
        home = bench.sandbox(bench.home[0].uid)
        assert not home.ready and bench.look(container).state == "exited"
        bench.runtime.remove_pod_sandbox(home.id)
        again = bench.pod("again", address=bench.home[0].address)
        fresh = bench.container(again, "exit 3")
        heard.wait_for("a death afterwards", lambda event: event.container_id == fresh and event.exit_code == 3)
    finally:
        heard.stop()
        bench.runtime.remove_everything()


def test_a_kill_does_not_wait_for_an_engine_that_is_busy(docker_bench, engine, monkeypatch):
    need("the engine's processes on this machine", docker_bench.runtime._engine.on_this_host() and os.geteuid() == 0)
    container = docker_bench.run("sleep 100")
    monkeypatch.setattr(docker_bench.runtime, "_tell", lambda *_: pytest.fail("the engine was asked"))
    docker_bench.runtime.kill_container(container)
    assert docker_bench.ended(container).exit_code == 137


def test_what_a_strangers_image_wants_to_be_volumes_is_memory(docker_bench, engine):
    """Of a volume of the engine's own nobody would know how full it is. Debian's /var/run is a link to /run."""
    text = f"FROM {IMAGE}\nVOLUME /kept/ /var/lock /var/run\nUSER 0\n".encode()
    *_, built = docker_bench.runtime.images.build("mine/with-volumes", {"Dockerfile": text}, 60)
    pod = docker_bench.pod(stranger=True)
    spec = ContainerSpec("main", built.names[0], ("sh", "-c", "cat /proc/mounts; sleep 100"))
    container = docker_bench.runtime.create_container(pod[1], pod[0], spec)
    docker_bench.runtime.start_container(container)
    assert [mount for mount in engine.inspect_container(container)["Mounts"] if mount["Type"] == "volume"] == []
    assert " /kept tmpfs rw," in docker_bench.said(container, b" /kept ").decode()


def test_what_an_image_says_of_its_health_is_not_asked(docker_bench, engine):
    text = f"FROM {IMAGE}\nHEALTHCHECK --interval=1s CMD true\n".encode()
    *_, built = docker_bench.runtime.images.build("mine/well", {"Dockerfile": text}, 60)
    pod = docker_bench.pod()
    container = docker_bench.runtime.create_container(pod[1], pod[0], ContainerSpec("main", built.names[0]))
    docker_bench.runtime.start_container(container)
    assert "Health" not in engine.inspect_container(container)["State"]


def test_a_build_that_may_not_go_abroad_stands_on_what_is_here(docker_bench):
    for base, words in (("orrery/nowhere:v1", "no image from a registry"), ("orrery/${NAME}", "invalid reference")):
        with pytest.raises(RuntimeFailure, match=words):
            list(docker_bench.runtime.images.build("mine/x", {"Dockerfile": f"FROM {base}".encode()}, 60, "stranger"))


def test_what_a_stranger_had_built_can_be_forgotten_and_nobody_elses_goes_with_it(docker_bench):
    images, mark = docker_bench.runtime.images, f"s{free_port()}"

    def built(name: str, owner: str, base: str = IMAGE) -> str:
        text = f"FROM {base}\nLABEL {labels.OWNER}=nobody {labels.MAKER}=me\nENV A={name}\n".encode()
        *_, image = images.build(f"mine/{mark}-{name}", {"Dockerfile": text}, 60, owner)
        return image.names[0]

    first, second, others = built("a", f"{mark}-1"), built("b", f"{mark}-1"), built("c", f"{mark}-2")
    on_a_strangers = built("d", "", first)
    pod = docker_bench.pod(stranger=True)
    spec = ContainerSpec("main", second, ("sh", "-c", "sleep 100"))
    container = docker_bench.runtime.create_container(pod[1], pod[0], spec)
    docker_bench.runtime.start_container(container)
    with pytest.raises(RuntimeFailure, match="is using its referenced image|being used"):
        images.forget(f"{mark}-1")
    docker_bench.runtime.remove_container(container)
    images.forget(f"{mark}-1")
    owners = {name: image.owner for image in images.present() for name in image.names if mark in name}
    assert owners == {others: f"{mark}-2", on_a_strangers: ""}
    images.forget(f"{mark}-2")
    images.forget(f"{mark}-2")
    assert images.status(others) is None and images.status(on_a_strangers)


def test_what_a_strangers_build_left_that_failed_is_forgotten_too(docker_bench, engine):
    images, owner = docker_bench.runtime.images, f"s{free_port()}"
    text = f"FROM {IMAGE}\nENV A={owner}\nCOPY a /a\nCOPY nothing /b\n".encode()
    with pytest.raises(RuntimeFailure, match="nothing"):
        list(images.build("mine/x", {"Dockerfile": text, "a": b"1"}, 60, owner))
    of_owner = {"label": [f"{labels.OWNER}={owner}"]}
    assert engine.images(all=True, filters=of_owner)
    images.forget(owner)
    assert engine.images(all=True, filters=of_owner) == []
