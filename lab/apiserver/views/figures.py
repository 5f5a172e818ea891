"""`/apis/metrics.k8s.io/v1beta1`: figures of this moment, which nobody can write. `kubectl top` reads them."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from lab import metrics
from lab.apimachinery.errors import method_not_allowed, not_found
from lab.apimachinery.kinds import NODE_METRICS, NODES, PODS
from lab.apimachinery.meta import now

from .. import registry, usage
from ..options import list_options
from ..requestinfo import RequestInfo
from .answers import json_answer
from .entry import asking


def figures(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """One NodeMetrics or PodMetrics, or a list of them; selectors are those of the nodes and pods themselves."""
    if request.method != "GET":
        raise method_not_allowed()
    wanted, req = list_options(request.GET), asking(request, cluster)
    kind = NODES if info.kind is NODE_METRICS else PODS
    chosen, revision = registry.list_(req, kind, info.namespace, wanted.label_selector, wanted.field_selector)
    if info.name:
        chosen = [obj for obj in chosen if obj["metadata"]["name"] == info.name]
        if not chosen:
            raise not_found(kind, info.name)
    used = metrics.read(cluster, metrics.POD_USAGE)
    if kind is NODES:
        items = usage.node_metrics(chosen, req.view().list(PODS.resource), used, now())
    else:
        items = usage.pod_metrics(chosen, used, now())
    if info.name:
        if not items:
            # The metrics server calls what it keeps by the kind's name, and pods with their namespace.
            path = f"{info.namespace}/{info.name}" if info.namespace else info.name
            raise not_found(replace(info.kind, plural=info.kind.singular), path)
        return json_answer(request, items[0])
    head = {"kind": f"{info.kind.kind}List", "apiVersion": info.kind.api_version}
    return json_answer(request, {**head, "metadata": {"resourceVersion": str(revision)}, "items": items})
