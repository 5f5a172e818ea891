"""Lists: their pages, and the state of the past that all pages of one list must show.

Pure. Whoever reads a long list page by page must not see one object twice or miss one because another was written in
between. So a continue token names the revision of the first page, and later pages are made of the state as it was
then: the present state with every change since taken back, newest first. The log makes that cheap.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from lab.apimachinery.errors import ApiError, bad_request
from lab.store import Change

Key = tuple[str, str]


@dataclass(frozen=True)
class Token:
    """Where a list goes on: the revision it shows, and the key after which the next page begins."""

    revision: int
    namespace: str
    name: str

    @property
    def key(self) -> Key:
        return (self.namespace, self.name)


def key_of(obj: dict) -> Key:
    return (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def encode_token(token: Token) -> str:
    raw = {"v": "meta.k8s.io/v1", "rv": token.revision, "start": f"{token.namespace}/{token.name}"}
    return base64.urlsafe_b64encode(orjson.dumps(raw)).rstrip(b"=").decode()


def decode_token(text: str) -> Token:
    """Raises ApiError 400 for what this server never gave out."""
    try:
        raw = orjson.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
        namespace, slash, name = raw["start"].partition("/")
        if raw["v"] == "meta.k8s.io/v1" and isinstance(raw["rv"], int) and slash:
            return Token(raw["rv"], namespace, name)
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise bad_request("continue key is not valid: use the value of metadata.continue of the page before, unchanged")


def rewind(items: list[dict], changes: Iterable[Change], resource: str, namespace: str) -> list[dict]:
    """The objects of `resource` as they were before `changes` (oldest first), ordered by key."""
    state = {key_of(obj): obj for obj in items}
    for change in reversed(list(changes)):
        if change.resource != resource or (namespace and change.namespace != namespace):
            continue
        key = (change.namespace, change.name)
        if change.created or change.old is None:
            state.pop(key, None)
        else:
            state[key] = change.old
    return [state[key] for key in sorted(state)]


def page(items: list[dict], revision: int, limit: int, after: Key | None, filtered: bool) -> tuple[list[dict], dict]:
    """(the objects of one page, the metadata of the list). `items` are ordered by key; `limit` 0 means all.

    `remainingItemCount` is left out of filtered lists, as in Kubernetes: there, to count costs as much as to read.
    """
    rest = [obj for obj in items if key_of(obj) > after] if after else items
    metadata: dict = {"resourceVersion": str(revision)}
    if not limit or len(rest) <= limit:
        return rest, metadata
    chosen = rest[:limit]
    metadata["continue"] = encode_token(Token(revision, *key_of(chosen[-1])))
    if not filtered:
        metadata["remainingItemCount"] = len(rest) - limit
    return chosen, metadata


class ExpiredPage(ApiError):
    """410 for a list whose revision is no longer kept, with a token that goes on from the present state instead."""

    def __init__(self, token: Token, revision: int):
        message = (
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
            "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
            "the results. Continuing with the provided token results in an inconsistent list."
        )
        super().__init__(410, "Expired", message)
        self.token = encode_token(Token(revision, token.namespace, token.name))

    def as_status(self) -> dict:
        return {**super().as_status(), "metadata": {"continue": self.token}}


def too_large(wanted: int, current: int) -> ApiError:
    """504 for a revision that this cluster has not reached: of another cluster, or of one that was made anew."""
    message = f"Too large resource version: {wanted}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})
