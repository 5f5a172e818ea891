"""The readings of the log as JSON, at addresses under the API of their cluster: one `kubectl get --raw` away."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from lab.apimachinery.errors import bad_request, method_not_allowed
from lab.apimachinery.kinds import Kind
from lab.apiserver.requestinfo import READINGS, resolve, unknown_path
from lab.apiserver.threads import in_thread
from lab.apiserver.views.answers import json_answer
from lab.apiserver.views.entry import api_view
from lab.apiserver.views.resources import resource
from lab.client import Client

from . import history, thread, why

AUTHOR = "explain"  # nothing is ever written by this name
# The last part of an object's address → what is said there. Those names are READINGS in `requestinfo`.
OF_OBJECT: dict[str, Callable[[Client, Kind, str, str], dict]] = {
    "history": history.of_object,
    "thread": thread.of_object,
    "why": why.of_object,
}


@api_view
async def of_object(request: HttpRequest, cluster: str, path: str) -> HttpResponseBase:
    """`<address of an object>/history` and the like. An object that is itself called so is the API's."""
    info = resolve(path)
    if info.subresource not in READINGS:
        return await resource(request, cluster=cluster, path=path)
    only_read(request)
    read = OF_OBJECT.get(info.subresource)
    if read is None:
        raise unknown_path()
    return json_answer(request, await in_thread(read, Client(cluster, AUTHOR), info.kind, info.namespace, info.name))


@api_view
async def overview(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """`/history`, of all or `?from=<revision>&to=<revision>`."""
    only_read(request)
    after, until = (number(request.GET[side], side) if side in request.GET else None for side in ("from", "to"))
    told = await in_thread(history.overview, Client(cluster, AUTHOR), after or 0, until)
    return json_answer(request, told)


@api_view
async def at_revision(request: HttpRequest, cluster: str, revision: str) -> HttpResponseBase:
    """`/history/<revision>`"""
    only_read(request)
    at = number(revision, "revision")
    return json_answer(request, await in_thread(history.at_revision, Client(cluster, AUTHOR), at))


@api_view
async def thread_of(request: HttpRequest, cluster: str, revision: str) -> HttpResponseBase:
    """`/history/<revision>/thread`"""
    only_read(request)
    of = number(revision, "revision")
    return json_answer(request, await in_thread(thread.of_revision, Client(cluster, AUTHOR), of))


@api_view
async def between(request: HttpRequest, cluster: str, before: str, after: str) -> HttpResponseBase:
    """`/history/<revision>/<revision>`"""
    only_read(request)
    ends = number(before, "revision"), number(after, "revision")
    return json_answer(request, await in_thread(history.between, Client(cluster, AUTHOR), *ends))


def only_read(request: HttpRequest) -> None:
    """Raises ApiError 405: what was cannot be changed."""
    if request.method != "GET":
        raise method_not_allowed()


def number(text: str, what: str) -> int:
    """Raises ApiError 400."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bad_request(f'{what}: "{text}" is no revision; they are numbers, as in metadata.resourceVersion')
    return int(text)
