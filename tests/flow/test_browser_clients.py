"""A page of somebody else's program, as Headlamp has them: in a real browser, behind a proxy that has the credentials,
an old kubectl and a new one, and over TLS from there. It follows pods, a log and a command on websockets.
"""

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from ..labs import LabUnderTest, free_port, manage

FOLLOW = """
([path, protocol, words]) => new Promise((told, failed) => {
    const socket = new WebSocket(`ws://${location.host}${path}`, [protocol])
    let seen = ""
    socket.binaryType = "arraybuffer"
    socket.onmessage = ({data}) => {
        seen += typeof data == "string" ? data : new TextDecoder().decode(data)
        if (seen.includes(words)) { told([socket.protocol, seen]); socket.close() }
    }
    socket.onclose = ({code}) => failed(`closed with ${code}; until then: ${seen}`)
})
"""
CREATE = """
body => fetch("/api/v1/namespaces/default/configmaps?dryRun=All",
    {method: "POST", headers: {"Content-Type": "application/json"}, body}).then(answer => answer.status)
"""
HOME = "/api/v1/namespaces/default/pods"


@pytest.fixture
def behind_proxy(process_lab: LabUnderTest, kubectl: str, page: Page, tmp_path) -> Iterator[Page]:
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=process_lab.data).stdout)
    command = [
        kubectl,
        "--kubeconfig",
        config,
        "proxy",
        f"--port={free_port()}",
        "--reject-paths=^$",
        "--append-server-path",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            address = proxy.stdout.readline().split()[-1]
            page.goto(f"http://{address}/version")
            yield page
        finally:
            proxy.kill()


def follow(page: Page, path: str, protocol: str, words: str) -> str:
    """What is said on a websocket until these words are."""
    spoken, seen = page.evaluate(FOLLOW, [path, protocol, words])
    assert spoken == protocol
    return seen


def test_a_page_behind_kubectls_proxy_follows_on_websockets(behind_proxy, process_lab):
    page = behind_proxy
    name = process_lab.wait_for_ready_pods(3)[0]["metadata"]["name"]
    assert page.evaluate("path => fetch(path).then(r => r.json()).then(list => list.kind)", HOME) == "PodList"
    watched = follow(page, f"{HOME}?watch=1&fieldSelector=metadata.name%3D{name}", "base64.binary.k8s.io", "}}")
    assert watched.startswith('{"type":"ADDED","object":{')
    assert page.evaluate(CREATE, '{"metadata": {"name": "from-a-page"}}') == 201
    logged = follow(page, f"{HOME}/{name}/log?follow=1&tailLines=1", "base64.binary.k8s.io", "")
    assert page.evaluate("atob", logged)
    command = "command=sh&command=-c&command=echo%20from%20%24HOSTNAME&stdout=1"
    assert f"from {name}" in follow(page, f"{HOME}/{name}/exec?{command}", "v4.channel.k8s.io", "Success")
