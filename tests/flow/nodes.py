"""Nodes of a lab, for flow tests: adding them, breaking them, and putting everything back."""

import contextlib
import http.cookiejar
import json
import urllib.request
from collections.abc import Iterator

from ..labs import LabUnderTest, is_ready, wait_until
from .audit import wait_until_as_declared
from .steps import patch, scale

NODES = "/api/v1/nodes"


@contextlib.contextmanager
def left_as_found(lab: LabUnderTest) -> Iterator[None]:
    """A shared lab, whose other tests expect its three nodes and three pods."""
    wait_until_as_declared(lab)
    found = {node["metadata"]["name"] for node in lab.get(NODES)["items"]}
    yield
    for node in lab.get(NODES)["items"]:
        name = node["metadata"]["name"]
        if name not in found:
            lab.api("DELETE", f"{NODES}/{name}")
        elif node["spec"].get("unschedulable"):
            patch(lab, f"{NODES}/{name}", {"spec": {"unschedulable": None}})
    scale(lab, 3)
    wait_until_as_declared(lab)


def annotate(lab: LabUnderTest, name: str, **values: str | None) -> None:
    """`annotate(lab, "node-a", power="off")` sets `orrery.io/power`; None takes it away."""
    annotations = {f"orrery.io/{key}": value for key, value in values.items()}
    patch(lab, f"{NODES}/{name}", {"metadata": {"annotations": annotations}})


def a_node(name: str, runtime: str = "process", labels: dict | None = None, **capacity: str) -> dict:
    labels = {"kubernetes.io/hostname": name, "orrery.io/runtime": runtime, **(labels or {})}
    capacity = {"cpu": "4", "memory": "8Gi", "pods": "110", **capacity}
    return {"metadata": {"name": name, "labels": labels}, "status": {"capacity": capacity}}


def add_node(lab: LabUnderTest, node: dict) -> None:
    lab.api("POST", NODES, node)
    name = node["metadata"]["name"]
    wait_until(f"{name} to be Ready", lambda: is_ready(lab.get(f"{NODES}/{name}")))


def nodes_of(lab: LabUnderTest, selector: str = "app=hello") -> set[str]:
    return {pod["spec"].get("nodeName", "") for pod in lab.pods(selector)}


def at_the_machine(lab: LabUnderTest, action: str, name: str) -> None:
    """The power switch on the board: it works without an API server."""
    board, cookies = f"{lab.address}/clusters/default/", http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    browser.open(board, timeout=20).close()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    headers = {"Content-Type": "application/json", "X-CSRFToken": token}
    body = json.dumps({"name": name}).encode()
    with browser.open(urllib.request.Request(f"{board}board/do/{action}", body, headers), timeout=20) as answer:
        assert answer.status == 200
