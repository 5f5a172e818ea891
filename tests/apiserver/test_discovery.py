"""Discovery and OpenAPI: how clients learn what there is."""

import re

from lab.apimachinery.kinds import KINDS, OTHERS, PUBLISHED, REVIEWS
from lab.apiserver import discovery

from .test_negotiation import KUBECTL_DISCOVERY

ONLY_BETA = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"


def test_aggregated_discovery_comes_in_the_version_that_was_asked_for(api):
    for accept, version in ((KUBECTL_DISCOVERY, "v2"), (ONLY_BETA, "v2beta1")):
        for root in ("/api", "/apis"):
            found = api.get(f"{root}?timeout=32s", Accept=accept)
            assert found.headers["content-type"] == (
                f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            )
            assert found.json["apiVersion"] == f"apidiscovery.k8s.io/{version}"


def test_plain_discovery_walks_from_groups_to_resources(api):
    assert api.get("/api").json["versions"] == ["v1"]
    assert [group["name"] for group in api.get("/apis/").json["groups"]][:2] == ["apps", "batch"]
    assert api.get("/apis/apps").json["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    names = {resource["name"] for resource in api.get("/apis/apps/v1").json["resources"]}
    assert {"deployments", "deployments/scale", "deployments/status", "replicasets"} <= names
    assert api.get("/apis/none").code == api.get("/apis/apps/v7").code == api.get("/api/v7").code == 404


def test_both_forms_tell_of_the_same_resources():
    plain = {
        (kind.group, resource["name"])
        for kind in PUBLISHED
        for resource in discovery.resource_list(kind.group, kind.version)["resources"]
    }
    aggregated = set()
    for core in (True, False):
        for group in discovery.aggregated(core, "v2")["items"]:
            for resource in group["versions"][0]["resources"]:
                name = group["metadata"].get("name", "")
                aggregated.add((name, resource["resource"]))
                subs = [f"{resource['resource']}/{sub['subresource']}" for sub in resource["subresources"]]
                aggregated |= {(name, sub) for sub in subs}
    assert plain == aggregated


def test_subresources_of_foreign_groups_name_them(api):
    named = {resource["name"]: resource for resource in api.get("/api/v1").json["resources"]}
    eviction = named["pods/eviction"]
    assert (eviction["group"], eviction["version"], eviction["kind"]) == ("policy", "v1", "Eviction")
    scale = next(r for r in api.get("/apis/apps/v1").json["resources"] if r["name"] == "deployments/scale")
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


def test_the_version_is_one_that_clients_can_compare(api):
    assert re.fullmatch(r"v1\.\d+\.\d+\+orrery", api.get("/version/").json["gitVersion"])


def test_health_is_ok_and_says_what_was_looked_at(api):
    for probe in ("healthz", "livez", "readyz"):
        assert api.get(f"/{probe}").raw == b"ok"
    assert api.get("/readyz?verbose").raw == b"[+]ping ok\n[+]store ok\nreadyz check passed\n"


def test_an_openapi_document_may_be_kept_under_its_hash(api):
    paths = api.get("/openapi/v3").json["paths"]
    documented = (*KINDS, *OTHERS, *REVIEWS)
    assert set(paths) == {f"apis/{kind.api_version}" if kind.group else "api/v1" for kind in documented}
    address = paths["apis/apps/v1"]["serverRelativeURL"].removeprefix("/clusters/default")
    document = api.get(address)
    assert document.headers["cache-control"] == "public, immutable"
    assert "cache-control" not in api.get("/openapi/v3/apis/apps/v1").headers
    patch = document.json["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert api.get("/openapi/v3/apis/none/v1").code == 404
    kinds = [
        gvk["kind"]
        for schema in document.json["components"]["schemas"].values()
        for gvk in schema.get("x-kubernetes-group-version-kind", ())
    ]
    assert "Deployment" in kinds
