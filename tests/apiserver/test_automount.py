"""What every pod is given to reach the API, and who is given nothing."""

import re

from .conftest import pod

NAMESPACE = "/api/v1/namespaces/default"
OWN = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"


def made(api, name: str, **spec) -> dict:
    wanted = pod(name)
    wanted["spec"] |= spec
    return api.create(f"{NAMESPACE}/pods", wanted)["spec"]


def mounts(container: dict) -> list[tuple[str, str]]:
    return [(mount["name"], mount["mountPath"]) for mount in container.get("volumeMounts") or ()]


def test_each_container_finds_token_certificate_and_namespace(api):
    spec = made(api, "web", initContainers=[{"name": "first", "image": "x"}])
    (volume,) = spec["volumes"]
    assert re.fullmatch("kube-api-access-[a-z0-9]{5}", volume["name"])
    assert volume["projected"] == {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [OWN]}},
        ],
    }
    for container in (*spec["initContainers"], *spec["containers"]):
        (mount,) = container["volumeMounts"]
        assert mount == {"name": volume["name"], "readOnly": True, "mountPath": PLACE}


def test_what_is_there_already_is_let_be(api):
    own = {"name": "own", "emptyDir": {}}
    taken = {"name": "c", "image": "x", "volumeMounts": [{"name": "own", "mountPath": PLACE}]}
    spec = made(api, "all", containers=[taken], volumes=[own])
    assert [volume["name"] for volume in spec["volumes"]] == ["own"]
    spec = made(api, "one", containers=[taken, {"name": "d", "image": "x"}], volumes=[own])
    assert mounts(spec["containers"][0]) == [("own", PLACE)]
    assert mounts(spec["containers"][1]) == [(spec["volumes"][1]["name"], PLACE)]
    again = {"name": "kube-api-access-mine", "emptyDir": {}}
    spec = made(api, "named", volumes=[again])
    assert spec["volumes"] == [again] and mounts(spec["containers"][0]) == [("kube-api-access-mine", PLACE)]


def test_the_pods_word_on_automounting_counts_before_its_accounts(api):
    account = {"metadata": {"name": "quiet"}, "automountServiceAccountToken": False}
    api.create(f"{NAMESPACE}/serviceaccounts", account | {"imagePullSecrets": [{"name": "registry"}]})
    quiet = made(api, "quiet", serviceAccountName="quiet")
    assert "volumes" not in quiet and quiet["imagePullSecrets"] == [{"name": "registry"}]
    assert made(api, "loud", serviceAccountName="quiet", automountServiceAccountToken=True)["volumes"]
    assert "volumes" not in made(api, "plain", automountServiceAccountToken=False)


def test_a_template_is_left_as_it_was_written(api):
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod("x")["spec"]}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    stored = api.create("/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "x"}, "spec": spec})
    assert "volumes" not in stored["spec"]["template"]["spec"]


def test_a_pod_without_containers_is_refused_for_that(api):
    refused = api.ask("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "none"}, "spec": {}})
    assert (refused.code, refused.json["details"]["causes"][0]["field"]) == (422, "spec.containers")
