"""The API as its clients meet it: a real web server on a real port, over the test database."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from lab.client.clusters import ensure_cluster

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@dataclass
class Reply:
    code: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.raw)


@dataclass
class Api:
    """A cluster's API by its port; paths are those behind the cluster's base path."""

    port: int
    cluster: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/clusters/{self.cluster}"

    def ask(self, method: str, path: str, body=None, **headers: str) -> Reply:
        """One request. A dict or list is sent as JSON, bytes as they are; `Content_Type=…` names headers."""
        raw = json.dumps(body).encode() if isinstance(body, dict | list) else body
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/clusters/{self.cluster}{path}", body=raw, headers=sent)
        answer = connection.getresponse()
        reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def create(self, path: str, obj: dict) -> dict:
        reply = self.ask("POST", path, obj, Content_Type="application/json")
        assert reply.code == 201, reply.raw
        return reply.json

    def patch(self, path: str, patch: dict | list, language: str = "merge") -> Reply:
        types = {"json": "application/json-patch+json"}
        return self.ask("PATCH", path, patch, Content_Type=types.get(language, f"application/{language}-patch+json"))

    def watch(self, path: str, **headers: str) -> "Watch":
        return Watch(self, path, headers)


class Watch:
    """An open watch: `next()` is its next event, as (type, object)."""

    def __init__(self, api: Api, path: str, headers: dict[str, str], timeout: float = 5.0):
        self.connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=timeout)
        self.connection.request("GET", f"/clusters/{api.cluster}{path}", headers=headers)
        self.answer = self.connection.getresponse()

    def next(self) -> tuple[str, dict]:
        line = self.answer.readline()
        if not line:
            raise EOFError("the watch has ended")
        event = json.loads(line)
        return event["type"], event["object"]

    def names(self, count: int) -> list[tuple[str, str]]:
        return [(kind, obj["metadata"]["name"]) for kind, obj in (self.next() for _ in range(count))]

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_) -> None:
        self.connection.close()


@pytest.fixture
def api(web_server: int, transactional_db: None) -> Api:
    """The API of a fresh cluster."""
    ensure_cluster("default")
    return Api(web_server, "default")


@pytest.fixture
def kubeconfig(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig for that cluster, in a home of its own so that no discovery cached elsewhere is met."""
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "lab", "cluster": {"server": api.url}}],
                "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
                "users": [{"name": "lab", "user": {}}],
                "current-context": "lab",
            }
        )
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    return path


def pod(name: str, **labels: str) -> dict:
    """The smallest pod."""
    return {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [{"name": "app", "image": "busybox"}]}}


def deployment(name: str, replicas: int = 1) -> dict:
    """The smallest deployment."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "busybox:1"}]},
            },
        },
    }
