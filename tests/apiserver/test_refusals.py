"""What an API server refuses, in Kubernetes' own words: code, reason and message of each."""

import pytest

from .conftest import Api, deployment, pod

NS = "/api/v1/namespaces/default"
CONFIGS, PODS = f"{NS}/configmaps", f"{NS}/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
WEB = f"{DEPLOYMENTS}/web"
JSON, YAML, MERGE = "application/json", "application/yaml", "application/merge-patch+json"
STRATEGIC, APPLY, JSON_PATCH = (
    f"application/{each}" for each in ("strategic-merge-patch+json", "apply-patch+yaml", "json-patch+json")
)
UNKNOWN, A_CONFIG = "unrecognized (must be of type ConfigMap): ", 'ConfigMap in version "v1" cannot be handled as a '
SCHEME = 'in scheme "pkg/api/legacyscheme/scheme.go:30"'
TWICE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: b\n  a: c\n"


def config(**more) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, **more}


def applied(**spec) -> dict:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def service(*ports: dict) -> dict:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": list(ports)}}


@pytest.fixture
def web(api: Api) -> Api:
    """An API with one Deployment."""
    api.create(DEPLOYMENTS, deployment("web"))
    return api


def check(api: Api, method: str, path: str, body, code: int, message: str, content_type: str = JSON) -> None:
    raw = body.encode() if isinstance(body, str) else body
    refused = api.ask(method, path, raw, Content_Type=content_type)
    assert (refused.code, refused.json["code"], refused.json["status"]) == (code, code, "Failure"), refused.raw
    assert refused.json["message"].startswith(message), refused.json["message"]


@pytest.mark.parametrize(
    ("path", "body", "message", "content_type"),
    [
        (CONFIGS, "", f"the object provided is {UNKNOWN}couldn't get version/kind; json parse error: unexpected", JSON),
        (CONFIGS, '{"a', f"the object provided is {UNKNOWN}couldn't get version/kind; json parse error: ", JSON),
        (CONFIGS, "[]", f"the object provided is {UNKNOWN}couldn't get version/kind; json parse error: json: ", JSON),
        (CONFIGS, "a: [", f"the object provided is {UNKNOWN}error converting YAML to JSON: yaml: ", YAML),
        (PODS, config(), f"{A_CONFIG}Pod: converting (v1.ConfigMap) to (core.Pod): unknown conversion", JSON),
        (
            PODS,
            {**pod("a"), "kind": "Foo"},
            f'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" {SCHEME}',
            JSON,
        ),
        (
            DEPLOYMENTS,
            {**deployment("a"), "apiVersion": "apps/v1beta1"},
            'Deployment in version "v1beta1" cannot be handled as a Deployment: '
            f'no kind "Deployment" is registered for version "apps/v1beta1" {SCHEME}',
            JSON,
        ),
        (
            "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
            {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}},
            "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)",
            JSON,
        ),
        (
            CONFIGS,
            config(metadata={"name": "c", "namespace": "other"}),
            "the namespace of the provided object does not match the namespace sent on the request",
            JSON,
        ),
        (
            f"{CONFIGS}?fieldValidation=Strict",
            TWICE,
            f"{A_CONFIG}ConfigMap: strict decoding error: error converting YAML to JSON: "
            'yaml: unmarshal errors:\n  line 6: key "a" already set in map',
            YAML,
        ),
        (
            f"{CONFIGS}?fieldValidation=Strict",
            '{"metadata":{"name":"c"},"data":{"a":"b","a":"c"},"fata":{}}',
            f'{A_CONFIG}ConfigMap: strict decoding error: duplicate field "data.a", unknown field "fata"',
            JSON,
        ),
    ],
)
def test_a_body_that_is_no_object_of_its_address_is_a_bad_request(api, path, body, message, content_type):
    check(api, "POST", path, body, 400, message, content_type)


