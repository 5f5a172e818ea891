"""The three kinds of patch, each with what only it can say.

Cases for strategic merge follow k8s.io/apimachinery/pkg/util/strategicpatch/patch_test.go.
"""

import copy

import pytest

from lab.apimachinery import patch
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, PODS, SERVICES
from lab.apimachinery.patch import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH


def a_pod() -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web", "tier": "front"}, "finalizers": ["a/a", "b/b"]},
        "spec": {
            "containers": [
                {"name": "main", "image": "web:1", "args": ["x", "y"], "env": [{"name": "A", "value": "1"}]},
                {"name": "side", "image": "side:1"},
            ],
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
        },
    }


def merged(kind: str, body, obj: dict | None = None, of=PODS) -> dict:
    old = obj or a_pod()
    before = copy.deepcopy(old)
    new = patch.apply(kind, of, old, body)
    assert old == before, "a patch must not change what it was given"
    return new


def test_a_merge_patch_replaces_lists_whole_and_removes_by_null():
    new = merged(MERGE_PATCH, {"metadata": {"labels": {"tier": None}}, "spec": {"containers": [{"name": "only"}]}})
    assert new["metadata"]["labels"] == {"app": "web"}
    assert new["spec"]["containers"] == [{"name": "only"}]


def test_a_strategic_patch_changes_one_container_by_its_name():
    new = merged(STRATEGIC_MERGE_PATCH, {"spec": {"containers": [{"name": "side", "image": "side:2"}]}})
    assert [c["image"] for c in new["spec"]["containers"]] == ["web:1", "side:2"]
    assert new["spec"]["containers"][0]["args"] == ["x", "y"]


def test_a_strategic_patch_merges_to_any_depth_and_puts_in_front_what_is_new():
    """In front, as kubectl's own page about patching shows it (docs/tasks/manage-kubernetes-objects)."""
    env = {"spec": {"containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}, {"name": "third"}]}}
    containers = {c["name"]: c for c in merged(STRATEGIC_MERGE_PATCH, env)["spec"]["containers"]}
    assert [each["name"] for each in containers["main"]["env"]] == ["B", "A"]
    assert list(containers) == ["main", "third", "side"]


def test_a_strategic_patch_replaces_lists_without_a_merge_key():
    new = merged(
        STRATEGIC_MERGE_PATCH,
        {"spec": {"tolerations": [{"key": "ssd"}], "containers": [{"name": "main", "args": ["z"]}]}},
    )
    assert new["spec"]["tolerations"] == [{"key": "ssd"}]
    assert new["spec"]["containers"][0]["args"] == ["z"]


def test_directives_delete_and_replace():
    gone = merged(STRATEGIC_MERGE_PATCH, {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}})
    assert [c["name"] for c in gone["spec"]["containers"]] == ["main"]
    new = merged(STRATEGIC_MERGE_PATCH, {"spec": {"containers": [{"$patch": "replace"}, {"name": "new"}]}})
    assert new["spec"]["containers"] == [{"name": "new"}]
    labels = merged(STRATEGIC_MERGE_PATCH, {"metadata": {"labels": {"$patch": "replace", "only": "this"}}})
    assert labels["metadata"]["labels"] == {"only": "this"}


def test_plain_values_are_added_once_and_deleted_by_a_directive():
    added = merged(STRATEGIC_MERGE_PATCH, {"metadata": {"finalizers": ["b/b", "c/c"]}})
    assert sorted(added["metadata"]["finalizers"]) == ["a/a", "b/b", "c/c"]
    fewer = merged(STRATEGIC_MERGE_PATCH, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"]}})
    assert fewer["metadata"]["finalizers"] == ["b/b"]


def test_an_order_is_kept_as_it_is_asked_for():
    order = {"spec": {"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}]}}
    assert [c["name"] for c in merged(STRATEGIC_MERGE_PATCH, order)["spec"]["containers"]] == ["side", "main"]


def test_of_a_union_only_the_retained_keys_stay():
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
    }
    body = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    new = merged(STRATEGIC_MERGE_PATCH, body, deployment, DEPLOYMENTS)
    assert new["spec"]["strategy"] == {"type": "Recreate"}


def test_ports_of_a_service_merge_by_their_number():
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443}]}}
    new = merged(STRATEGIC_MERGE_PATCH, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}, service, SERVICES)
    assert new["spec"]["ports"] == [{"port": 80, "name": "http", "targetPort": 8080}, {"port": 443}]


def test_an_item_without_its_merge_key_is_refused():
    with pytest.raises(ApiError, match="does not contain declared merge key: name") as refused:
        merged(STRATEGIC_MERGE_PATCH, {"spec": {"containers": [{"image": "x"}]}})
    assert refused.value.code == 422


def test_a_json_patch_is_all_or_nothing():
    steps = [
        {"op": "test", "path": "/metadata/name", "value": "web"},
        {"op": "replace", "path": "/spec/containers/0/image", "value": "web:2"},
        {"op": "remove", "path": "/metadata/labels/tier"},
        {"op": "add", "path": "/spec/tolerations/-", "value": {"key": "new"}},
    ]
    new = merged(JSON_PATCH, steps)
    assert new["spec"]["containers"][0]["image"] == "web:2"
    assert new["metadata"]["labels"] == {"app": "web"}
    assert new["spec"]["tolerations"][-1] == {"key": "new"}
    with pytest.raises(ApiError) as refused:
        merged(JSON_PATCH, [*steps, {"op": "test", "path": "/metadata/name", "value": "other"}])
    assert refused.value.code == 422


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (JSON_PATCH, {"op": "add"}, 400),
        (JSON_PATCH, [{"op": "explode", "path": "/x"}], 400),
        (JSON_PATCH, [{"op": "remove", "path": "/not/there"}], 422),
        (JSON_PATCH, [{"op": "remove", "path": ""}], 422),
        (MERGE_PATCH, [], 400),
        (MERGE_PATCH, {"metadata": None}, 422),
        (STRATEGIC_MERGE_PATCH, {"spec": {"$patch": "explode"}}, 400),
        ("text/plain", {}, 415),
    ],
)
def test_a_patch_that_cannot_be_is_refused(kind, body, code):
    with pytest.raises(ApiError) as refused:
        merged(kind, body)
    assert refused.value.code == code
