"""Who asks: whoever stands at the machine, who has a certificate of the lab's authority, or who shows a token.

The plain port on the loopback belongs to the machine's own user and asks nothing. At the TLS port everybody says who
they are. Whether a connection came through it, the web server writes into the scope of each request, where no client
can: headers such as X-Forwarded-Proto count for nothing.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from lab.apimachinery.errors import ApiError
from lab.httpserver import CERTIFICATE, SECURED
from lab.store import View

from ..request import Request
from . import rbac
from .attributes import Attributes
from .tokens import InvalidToken, cluster_of, issuer, user_of_token
from .user import (
    ACCOUNT_PREFIX,
    ANONYMOUS,
    AUTHENTICATED,
    LOOPBACK,
    UNAUTHENTICATED,
    User,
    account_groups,
)

IMPERSONATE = b"impersonate-"
EXTRA = "impersonate-extra-"
TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io."
Headers = Iterable[tuple[bytes, bytes]]


def is_secured(scope: Mapping) -> bool:
    return bool((scope.get("state") or {}).get(SECURED))


def has_certificate(scope: Mapping) -> bool:
    return bool(scope["state"].get(CERTIFICATE))


def is_plain(scope: Mapping) -> bool:
    """Whether the request comes from the machine's own user and for nobody else: there is nothing to look up."""
    return not is_secured(scope) and not any(name.startswith(IMPERSONATE) for name, _ in scope["headers"])


def cluster_meant(scope: Mapping, cluster: str) -> str:
    """Which cluster a request without a base path is for: who is in a cluster knows no path, and is known by the token,
    which opens no other. Raises ApiError 401 where none is shown."""
    if not is_secured(scope) or scope["path"].startswith("/clusters/") or has_certificate(scope):
        return cluster
    return cluster_of(_token(scope)) or cluster


def user_of(scope: Mapping, cluster: str) -> User:
    """Whose request it is. Raises ApiError 401, or 403 for one who may not speak for another."""
    user = _own_user(scope, cluster) if is_secured(scope) else LOOPBACK
    return _impersonated(user, scope["headers"], cluster)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def _own_user(scope: Mapping, cluster: str) -> User:
    certificate = scope["state"].get(CERTIFICATE)
    if certificate:
        return user_of_certificate(certificate)
    try:
        return user_of_token(_view(cluster), _token(scope), [issuer(cluster)])[0]
    except InvalidToken:
        raise unauthorized() from None


def _token(scope: Mapping) -> str:
    """Out of the header; or out of the subprotocols of a websocket, for there a browser lets a page set no headers.
    Then another must be offered too, which can be agreed on. Source: k8s.io/apiserver/pkg/authentication/request."""
    header = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    shown = [each for each in scope.get("subprotocols", ()) if each.startswith(TOKEN_PROTOCOL)]
    if len(shown) != 1 or not spoken(scope):
        raise unauthorized()
    text = shown[0].removeprefix(TOKEN_PROTOCOL)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeError):
        raise unauthorized() from None


def spoken(scope: Mapping) -> list[str]:
    """The subprotocols that a websocket's client offers to speak: all that are no token."""
    return [each for each in scope["subprotocols"] if not each.startswith(TOKEN_PROTOCOL)]


def user_of_certificate(certificate: Mapping) -> User:
    """The common name is the user's, each organization a group. Raises ApiError 401 for one without a name."""
    parts = [pair for names in certificate.get("subject", ()) for pair in names]
    name = next((value for kind, value in parts if kind == "commonName"), "")
    if not name:
        raise unauthorized()
    groups = [value for kind, value in parts if kind == "organizationName"]
    return User(name, (*groups, AUTHENTICATED))


def _impersonated(user: User, headers: Headers, cluster: str) -> User:
    """Who the user asks to be taken for (`kubectl --as`). Source: k8s.io/apiserver/pkg/endpoints/filters."""
    said: dict[str, list[str]] = {}
    for raw, value in headers:
        if raw.startswith(IMPERSONATE):
            said.setdefault(raw.decode("latin-1"), []).append(value.decode("latin-1"))
    if not said:
        return user
    name = next(iter(said.get("impersonate-user", ())), "")
    groups, uid = said.get("impersonate-group", []), next(iter(said.get("impersonate-uid", ())), "")
    extra = {unquote(field.removeprefix(EXTRA)): values for field, values in said.items() if field.startswith(EXTRA)}
    if not name:
        raise ApiError(500, "InternalError", "Internal error occurred: requested impersonation without a user")
    for asked in _asked(name, groups, uid, extra):
        rbac.require(_view(cluster), user, asked)
    if name.startswith(ACCOUNT_PREFIX) and not groups:
        groups = list(account_groups(name.removeprefix(ACCOUNT_PREFIX).partition(":")[0]))
    own = UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED
    return User(name, tuple(dict.fromkeys((*groups, own))), uid, extra)


def _asked(name: str, groups: list[str], uid: str, extra: dict[str, list[str]]) -> Iterable[Attributes]:
    """All that one must be allowed to impersonate."""
    group = "authentication.k8s.io"
    if name.startswith(ACCOUNT_PREFIX):
        namespace, _, account = name.removeprefix(ACCOUNT_PREFIX).partition(":")
        yield Attributes("impersonate", resource="serviceaccounts", namespace=namespace, name=account)
    else:
        yield Attributes("impersonate", resource="users", name=name)
    for one in groups:
        yield Attributes("impersonate", resource="groups", name=one)
    if uid:
        yield Attributes("impersonate", group, "uids", name=uid)
    for field, values in extra.items():
        for value in values:
            yield Attributes("impersonate", group, "userextras", field, name=value)


def _view(cluster: str) -> View:
    return Request(cluster, "").view()