@pytest.mark.parametrize(
    ("body", "code", "message", "content_type"),
    [
        (
            {"spec": {"replicaz": 3, "paused": None}},
            422,
            ' "" is invalid: patch: Invalid value: "map[spec:map[paused:<nil> replicaz:3]]": '
            'strict decoding error: unknown field "spec.replicaz"',
            STRATEGIC,
        ),
        (
            {"spec": {"replicas": "3"}},
            422,
            ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:3]]": json: cannot unmarshal string',
            STRATEGIC,
        ),
        (
            {"spec": {"replicas": "3"}},
            422,
            ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"apps/v1',
            MERGE,
        ),
        (
            {"metadata": {"name": "b"}},
            400,
            "the name of the object (b) does not match the name on the URL (web)",
            MERGE,
        ),
        (
            {"metadata": {"uid": "x"}},
            409,
            'Operation cannot be fulfilled on deployments.apps "web": Precondition failed: UID in precondition: x, ',
            MERGE,
        ),
        (
            [{"op": "test", "path": "/spec/replicas", "value": 9}],
            422,
            "the server rejected our request due to an error in our request: testing value /spec/replicas failed",
            JSON_PATCH,
        ),
        (
            [{"op": "replace", "path": "/spec/nope/x", "value": 9}],
            422,
            "the server rejected our request due to an error in our request: "
            "replace operation does not apply: doc is missing path: /spec/nope/x",
            JSON_PATCH,
        ),
    ],
)
def test_a_patch_that_does_not_fit_is_told_with_what_it_would_have_made(web, body, code, message, content_type):
    check(web, "PATCH", f"{WEB}?fieldValidation=Strict", body, code, message, content_type)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            WEB,
            applied(replicaz=1),
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
            ".spec.replicaz: field not declared in schema",
        ),
        (
            WEB,
            applied(template={"spec": {"containers": [{"name": "app", "imag": "x"}]}}),
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
            '.spec.template.spec.containers[name="app"].imag: field not declared in schema',
        ),
        (
            f"{NS}/services/s",
            service({"port": 80}, {"port": 80, "protocol": "TCP"}),
            "failed to create typed patch object (default/s; /v1, Kind=Service): "
            '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
        ),
        (
            f"{CONFIGS}/c",
            TWICE,
            "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: ",
        ),
    ],
)
def test_a_configuration_that_cannot_be_merged_is_told_field_by_field(web, path, body, message):
    check(web, "PATCH", f"{path}?fieldManager=me&fieldValidation=Strict", body, 400, message, APPLY)


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        (
            "POST",
            f"{CONFIGS}?dryRun=x",
            config(),
            'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ',
        ),
        ("PUT", f"{WEB}?dryRun=x", deployment("web"), 'UpdateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported'),
        (
            "POST",
            f"{CONFIGS}?fieldValidation=Maybe",
            config(),
            'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": '
            'supported values: "", "Ignore", "Strict", "Warn"',
        ),
        (
            "POST",
            f"{CONFIGS}?fieldManager={'x' * 129}",
            config(),
            'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
        ),
        (
            "DELETE",
            WEB,
            {"propagationPolicy": "Later"},
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Later": supported ',
        ),
        (
            "GET",
            f"{CONFIGS}?resourceVersionMatch=Exact",
            None,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "GET",
            f"{CONFIGS}?watch=1&sendInitialEvents=true",
            None,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_invalid(web, method, path, body, message):
    check(web, method, path, body, 422, message)


def test_a_delete_of_another_object_than_it_was_read_is_a_conflict(web):
    words = (
        'Operation cannot be fulfilled on deployments.apps "web": the {} in the precondition (1) does not match the {}'
    )
    for field, label, happened in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        refused = web.ask("DELETE", WEB, {"preconditions": {field: "1"}})
        assert refused.code == 409
        assert refused.json["message"].startswith(words.format(label, label))
        assert refused.json["message"].endswith(f"The object might have been {happened}")


def test_a_namespace_that_is_not_there_is_told_before_what_is_wrong_with_the_object(api):
    refused = api.ask("POST", "/api/v1/namespaces/nowhere/pods", {"metadata": {"name": "A"}, "spec": {}})
    assert (refused.code, refused.json["message"]) == (404, 'namespaces "nowhere" not found')


def test_resource_version_zero_is_none(web):
    assert web.ask("POST", CONFIGS, config(metadata={"name": "c", "resourceVersion": "0"})).code == 201
    again = web.get(WEB).json
    again["metadata"]["resourceVersion"] = "0"
    assert web.ask("PUT", WEB, again).code == 200


def test_the_scale_is_applied_by_a_manager_of_its_own(web):
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}}
    made = web.ask("PATCH", f"{WEB}/scale?fieldManager=scaler&force=true", scale, Content_Type=APPLY)
    assert (made.code, made.json["kind"], made.json["spec"]) == (200, "Scale", {"replicas": 4}), made.raw
    entries = {entry["manager"]: entry for entry in web.get(WEB).json["metadata"]["managedFields"]}
    assert entries["scaler"]["subresource"] == "scale"
    assert entries["scaler"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    web.patch(f"{WEB}/scale?fieldManager=hand", {"spec": {"replicas": 5}})
    entries = {entry["manager"]: entry for entry in web.get(WEB).json["metadata"]["managedFields"]}
    assert ("scaler" in entries, entries["hand"]["subresource"]) == (False, "scale")


def test_an_older_version_of_a_kind_is_applied_too(api):
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/h?fieldManager=me"
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3}
    older = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}}
    older["spec"] = {**spec, "targetCPUUtilizationPercentage": 70}
    assert api.ask("PATCH", path, older, Content_Type=APPLY).code == 201
    made = api.ask("PATCH", path, older, Content_Type=APPLY)
    assert (made.code, made.json["apiVersion"], made.json["spec"]["targetCPUUtilizationPercentage"]) == (
        200,
        "autoscaling/v1",
        70,
    )


