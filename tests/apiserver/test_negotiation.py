"""Content negotiation: exact, because clients believe what they get."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apiserver import negotiation
from lab.apiserver.negotiation import Form
from lab.explain.authors import AUTHORS, PERSON, part_of

KUBECTL_GET = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
KUBECTL_DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json", Form()),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        (KUBECTL_GET, Form("Table", "v1")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Form("Table", "v1beta1")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io, application/json", Form()),
        ("application/json;q=0.5, application/json;as=Table;v=v1;g=meta.k8s.io", Form("Table", "v1")),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form("PartialObjectMetadata", "v1")),
        ("application/json;stream=watch", Form()),
    ],
)
def test_the_first_form_that_the_server_has_is_given(accept, form):
    assert negotiation.response_form(accept) == form


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Table;v=v9;g=meta.k8s.io", "x;q=a"],
)
def test_it_refuses_what_it_cannot_give(accept):
    with pytest.raises(ApiError) as refused:
        negotiation.response_form(accept)
    assert refused.value.code == 406


def test_discovery_answers_old_clients_in_their_own_version():
    assert negotiation.discovery_version(KUBECTL_DISCOVERY) == "v2"
    only_beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    assert negotiation.discovery_version(only_beta) == "v2beta1"
    assert negotiation.discovery_version("application/json") == ""
    assert negotiation.discovery_version("*/*") == ""


@pytest.mark.parametrize("header", ["", "application/json", "application/json; charset=utf-8"])
def test_a_body_without_a_type_is_json(header):
    assert negotiation.body_type(header) == "application/json"


def test_a_body_of_another_type_is_refused_with_what_there_is():
    assert negotiation.body_type("application/vnd.kubernetes.protobuf") == "application/vnd.kubernetes.protobuf"
    assert negotiation.body_type("text/yaml") == "application/yaml"
    there_is = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    with pytest.raises(ApiError, match=there_is) as refused:
        negotiation.body_type("application/cbor")
    assert refused.value.code == 415


def test_it_refuses_a_patch_in_an_unknown_language():
    assert negotiation.patch_type("application/merge-patch+json") == "application/merge-patch+json"
    with pytest.raises(ApiError) as refused:
        negotiation.patch_type("application/json")
    assert refused.value.code == 415


@pytest.mark.parametrize(
    ("agent", "author"),
    [
        ("kubectl/v1.32.3 (linux/amd64) kubernetes/32cc146", "kubectl"),
        ("OpenAPI-Generator/37.0.2/python", "python-client"),
        ("Mozilla/5.0 (X11; Linux)", "browser"),
        ("curl/8.1", "curl"),
        ("\u00e9\x00", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_log_names_the_program_that_called(agent, author):
    assert negotiation.author_of(agent) == author


def test_nobody_from_outside_is_taken_for_a_part_of_the_lab():
    for name in AUTHORS:
        assert part_of(negotiation.author_of(f"{name}/v1.36.0")) is PERSON, name
