"""Answers: objects in the form that was asked for, Status for every failure."""

import time
from collections.abc import Iterable

import orjson
from django.http import HttpRequest, HttpResponse

from lab.apimachinery.errors import ApiError

from .. import tables, versions
from ..negotiation import JSON, Form, response_form, wants_indent
from ..requestinfo import RequestInfo


def json_answer(request: HttpRequest, body: dict, code: int = 200, warnings: Iterable[str] = ()) -> HttpResponse:
    indent = wants_indent(request.GET.get("pretty"), request.headers.get("User-Agent", ""))
    raw = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if indent else 0)
    response = HttpResponse(raw, content_type=JSON, status=code, headers={"Content-Length": str(len(raw))})
    if told := dict.fromkeys(warnings):
        response.headers["Warning"] = ", ".join(map(_quoted, told))
    return response


def _quoted(warning: str) -> str:
    """In one line, as the header has it: 299 is HTTP's "miscellaneous persistent warning"; kubectl prints each one."""
    text = warning.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{"".join(c if c.isascii() and c.isprintable() else " " for c in text)}"'


def refusal(request: HttpRequest, error: ApiError) -> HttpResponse:
    """The error as a Status. Those that a client may repeat say when."""
    response = json_answer(request, error.as_status(), error.code)
    retry_after = (error.details or {}).get("retryAfterSeconds")
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def success(details: dict | None = None, code: int = 0) -> dict:
    """The Status that says that it is done, where there is no object to show."""
    status: dict = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        status["details"] = details
    if code:
        status["code"] = code
    return status


def object_answer(
    request: HttpRequest, info: RequestInfo, obj: dict, code: int = 200, warnings: Iterable[str] = (),
    include: str = "Metadata",
) -> HttpResponse:  # fmt: skip
    """One stored object, in the version that was asked for and the form that the Accept header asks for."""
    form = response_form(request.headers.get("Accept", ""))
    made = one(form, tables.columns_for(info.kind), obj, include) if form.kind else versions.served(info.served, obj)
    return json_answer(request, made, code, warnings)


def one(form: Form, columns: tables.Columns, obj: dict, include: str = "Metadata", headed: bool = True) -> dict:
    """One object in a form: itself, a Table of one row, or its metadata."""
    if form.kind == "Table":
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return tables.table(columns, [obj], metadata, time.time(), include, headed, form.version)
    if form.kind == "PartialObjectMetadata":
        return {**tables.partial_metadata(obj), "apiVersion": f"meta.k8s.io/{form.version}"}
    return obj


def many(form: Form, info: RequestInfo, items: list[dict], metadata: dict, include: str = "Metadata") -> dict:
    """A list in a form: `PodList`, a Table, or PartialObjectMetadataList."""
    kind = info.served
    if form.kind == "Table":
        columns = tables.columns_for(info.kind)
        return tables.table(columns, items, metadata, time.time(), include, version=form.version)
    if form.kind == "PartialObjectMetadata":
        api_version = f"meta.k8s.io/{form.version}"
        bare = [{**tables.partial_metadata(obj), "apiVersion": api_version} for obj in items]
        return {"kind": "PartialObjectMetadataList", "apiVersion": api_version, "metadata": metadata, "items": bare}
    if kind is not info.kind:
        items = [versions.served(kind, obj) for obj in items]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}