def test_not_all_namespaces_are_deleted_at_once(api):
    assert api.ask("DELETE", "/api/v1/namespaces").code == 405


def asking(**spec) -> dict:
    """A pod's specification that asks for more than the lab has."""
    mount = {"name": "v", "mountPath": "/v", "mountPropagation": "HostToContainer"}
    container = {
        "name": "a",
        "image": "a",
        "volumeMounts": [mount],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    return {"containers": [container], "volumes": [{"name": "v"}], **spec}


@pytest.mark.parametrize(
    ("path", "kind", "at", "wrapped"),
    [
        ("/api/v1/namespaces/default/pods", "Pod", "spec", lambda spec: spec),
        (
            DEPLOYMENTS,
            "Deployment",
            "spec.template.spec",
            lambda spec: {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec},
            },
        ),
        (
            "/apis/batch/v1/namespaces/default/cronjobs",
            "CronJob",
            "spec.jobTemplate.spec.template.spec",
            lambda spec: {
                "schedule": "@daily",
                "jobTemplate": {"spec": {"template": {"spec": {**spec, "restartPolicy": "Never"}}}},
            },
        ),
    ],
)
def test_what_a_pod_asks_for_and_is_not_given_is_warned_of(api, path, kind, at, wrapped):
    spec = asking(runtimeClassName="gvisor", imagePullSecrets=[{"name": "x"}])
    spec["volumes"] = [
        {"name": "v", "nfs": {"server": "a", "path": "/"}},
        {"name": "m", "emptyDir": {"medium": "Memory"}},
    ]
    made = api.ask("POST", path, {"kind": kind, "metadata": {"name": "a"}, "spec": wrapped(spec)})
    assert made.code == 201, made.raw
    told = made.headers["warning"]
    for words in (
        f"{at}.runtimeClassName is ignored here",
        f"{at}.imagePullSecrets is ignored here",
        f"{at}.containers[0].volumeMounts[0].mountPropagation is ignored here",
        f"{at}.containers[0].terminationMessagePolicy is ignored here",
        f"{at}.volumes[0].nfs: there are no such volumes here",
        f"{at}.volumes[1].emptyDir.medium is ignored here",
    ):
        assert words in told
    plain = api.ask(
        "POST",
        path,
        {
            "kind": kind,
            "metadata": {"name": "b"},
            "spec": wrapped({**asking(), "containers": [{"name": "a", "image": "a"}]}),
        },
    )
    assert (plain.code, plain.headers.get("warning")) == (201, None)


def test_a_secret_that_waits_for_a_token_is_warned_of(api):
    annotations = {"kubernetes.io/service-account.name": "default"}
    secret = {"metadata": {"name": "t", "annotations": annotations}, "type": "kubernetes.io/service-account-token"}
    made = api.ask("POST", f"{NS}/secrets", secret)
    assert (made.code, "no token is put into a secret here" in made.headers["warning"]) == (201, True)
