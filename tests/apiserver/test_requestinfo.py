"""Paths: what they ask for."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, NAMESPACES, NODES, PODS
from lab.apiserver.requestinfo import RequestInfo, resolve


@pytest.mark.parametrize(
    ("path", "info"),
    [
        ("api/v1/pods", RequestInfo(PODS)),
        ("api/v1/namespaces/a/pods", RequestInfo(PODS, "a")),
        ("api/v1/namespaces/a/pods/", RequestInfo(PODS, "a")),
        ("api/v1/namespaces/a/pods/p", RequestInfo(PODS, "a", "p")),
        ("api/v1/namespaces/a/pods/p/log", RequestInfo(PODS, "a", "p", "log")),
        ("api/v1/namespaces/a/pods/p/kill", RequestInfo(PODS, "a", "p", "kill")),
        ("api/v1/nodes/n/status", RequestInfo(NODES, "", "n", "status")),
        ("api/v1/namespaces", RequestInfo(NAMESPACES)),
        ("api/v1/namespaces/a", RequestInfo(NAMESPACES, "", "a")),
        ("api/v1/namespaces/a/status", RequestInfo(NAMESPACES, "", "a", "status")),
        ("api/v1/namespaces/a/finalize", RequestInfo(NAMESPACES, "", "a", "finalize")),
        ("apis/apps/v1/namespaces/a/deployments/d/scale", RequestInfo(DEPLOYMENTS, "a", "d", "scale")),
    ],
)
def test_a_path_names_a_kind_a_namespace_a_name_and_a_subresource(path, info):
    assert resolve(path) == info


@pytest.mark.parametrize(
    "path",
    [
        "api/v1/widgets", "api/v2/pods", "apis/apps/v1beta1/deployments", "apis/none/v1/pods", "api/v1/deployments",
        "api/v1/pods/p", "api/v1/namespaces/a/nodes", "api/v1/namespaces/a/pods/p/exec/x", "api/v1//pods",
        "api/v1/namespaces//pods", "api/v1/namespaces/a/pods/p/unknown", "apis/apps/v1", "api", "metrics/x/y",
        "api/v1/namespaces/a/configmaps/c/status", "api/v1/namespaces/a/pods//log",
    ],
)  # fmt: skip
def test_it_finds_nothing_at_paths_that_are_none(path):
    with pytest.raises(ApiError) as unknown:
        resolve(path)
    assert unknown.value.code == 404
    assert unknown.value.message == "the server could not find the requested resource"
