"""OpenAPI v3: what clients read before they send an object, to check it themselves and to see what the server can.

Pure documents, one for each group-version, with an index that carries their hashes: a client keeps a document for good
and asks again only under a new hash. Only PATCH operations are listed: clients look there for `fieldValidation`, which
tells them that the server checks unknown fields; nobody reads the rest.
"""

import functools
import hashlib

import orjson

from lab.apimachinery.kinds import KINDS, OTHERS, REVIEWS, Kind

from .discovery import VERSION
from .negotiation import JSON, PATCH_TYPES
from .requestinfo import unknown_path
from .schemas import components_for

# OpenAPI v2 without a definition, as protobuf (gnostic's openapi.v2.Document: swagger, info{title, version}). Before it
# takes a `kind: List` apart, kubectl reads that form and no other; what it does not find there it leaves to the server.
DESCRIBED = (*KINDS, *OTHERS, *REVIEWS)
V2 = b"\n\x032.0" + b"\x12\x14" + b"\n\nKubernetes" + b"\x12\x06v1.0.0"
V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
V2_ASKED = (V2_TYPE, V2_TYPE.replace("v2.v1", "v2@v1"))  # the second is what clients say, and no media type


def _path_of(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def documents() -> list[str]:
    """The group-versions there is a document for, as paths: `api/v1`, `apis/apps/v1`."""
    return sorted({_path_of(kind) for kind in DESCRIBED})


@functools.cache
def document(path: str) -> bytes:
    """The document of one group-version, as JSON. Raises ApiError 404."""
    kinds = [kind for kind in DESCRIBED if _path_of(kind) == path]
    if not kinds:
        raise unknown_path()
    return orjson.dumps(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
            "paths": {
                _address(kind): {"patch": _patch(kind), "parameters": _path_parameters(kind)}
                for kind in kinds
                if "patch" in kind.verbs
            },
            "components": {"schemas": components_for(kinds)},
        }
    )


@functools.cache
def digest(path: str) -> str:
    return hashlib.sha256(document(path)).hexdigest()[:32].upper()


def index(prefix: str) -> dict:
    """`/openapi/v3`. `prefix` is the cluster's base path, which clients put before nothing that begins with `/`."""
    return {
        "paths": {
            path: {"serverRelativeURL": f"{prefix}/openapi/v3/{path}?hash={digest(path)}"} for path in documents()
        }
    }


def _address(kind: Kind) -> str:
    home = "namespaces/{namespace}/" if kind.namespaced else ""
    return f"/{_path_of(kind)}/{home}{kind.plural}/{{name}}"


def _path_parameters(kind: Kind) -> list[dict]:
    names = ("name", "namespace") if kind.namespaced else ("name",)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _patch(kind: Kind) -> dict:
    scope = "Namespaced" if kind.namespaced else ""
    group = (kind.group.removesuffix(".k8s.io") or "core").capitalize()
    query = ("dryRun", "fieldManager", "fieldValidation")
    return {
        "operationId": f"patch{group}{kind.version.capitalize()}{scope}{kind.kind}",
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in query],
        "requestBody": {"content": {patch_type: {"schema": {"type": "object"}} for patch_type in PATCH_TYPES}},
        "responses": {"200": {"description": "OK", "content": {JSON: {}}}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
    }
