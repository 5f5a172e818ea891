"""Pods and engine states for the tests of the kubelet's pure parts."""

from lab.runtime import Container, Sandbox

UID = "0a1b"


def pod(containers=None, **spec) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default", "uid": UID},
        "spec": {"nodeName": "node-1", "containers": containers or [container("web")], **spec},
    }


def container(name: str, **more) -> dict:
    return {"name": name, "image": "demo:1", **more}


def running(name: str = "web", attempt: int = 0, **more) -> Container:
    return Container(f"{name}-{attempt}", name, attempt, "running", image="demo:1", started_at=1000.0, **more)


def exited(name: str = "web", attempt: int = 0, code: int = 1, **more) -> Container:
    return Container(
        f"{name}-{attempt}", name, attempt, "exited", "demo:1", exit_code=code, started_at=1000.0, finished_at=1010.0,
        **more,
    )  # fmt: skip


def sandbox(*containers: Container, ready: bool = True) -> Sandbox:
    return Sandbox("box", "default", "node-1", "default", "web", UID, ready, "10.1.1.2", 999.0, containers)
