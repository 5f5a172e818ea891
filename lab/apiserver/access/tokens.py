"""Tokens of ServiceAccounts: JWTs that the lab signs, bound to the account, and to a pod or a secret if asked for.

A token is good until it expires, or until what it is bound to is gone. Sources: pkg/serviceaccount/claims.go,
pkg/registry/core/serviceaccount/storage/token.go.
"""

import base64
import functools
import json
import time
import uuid
from typing import TYPE_CHECKING

from django.conf import settings

from lab.apimachinery import errors, meta
from lab.apimachinery.kinds import NODES, PODS, SECRETS, SERVICEACCOUNTS, Kind
from lab.store import View

from .. import registry
from ..request import Request
from ..strategies.podspec.volumes import TOKEN_SECONDS, validate_token_seconds
from .user import ACCOUNT_PREFIX, AUTHENTICATED, User, account_groups, account_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ALGORITHM = "RS256"
PRIVATE = "kubernetes.io"  # the claim under which Kubernetes keeps what is its own
EXTRA = "authentication.kubernetes.io"
BOUND = {PODS.kind: PODS, SECRETS.kind: SECRETS}


class InvalidToken(Exception):
    """Why a token opens nothing."""


def issuer(cluster: str) -> str:
    """Who signs, which is also for whom a token is that says nothing else: a token of one cluster opens no other."""
    return f"https://kubernetes.default.svc.cluster.local/clusters/{cluster}"


def cluster_of(token: str) -> str:
    """Which cluster a token says that it is of, before anybody has verified it; "" if it says nothing."""
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("iss")
    except (IndexError, ValueError, AttributeError):
        return ""
    start = issuer("")
    return said.removeprefix(start) if isinstance(said, str) and said.startswith(start) else ""


def request_token(req: Request, namespace: str, name: str, asked: dict) -> dict:
    """Answer a TokenRequest, with the token in its status. Raises ApiError 400, 404, 409, 422."""
    account = registry.get(req, SERVICEACCOUNTS, namespace, name)
    spec = {"expirationSeconds": TOKEN_SECONDS, **(asked.get("spec") or {})}
    spec["audiences"] = spec.get("audiences") or [issuer(req.cluster)]
    causes = list(validate_token_seconds(spec["expirationSeconds"], "spec.expirationSeconds"))
    if causes:
        raise errors.invalid(Kind("TokenRequest", "", "authentication.k8s.io"), "", causes)
    now = int(time.time())
    claims = {
        "aud": spec["audiences"],
        "exp": now + spec["expirationSeconds"],
        "iat": now,
        "iss": issuer(req.cluster),
        "jti": str(uuid.uuid4()),
        PRIVATE: {"namespace": namespace, "serviceaccount": _named(account), **_bound(req, namespace, name, spec)},
        "nbf": now,
        "sub": account_name(namespace, name),
    }
    made = {"name": name, "namespace": namespace, "creationTimestamp": meta.now()}
    status = {"token": _sign(claims), "expirationTimestamp": meta.at(claims["exp"])}
    return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": made} | {
        "spec": spec,
        "status": status,
    }


def _named(obj: dict) -> dict:
    return {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}


def _bound(req: Request, namespace: str, account: str, spec: dict) -> dict:
    """The claims about the object that the token shall end with, and about the node, if it is a pod on one."""
    ref = spec.get("boundObjectRef")
    if not ref:
        return {}
    kind = BOUND.get(ref.get("kind", ""))
    if kind is None:
        raise errors.bad_request(f"cannot bind token to a {ref.get('kind', '')} object")
    obj = registry.get(req, kind, namespace, ref.get("name", ""))
    if ref.get("uid") and ref["uid"] != obj["metadata"]["uid"]:
        words = f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record. "
        raise errors.conflict(kind, ref["name"], words + "The object might have been deleted and then recreated")
    if kind is SECRETS:
        return {"secret": _named(obj)}
    if obj["spec"].get("serviceAccountName") != account:
        words = f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
        raise errors.bad_request(words)
    node = req.view().get(NODES.resource, "", obj["spec"].get("nodeName", ""))
    return {"pod": _named(obj)} | ({"node": _named(node)} if node else {})


def user_of_token(view: View, token: str, audiences: list[str]) -> tuple[User, list[str]]:
    """Whose the token is, and which of the audiences it is for. Raises InvalidToken."""
    claims = _verified(token, issuer(view.name), audiences)
    own = claims[PRIVATE]
    namespace, account = own["namespace"], own["serviceaccount"]
    _check_there(view, SERVICEACCOUNTS, namespace, account)
    extra = {f"{EXTRA}/credential-id": [f"JTI={claims['jti']}"]}
    for word, kind in (("pod", PODS), ("secret", SECRETS)):
        if word in own:
            _check_there(view, kind, namespace, own[word])
    for word in ("node", "pod"):
        if word in own:
            extra |= {f"{EXTRA}/{word}-name": [own[word]["name"]], f"{EXTRA}/{word}-uid": [own[word]["uid"]]}
    groups = (*account_groups(namespace), AUTHENTICATED)
    user = User(ACCOUNT_PREFIX + f"{namespace}:{account['name']}", groups, account["uid"], extra)
    return user, [audience for audience in audiences if audience in claims["aud"]]


def _check_there(view: View, kind: Kind, namespace: str, named: dict) -> None:
    found = view.get(kind.resource, namespace, named["name"])
    if found is None or found["metadata"]["uid"] != named["uid"]:
        raise InvalidToken(f"{kind.singular} {namespace}/{named['name']} has been deleted")


# The libraries take ten megabytes, which only a lab that has tokens shall pay.


def _sign(claims: dict) -> str:
    import jwt

    return jwt.encode(claims, _key(), ALGORITHM)


def _verified(token: str, issued_by: str, audiences: list[str]) -> dict:
    import jwt

    required = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub", PRIVATE]
    try:
        return jwt.decode(
            token,
            _key().public_key(),
            algorithms=[ALGORITHM],
            audience=audiences,
            issuer=issued_by,
            options={"require": required},
        )
    except jwt.InvalidTokenError as error:
        raise InvalidToken(str(error)) from None


@functools.cache
def _key() -> "RSAPrivateKey":
    """The lab's signing key, made by `manage.py prepare`."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key((settings.PKI_DIR / "sa.key").read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)  # as `prepare` has made it
    return key
