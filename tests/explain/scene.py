"""A namespace of a cluster in which something goes wrong: acted upon and asked through the API, as by its users."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.apimachinery.kinds import KINDS
from tests.apiserver.conftest import Api, Reply
from tests.conftest import need
from tests.labs import wait_until

BY_NAME = {kind.plural: kind for kind in reversed(KINDS)}  # nodes, and not their metrics


def a_kubectl() -> str:
    program = os.environ.get("KUBECTL_NEW") or shutil.which("kubectl")
    need("kubectl (KUBECTL_NEW names one)", program)
    return str(program)


class Scene:
    """Objects are named `<resource>/<name>`; a name that ends with `*` means the first that begins so."""

    def __init__(self, api: Api, namespace: str, config: Path):
        self.api, self.namespace, self._config = api, namespace, config

    def path(self, named: str) -> str:
        resource, _, rest = named.partition("/")
        kind = BY_NAME[resource]
        within = f"/namespaces/{self.namespace}" if kind.namespaced else ""
        root = f"/apis/{kind.group}" if kind.group else "/api"
        return f"{root}/{kind.version}{within}/{resource}{f'/{rest}' if rest else ''}"

    def ask(self, who: str, method: str, named: str, body: dict, language: str = "json") -> Reply:
        headers = {"User_Agent": f"{who}/1", "Content_Type": f"application/{language.replace('-patch', '-patch+json')}"}
        return self.api.ask(method, self.path(named), body, **headers)

    def create(self, who: str, resource: str, obj: dict) -> None:
        reply = self.ask(who, "POST", resource, obj)
        assert reply.code == 201, reply.raw

    def patch(self, who: str, named: str, change: dict, language: str = "merge-patch") -> None:
        reply = self.ask(who, "PATCH", named, change, language)
        assert reply.code == 200, reply.raw

    def get(self, named: str) -> dict:
        reply = self.api.get(self.path(named))
        assert reply.code == 200, reply.raw
        return reply.json

    def find(self, named: str) -> str:
        """The name in full."""
        resource, _, name = named.partition("/")
        if not name.endswith("*"):
            return named
        names = [item["metadata"]["name"] for item in self.get(resource)["items"]]
        return f"{resource}/{next(it for it in names if it.startswith(name[:-1]))}"

    def why(self, named: str) -> list[dict]:
        reply = self.api.get(f"{self.path(named)}/why")
        assert reply.code == 200, reply.raw
        return reply.json["cards"]

    def until(self, what: str, look: Callable[[], object], seconds: float = 40) -> None:
        wait_until(f"{self.namespace}: {what}", look, seconds)

    def until_reason(self, named: str, reason: str, says: Iterable[str] = (), seconds: float = 20) -> dict:
        """The first card, once it has this reason, and its answer or its grounds these words."""

        def look() -> dict | None:
            card = seen[0] = self.why(named)[0]
            said = " ".join([card["answer"], *(ground["text"] for ground in card["because"])])
            return card if card["reason"] == reason and all(words in said for words in says) else None

        seen: list[dict] = [{}]
        try:
            return wait_until(reason, look, seconds)
        except AssertionError:
            raise AssertionError(f"{self.namespace}: {named} does not say {reason} {says}, but {seen[0]}") from None

    def run(self, command: str) -> None:
        """What a card advises, by a real kubectl."""
        program = a_kubectl()
        words = [
            program,
            "--kubeconfig",
            str(self._config),
            "--cache-dir",
            str(self._config.parent),
            *shlex.split(command)[1:],
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
