"""What only a node knows: the log of a container. And a lab's extension, the end of a container's process."""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import NODES, PODS

from .. import registry
from ..kubelet_proxy import Answer, ask, kill_container, kubelet_of, kubelet_path
from ..options import log_options
from ..podlogs import check_has_log, choose_container
from ..request import Request
from ..requestinfo import RequestInfo
from ..threads import in_thread
from .answers import json_answer, success
from .entry import asking

TEXT = "text/plain"


async def logs(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponseBase:
    """`GET …/pods/P/log`: the kubelet's words, passed on as they come, until the client hangs up."""
    wanted = log_options(request.GET)
    pod, kubelet = await in_thread(pod_and_kubelet, asking(request, cluster), info)
    container = choose_container(pod, request.GET.get("container", ""))
    if not kubelet:
        return HttpResponse(b"", content_type=TEXT)  # not yet on a node: nothing was written anywhere
    check_has_log(pod, container, "previous" in wanted)
    path = kubelet_path("containerLogs", cluster, info.namespace, info.name, container, query=urlencode(wanted))
    stack = contextlib.AsyncExitStack()
    answer = await stack.enter_async_context(ask(kubelet, "GET", path))
    if answer.code != 200:
        async with stack:
            raise await answer.refusal()
    return StreamingHttpResponse(_until_hung_up(stack, answer), content_type=answer.content_type)


async def _until_hung_up(stack: contextlib.AsyncExitStack, answer: Answer) -> AsyncIterator[bytes]:
    async with stack:
        async for chunk in answer.body:
            yield chunk


async def kill(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponseBase:
    """`POST …/pods/P/kill?container=C&signal=HUP`, not in Kubernetes: a signal to a container's process. Without one it
    is SIGKILL, the fault to heal from."""
    pod, kubelet = await in_thread(pod_and_kubelet, asking(request, cluster), info)
    container = choose_container(pod, request.GET.get("container", ""))
    if not kubelet:
        raise bad_request(f'pod "{info.name}" is not on a node yet: there is nothing to kill')
    await kill_container(kubelet, cluster, info.namespace, info.name, container, request.GET.get("signal", "KILL"))
    return json_answer(request, success({"name": info.name, "kind": "pods", "uid": pod["metadata"]["uid"]}))


def pod_and_kubelet(req: Request, info: RequestInfo) -> tuple[dict, str]:
    """The pod, and where its node's kubelet listens: empty for a pod without a node."""
    pod = registry.get(req, PODS, info.namespace, info.name)
    node = pod["spec"].get("nodeName", "")
    return pod, kubelet_of(req.view().get(NODES.resource, "", node), node) if node else ""
