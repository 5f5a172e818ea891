"""The three ways to change an object without sending all of it: JSON merge patch, JSON patch, strategic merge patch.

Pure: an object and a patch in, a new object out; what went in is never changed. Must never know what a field means:
which lists are merged, and by what key, is data made from Kubernetes' definitions (`merge_keys.json`).
"""

import copy
import json
from typing import Any

from ..errors import ApiError, bad_request
from ..kinds import Kind
from . import json_patch, strategic
from .json_merge import json_merge

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"


def apply(patch_type: str, kind: Kind, old: dict, body: object) -> dict:
    """The object that `body`, a value of JSON, makes of `old`, sharing nothing with either.

    Raises ApiError 415 for an unknown type, 400 for a malformed patch, 422 for one that does not fit the object.
    """
    if patch_type == JSON_PATCH and isinstance(body, list):
        new = json_patch.apply(old, body)
    elif patch_type == MERGE_PATCH and isinstance(body, dict):
        new = json_merge(copy.deepcopy(old), copy.deepcopy(body))
    elif patch_type == STRATEGIC_MERGE_PATCH and isinstance(body, dict):
        new = strategic.apply(strategic.type_of(kind.api_version, kind.kind), old, body)
    elif patch_type in TYPES:
        wanted = "array" if patch_type == JSON_PATCH else "object"
        raise bad_request(f"a patch of type {patch_type} must be a JSON {wanted}")
    else:
        message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(TYPES)}"
        raise ApiError(415, "UnsupportedMediaType", message)
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise ApiError(422, "Invalid", "the patch leaves no object with metadata")
    return new


def shown(patch_type: str, body: object, made: dict) -> str:
    """What Kubernetes shows of a patch that leaves no object of its kind: a strategic one as Go prints a map, of the
    others what they have `made`."""
    return _as_go(body) if patch_type == STRATEGIC_MERGE_PATCH else json.dumps(made, separators=(",", ":"))


def _as_go(value: Any) -> str:
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_as_go(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_as_go, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH)
