"""What an instructor does in a learner's cluster has the instructor as author, by whichever door it comes."""

import asyncio
from types import SimpleNamespace

import orjson
import pytest
from django.test import AsyncRequestFactory, RequestFactory

from lab.apimachinery.kinds import CONFIGMAPS, DEPLOYMENTS
from lab.client import Client
from lab.dashboard import console
from lab.dashboard.creating import create_from_yaml
from lab.dashboard.views import do
from lab.httpserver import AUTHOR, author_for
from lab.tutorials.cluster import ensure_learning_cluster

pytestmark = pytest.mark.django_db(transaction=True)
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
STATE = {"state": {AUTHOR: "instructor"}}


def test_without_a_word_of_it_the_author_is_the_program():
    assert author_for(RequestFactory().get("/"), "board") == "board"
    assert author_for(SimpleNamespace(scope={"state": {}}), "kubectl") == "kubectl"
    assert author_for(SimpleNamespace(scope=STATE), "board") == "instructor"


def test_an_act_of_the_board_and_a_file_have_it():
    ensure_learning_cluster("authored")
    client = Client("authored", "tests")
    create_from_yaml("authored", MAP, author="instructor")
    assert client.history(CONFIGMAPS, "default", "a")[0]["author"] == "instructor"
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "orrery/hello:v1"}]}}
    made["spec"] = {"selector": {"matchLabels": {"app": "web"}}, "template": pod}
    create_from_yaml("authored", orjson.dumps(made).decode())
    asked = {"namespace": "default", "name": "web", "replicas": 2}
    request = RequestFactory().post("/", orjson.dumps(asked), content_type="application/json")
    request.scope = STATE
    answer = do(request, "authored", "scale")
    assert answer.status_code == 200, answer.content
    authors = [row["author"] for row in client.history(DEPLOYMENTS, "default", "web")]
    assert authors[0] == "instructor" and authors[-1] == "board"


def test_kubectl_is_called_so(monkeypatch):
    called = []

    async def said(program, command, pasted):
        called.append((program, command))
        yield b"{}\n"

    monkeypatch.setattr(console, "said", said)
    monkeypatch.setattr(console, "program", lambda: "/usr/bin/kubectl")

    async def run(state: dict) -> None:
        request = AsyncRequestFactory().post("/", orjson.dumps({"command": "kubectl get pods"}), "application/json")
        request.scope["state"] = state
        async for _ in await console.run(request, "authored"):
            pass

    asyncio.run(run({AUTHOR: "instructor"}))
    asyncio.run(run({}))
    assert [(program, command[0]) for program, command in called] == [
        ("/usr/bin/kubectl", "instructor"),
        ("/usr/bin/kubectl", "/usr/bin/kubectl"),
    ]
