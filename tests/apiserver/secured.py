"""The API at its TLS port, as its clients meet it: with the lab's authority, certificates and tokens."""

import contextlib
import http.client
import json
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from lab.apimachinery.kinds import RBAC, ROLEBINDINGS, ROLES, SERVICEACCOUNTS
from lab.client import Client
from lab.management import pki

from .conftest import Reply

ROBOT = "system:serviceaccount:default:robot"
READ_PODS = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]


@dataclass
class Secured:
    """A cluster's API at its TLS port."""

    port: int
    cluster: str = "default"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/clusters/{self.cluster}"

    def ask(
        self, method: str, path: str, body=None, token: str = "", user: tuple[str, ...] = (),
        base: str | None = None,
        **headers: str,
    ) -> Reply:  # fmt: skip
        """One request, with a token, with a certificate of `user` (name, groups …), or with neither."""
        context = ssl.create_default_context(cafile=settings.PKI_DIR / "ca.crt")
        if user:
            show(context, *pki.client_certificate(settings.PKI_DIR, user[0], user[1:]))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        raw = json.dumps(body).encode() if body is not None else None
        base = f"/clusters/{self.cluster}" if base is None else base
        with contextlib.closing(connection):
            connection.request(method, f"{base}{path}", body=raw, headers=sent)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def show(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python reads a certificate from files alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.write_bytes(certificate + key)
        context.load_cert_chain(path)


def add_robot(client: Client, rules: list[dict] | None = None, name: str = "robot") -> dict:
    """A ServiceAccount of the namespace default; with `rules`, under a role of its own."""
    account = client.create(SERVICEACCOUNTS, {"metadata": {"name": name, "namespace": "default"}})
    if rules is not None:
        grant(client, name, rules)
    return account


def grant(client: Client, account: str, rules: list[dict], role: str = "") -> None:
    """Give a ServiceAccount of the namespace default a role with these rules, there."""
    meta = {"name": role or account, "namespace": "default"}
    client.create(ROLES, {"metadata": meta, "rules": rules})
    ref = {"apiGroup": RBAC, "kind": ROLES.kind, "name": meta["name"]}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": "default"}
    client.create(ROLEBINDINGS, {"metadata": meta, "roleRef": ref, "subjects": [subject]})
