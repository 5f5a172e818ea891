"""What a pod's specification may not say, in Kubernetes' words."""

import pytest

from lab.apiserver.strategies.podspec.defaults import default_pod_spec
from lab.apiserver.strategies.podspec.validation import validate_pod_spec


def problems(spec: dict, **container) -> list[str]:
    full = {"containers": [{"name": "c", "image": "x"} | container]} | spec
    default_pod_spec(full, 30)
    return [f"{cause.field}: {cause.message}" for cause in validate_pod_spec(full)]


def variable(**source) -> dict:
    return {"env": [{"name": "V", "valueFrom": source}]}


def file(**source) -> dict:
    return {"volumes": [{"name": "v", "downwardAPI": {"items": [{"path": "f"} | source]}}]}


FIELD = "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath"
ITEM = "spec.volumes[0].downwardAPI.items[0]"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("metadata.label", f'{FIELD}: Invalid value: "metadata.label": error converting fieldPath: field label not '),
        ("spec.restartPolicy", f'{FIELD}: Unsupported value: "spec.restartPolicy": supported values: "metadata.name"'),
        ("metadata.labels", f'{FIELD}: Unsupported value: "metadata.labels"'),
        ("spec.x['a']", "error converting fieldPath: field label does not support subscript: spec.x['a']"),
        ("metadata.labels['a b']", 'valueFrom.fieldRef: Invalid value: "a b": name part must consist of'),
    ],
)
def test_a_field_that_no_variable_can_have_is_refused(field, words):
    assert words in "\n".join(problems({}, **variable(fieldRef={"fieldPath": field})))


@pytest.mark.parametrize("field", ["metadata.labels['app']", "metadata.annotations['Example.com/A']", "status.podIPs"])
def test_a_field_that_a_variable_can_have_is_taken(field):
    assert problems({}, **variable(fieldRef={"fieldPath": field})) == []


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            {"fieldRef": {"fieldPath": "spec.nodeName"}},
            f'{ITEM}.fieldRef.fieldPath: Unsupported value: "spec.nodeName"',
        ),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, f"{ITEM}.resourceFieldRef.containerName: Required value"),
        (
            {"resourceFieldRef": {"containerName": "c", "resource": "limits.gpu"}},
            f'{ITEM}.resourceFieldRef.resource: Unsupported value: "limits.gpu"',
        ),
        (
            {"fieldRef": {"fieldPath": "metadata.uid"}, "mode": 0o1777},
            f"{ITEM}.mode: Invalid value: 1023: must be a number between 0 and 0777 (octal), both inclusive",
        ),
    ],
)
def test_a_file_that_the_downward_api_cannot_write_is_refused(item, words):
    assert words in "\n".join(problems(file(**item)))


def test_a_map_of_the_pod_makes_a_file():
    assert problems(file(fieldRef={"fieldPath": "metadata.labels"}, mode=0o400)) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
        (
            {"dnsConfig": {"searches": ["a"]}},
            "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is ",
        ),
        (
            {"dnsConfig": {"nameservers": ["dns"]}},
            'spec.dnsConfig.nameservers[0]: Invalid value: "dns": must be a valid IP address, ',
        ),
        ({"dnsConfig": {"nameservers": ["10.0.0.1"] * 4}}, "must not have more than 3 nameservers"),
        (
            {"dnsConfig": {"nameservers": ["10.0.0.1"], "options": [{"value": "2"}]}},
            "spec.dnsConfig.options[0]: Required value: must not be empty",
        ),
    ],
)
def test_who_asks_nobody_of_the_clusters_for_names_says_whom_else(spec, words):
    assert words in "\n".join(problems({"dnsPolicy": "None"} | spec))


def test_users_and_groups_are_numbers_that_there_can_be():
    pod = {"securityContext": {"runAsUser": -1, "fsGroup": 2**31, "supplementalGroups": [0, -2]}}
    words = "must be between 0 and 2147483647, inclusive"
    assert problems(pod, securityContext={"runAsGroup": -3}) == [
        f"spec.containers[0].securityContext.runAsGroup: Invalid value: -3: {words}",
        f"spec.securityContext.fsGroup: Invalid value: 2147483648: {words}",
        f"spec.securityContext.runAsUser: Invalid value: -1: {words}",
        f"spec.securityContext.supplementalGroups[1]: Invalid value: -2: {words}",
    ]


def test_a_resource_without_a_domain_is_one_that_containers_have():
    asked = problems({}, resources={"limits": {"memroy": "1Gi"}})
    limit = 'spec.containers[0].resources.limits: Invalid value: "memroy": must be a standard resource'
    assert asked == [f"{limit} type or fully qualified", f"{limit} for containers"]
