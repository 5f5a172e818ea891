"""Content negotiation: in which form a client wants its answer, and in which it sends its request.

Pure: headers in, decisions out. The same list of pods can leave as a PodList, as a Table for kubectl to print, or as
bare metadata; the `Accept` header says which (`application/json;as=Table;v=v1;g=meta.k8s.io`).
"""

import re
from dataclasses import dataclass

from lab.apimachinery import patch
from lab.apimachinery.errors import ApiError

from . import protobuf

JSON = "application/json"
YAML = ("application/yaml", "application/x-yaml", "text/yaml")
APPLY_PATCH = "application/apply-patch+yaml"
PATCH_TYPES = (*patch.TYPES, APPLY_PATCH)
META_GROUP = "meta.k8s.io"
META_VERSIONS = ("v1", "v1beta1")
FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
# The names by which the lab's own parts write (`lab/explain/authors.py`).
OURS = re.compile(
    "kubelet|kube-proxy|kube-apiserver|(default-)?scheduler|cluster-autoscaler|horizontal-pod-autoscaler"
    "|leader-election|visitors|tutor|.*-(controller|collector|publisher)"
)
DISCOVERY_GROUP = "apidiscovery.k8s.io"


@dataclass(frozen=True)
class MediaRange:
    """One entry of an Accept header: `application/json;as=Table` → type and parameters."""

    type: str
    params: dict[str, str]


@dataclass(frozen=True)
class Form:
    """How an object leaves: as itself (`kind` is empty), as a Table, or as PartialObjectMetadata."""

    kind: str = ""
    version: str = "v1"


def parse_accept(header: str) -> list[MediaRange]:
    """Entries in the order of the client's preference: by `q`, and as written where that is equal."""
    ranges = []
    for entry in (header or "*/*").split(","):
        kind, *params = [part.strip() for part in entry.split(";")]
        pairs = dict(param.split("=", 1) for param in params if "=" in param)
        weight = _weight(pairs.pop("q", "1"))
        if kind and weight > 0:
            ranges.append((weight, MediaRange(kind.lower(), pairs)))
    return [found for _, found in sorted(ranges, key=lambda pair: -pair[0])]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _is_json(media: MediaRange) -> bool:
    return media.type in (JSON, "application/*", "*/*")


def response_form(accept: str) -> Form:
    """The first form of the Accept header that this server can give. Raises ApiError 406 if there is none."""
    for media in filter(_is_json, parse_accept(accept)):
        wanted = media.params.get("as", "")
        if not wanted:
            return Form()
        version = media.params.get("v", "v1")
        if wanted in FORMS and media.params.get("g") == META_GROUP and version in META_VERSIONS:
            return Form(wanted.removesuffix("List"), version)
    raise not_acceptable(
        f"{JSON}, {JSON};as=Table;v=v1;g={META_GROUP}, {JSON};as=PartialObjectMetadata;v=v1;g={META_GROUP}"
    )


def discovery_version(accept: str) -> str:
    """ "v2" or "v2beta1" if the client asks for aggregated discovery of just that version, "" for the plain form.

    Old clients know only v2beta1 and read anything else as "there is no such resource": never answer them with v2.
    """
    for media in filter(_is_json, parse_accept(accept)):
        if not media.params.get("as"):
            return ""
        known = media.params.get("as") == "APIGroupDiscoveryList" and media.params.get("g") == DISCOVERY_GROUP
        if known and media.params.get("v") in ("v2", "v2beta1"):
            return media.params["v"]
    raise not_acceptable(JSON)


def check_json(accept: str) -> None:
    """For answers that exist only as plain JSON. Raises ApiError 406."""
    if not any(map(_is_json, parse_accept(accept))):
        raise not_acceptable(JSON)


def not_acceptable(supported: str) -> ApiError:
    message = f"only the following media types are accepted: {supported}"
    return ApiError(406, "NotAcceptable", message)


def body_type(header: str) -> str:
    """In what a request's body is written: JSON, also where nothing is said, YAML or protobuf. Raises ApiError 415."""
    kind = header.split(";")[0].strip().lower() or JSON
    if kind in YAML:
        return YAML[0]
    if kind in (JSON, protobuf.CONTENT_TYPE):
        return kind
    accepted = f"{JSON}, {YAML[0]}, {protobuf.CONTENT_TYPE}"
    why = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    raise ApiError(415, "UnsupportedMediaType", why)


def patch_type(header: str) -> str:
    """Which of the patch languages a PATCH speaks. Raises ApiError 415."""
    kind = header.split(";")[0].strip().lower()
    if kind in PATCH_TYPES:
        return kind
    why = f"the body of the request was in an unknown format - accepted media types include: {', '.join(PATCH_TYPES)}"
    raise ApiError(415, "UnsupportedMediaType", why)


def wants_indent(pretty: str | None, user_agent: str) -> bool:
    """Whether a person reads the answer as it comes: they ask so, or use a browser, curl or wget."""
    if pretty is not None:
        return pretty in ("", "1", "t", "T", "true", "TRUE", "True")
    return user_agent.startswith(("curl", "Wget", "Mozilla/5.0"))


def author_of(user_agent: str) -> str:
    """Who calls, as the log records it: the program's name at the head of its User-Agent. Nobody from outside is taken
    for a part of the lab, by whose names the log tells what is the clock's from what people do."""
    if user_agent.startswith("OpenAPI-Generator/") and "python" in user_agent:
        return "python-client"
    if user_agent.startswith("Mozilla/"):
        return "browser"
    name = user_agent.split("/")[0].strip().lower()
    kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-._"))
    return f"{kept[:58]}.http" if OURS.fullmatch(kept) else kept[:63] or "unknown"
