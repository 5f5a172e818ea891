"""The verbs over HTTP: what goes in, what comes out, and what is refused in which words."""

import pytest

from lab.store import compact, history

from .conftest import TABLE, deployment, pod

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
NODES = "/api/v1/nodes"


def test_an_object_is_created_read_replaced_patched_and_deleted(api):
    made = api.create(DEPLOYMENTS, deployment("web"))
    assert made["metadata"]["uid"]
    assert api.get(f"{DEPLOYMENTS}/web").json == made
    made["spec"]["replicas"] = 3
    replaced = api.ask("PUT", f"{DEPLOYMENTS}/web", made).json
    assert int(replaced["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    patched = api.patch(f"{DEPLOYMENTS}/web", {"metadata": {"labels": {"a": "b"}}}).json
    assert (patched["spec"]["replicas"], patched["metadata"]["labels"]) == (3, {"a": "b"})
    gone = api.ask("DELETE", f"{DEPLOYMENTS}/web")
    assert gone.code == 200
    assert gone.json["details"] == {
        "name": "web",
        "group": "apps",
        "kind": "deployments",
        "uid": made["metadata"]["uid"],
    }
    assert api.get(f"{DEPLOYMENTS}/web").code == 404


def test_a_strategic_patch_merges_containers_by_name_and_a_json_patch_goes_by_path(api):
    api.create(DEPLOYMENTS, deployment("web"))
    containers = [{"name": "app", "image": "busybox:2"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    new = api.patch(f"{DEPLOYMENTS}/web", patch, "strategic-merge").json
    assert new["spec"]["template"]["spec"]["containers"][0]["image"] == "busybox:2"
    new = api.patch(f"{DEPLOYMENTS}/web", [{"op": "replace", "path": "/spec/replicas", "value": 4}], "json").json
    assert new["spec"]["replicas"] == 4


def test_to_give_an_empty_list_or_map_is_to_give_none(api):
    """As `omitempty` has it in Go's types; a struct stays, and so does what must be given."""
    plain = deployment("web")
    made = api.create(DEPLOYMENTS, plain)
    plain["metadata"] |= {"labels": {}, "annotations": {}, "finalizers": []}
    template = plain["spec"]["template"]
    template["metadata"]["annotations"] = {}
    template["spec"] |= {"nodeSelector": {}, "tolerations": [], "volumes": [], "affinity": {}}
    template["spec"]["containers"][0] |= {"env": [], "ports": [], "resources": {"limits": {}}, "securityContext": {}}
    again = api.ask("PUT", f"{DEPLOYMENTS}/web", plain).json
    spec = again["spec"]["template"]["spec"]
    assert not {"nodeSelector", "tolerations", "volumes"} & spec.keys() and spec["affinity"] == {}
    container = spec["containers"][0]
    assert not {"env", "ports"} & container.keys() and container["securityContext"] == {}
    assert container["resources"] == {}
    assert "annotations" not in again["spec"]["template"]["metadata"]
    assert not {"labels", "annotations", "finalizers"} & again["metadata"].keys()
    del spec["affinity"], container["securityContext"], made["metadata"]["resourceVersion"]
    assert api.ask("PUT", f"{DEPLOYMENTS}/web", again).json["spec"] == made["spec"]


def test_the_last_label_that_is_taken_away_leaves_no_map(api):
    """What is ours is as a custom resource: only its metadata has Go's types."""
    maps = "/api/v1/namespaces/default/configmaps"
    api.create(maps, {"metadata": {"name": "c", "labels": {"a": "b"}}, "data": {"k": "v"}})
    kept = api.patch(f"{maps}/c", {"metadata": {"labels": {"a": None}}, "data": {"k": None}}).json
    assert "labels" not in kept["metadata"] and "data" not in kept
    wheel = {"metadata": {"name": "scheduler", "annotations": {}}, "spec": {"mode": "Paused"}}
    assert "annotations" not in api.create("/apis/orrery.io/v1/wheels", wheel)["metadata"]
    lesson = {"metadata": {"name": "14-self-healing"}, "spec": {"step": "a-process-dies", "answers": {}}}
    assert api.create("/apis/orrery.io/v1/lessons", lesson)["spec"]["answers"] == {}


def test_a_write_on_an_old_version_is_a_conflict_and_one_without_a_version_is_not(api):
    old = api.create(DEPLOYMENTS, deployment("web"))
    api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 2}})
    refused = api.ask("PUT", f"{DEPLOYMENTS}/web", old)
    assert (refused.code, refused.json["reason"]) == (409, "Conflict")
    assert "the object has been modified; please apply your changes" in refused.json["message"]
    del old["metadata"]["resourceVersion"]
    assert api.ask("PUT", f"{DEPLOYMENTS}/web", old).code == 200


def test_a_dry_run_answers_and_writes_nothing(api):
    assert api.ask("POST", f"{DEPLOYMENTS}?dryRun=All", deployment("web")).code == 201
    assert api.get(f"{DEPLOYMENTS}/web").code == 404
    api.create(DEPLOYMENTS, deployment("web"))
    api.ask("DELETE", f"{DEPLOYMENTS}/web?dryRun=All")
    assert api.get(f"{DEPLOYMENTS}/web").code == 200


def test_the_log_names_the_client_that_wrote(api):
    api.ask("POST", DEPLOYMENTS, deployment("web"), User_Agent="kubectl/v1.32.3 (linux/amd64) kubernetes/32cc146")
    assert history("default", "deployments.apps", "default", "web")[0]["author"] == "kubectl"


def test_a_collection_is_deleted_by_selector(api):
    for name, tier in (("a", "web"), ("b", "web"), ("c", "db")):
        api.create(PODS, pod(name, tier=tier))
    gone = api.ask("DELETE", f"{PODS}?labelSelector=tier%3Dweb").json
    assert [item["metadata"]["name"] for item in gone["items"]] == ["a", "b"]
    assert [item["metadata"]["name"] for item in api.get(PODS).json["items"]] == ["c"]


def test_lists_are_ordered_by_key_and_carry_the_stores_revision(api):
    api.create("/api/v1/namespaces", {"metadata": {"name": "a"}})
    for name in ("b", "a"):
        api.create(PODS, pod(name))
    api.create("/api/v1/namespaces/a/pods", pod("z"))
    last = api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "c"}})
    found = api.get("/api/v1/pods").json
    assert [(i["metadata"]["namespace"], i["metadata"]["name"]) for i in found["items"]] == [
        ("a", "z"),
        ("default", "a"),
        ("default", "b"),
    ]
    assert (found["kind"], found["apiVersion"]) == ("PodList", "v1")
    assert found["metadata"]["resourceVersion"] == last["metadata"]["resourceVersion"]


def test_selectors_choose_by_label_and_field(api):
    api.create(PODS, pod("a", tier="web"))
    api.create(PODS, pod("b", tier="db"))

    def names(query):
        return [item["metadata"]["name"] for item in api.get(f"{PODS}?{query}").json["items"]]

    assert names("labelSelector=tier+in+(web,db),tier!%3Ddb") == ["a"]
    assert names("fieldSelector=metadata.name%3Db") == ["b"]
    assert names("fieldSelector=spec.nodeName%3Dn1,status.phase!%3DFailed") == []
    refused = api.get(f"{PODS}?fieldSelector=spec.colour%3Dred")
    assert (refused.code, "field label not supported: spec.colour" in refused.json["message"]) == (400, True)


def test_all_pages_show_the_state_of_the_first(api):
    for name in ("a", "b", "c", "d"):
        api.create(PODS, pod(name))
    first = api.get(f"{PODS}?limit=2").json
    assert first["metadata"]["remainingItemCount"] == 2
    api.ask("DELETE", f"{PODS}/d")
    api.create(PODS, pod("bb"))
    second = api.get(f"{PODS}?limit=2&continue={first['metadata']['continue']}").json
    assert [item["metadata"]["name"] for item in second["items"]] == ["c", "d"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}
    exact = api.get(f"{PODS}?resourceVersionMatch=Exact&resourceVersion={first['metadata']['resourceVersion']}").json
    assert [item["metadata"]["name"] for item in exact["items"]] == ["a", "b", "c", "d"]


def test_a_page_that_is_too_old_is_gone_and_says_how_to_go_on(api):
    for name in ("a", "b", "c"):
        api.create(PODS, pod(name))
    token = api.get(f"{PODS}?limit=1").json["metadata"]["continue"]
    api.create(PODS, pod("d"))
    compact("default", keep=0)
    gone = api.get(f"{PODS}?limit=1&continue={token}")
    assert (gone.code, gone.json["reason"]) == (410, "Expired")
    fresh = gone.json["metadata"]["continue"]
    assert [i["metadata"]["name"] for i in api.get(f"{PODS}?continue={fresh}").json["items"]] == ["b", "c", "d"]


def test_a_revision_from_the_future_is_not_waited_for(api):
    late = api.get(f"{PODS}?resourceVersion=99999")
    assert (late.code, late.json["reason"]) == (504, "Timeout")
    assert late.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert late.headers["retry-after"] == "1"


def test_the_accept_header_chooses_the_form(api):
    api.create(PODS, pod("a"))
    table = api.get(f"{PODS}?includeObject=Object", Accept=TABLE).json
    assert table["kind"] == "Table"
    assert table["rows"][0]["cells"][0] == "a"
    assert table["rows"][0]["object"]["spec"]
    row = api.get(f"{PODS}/a", Accept=TABLE).json
    assert row["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    bare = api.get(PODS, Accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").json
    assert (bare["kind"], bare["items"][0].keys()) == ("PartialObjectMetadataList", {"kind", "apiVersion", "metadata"})
    assert api.get(PODS, Accept="text/html").code == 406


def test_a_person_with_curl_gets_lines_and_a_program_does_not(api):
    assert b"\n" in api.get(PODS, User_Agent="curl/8.0").raw
    assert b"\n" not in api.get(PODS).raw


def test_scale_is_one_number_of_every_workload(api):
    api.create(DEPLOYMENTS, deployment("web", 2))
    scale = api.get(f"{DEPLOYMENTS}/web/scale").json
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    assert api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}}).json["spec"] == {"replicas": 5}
    assert api.ask("PUT", f"{DEPLOYMENTS}/web/scale", scale).code == 409
    del scale["metadata"]["resourceVersion"]
    assert api.ask("PUT", f"{DEPLOYMENTS}/web/scale", scale).json["spec"] == {"replicas": 2}
    refused = api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -1}})
    assert (refused.code, refused.json["details"]["causes"][0]["field"]) == (422, "spec.replicas")
    table = api.get(f"{DEPLOYMENTS}/web/scale", Accept=TABLE).json
    assert table["rows"][0]["cells"][:3] == ["web", 2, 0]
    controllers = "/api/v1/namespaces/default/replicationcontrollers"
    old = deployment("web", 3)
    made = api.create(controllers, {"metadata": old["metadata"], "spec": {"template": old["spec"]["template"]}})
    assert made["spec"]["selector"] == {"app": "web"} and made["spec"]["replicas"] == 1
    assert api.get(f"{controllers}/web/scale").json["status"]["selector"] == "app=web"


def test_status_has_an_address_of_its_own(api):
    api.create(NODES, {"metadata": {"name": "n1"}})
    patch = {"status": {"phase": "x"}, "spec": {"unschedulable": True}}
    node = api.patch(f"{NODES}/n1/status", patch).json
    assert node["status"]["phase"] == "x"
    assert "unschedulable" not in node["spec"]
    assert api.get(f"{NODES}/n1/status").json == node


def test_a_pod_is_bound_once(api):
    api.create(NODES, {"metadata": {"name": "n1"}})
    api.create(PODS, pod("a"))
    binding = {"target": {"kind": "Node", "name": "n1"}}
    assert api.ask("POST", f"{PODS}/a/binding", binding).code == 201
    assert api.get(f"{PODS}/a").json["spec"]["nodeName"] == "n1"
    again = api.ask("POST", f"{PODS}/a/binding", binding)
    assert (again.code, "already assigned" in again.json["message"]) == (409, True)


def test_an_eviction_deletes_the_pod(api):
    api.create(PODS, pod("a"))
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": "default"}}
    evicted = api.ask("POST", f"{PODS}/a/eviction", eviction)
    assert (evicted.code, evicted.json["status"]) == (201, "Success")
    assert api.get(f"{PODS}/a").code == 404


def test_a_namespace_goes_when_its_last_finalizer_is_taken_away(api):
    api.create("/api/v1/namespaces", {"metadata": {"name": "a"}})
    ending = api.ask("DELETE", "/api/v1/namespaces/a")
    assert ending.json["status"]["phase"] == "Terminating"
    emptied = {**ending.json, "spec": {"finalizers": []}}
    assert api.ask("PUT", "/api/v1/namespaces/a/finalize", emptied).code == 200
    assert api.get("/api/v1/namespaces/a").code == 404


@pytest.mark.parametrize(
    ("method", "path", "code", "reason", "words"),
    [
        ("GET", f"{PODS}/none", 404, "NotFound", 'pods "none" not found'),
        ("GET", f"{DEPLOYMENTS}/none", 404, "NotFound", 'deployments.apps "none" not found'),
        ("GET", "/api/v1/widgets", 404, "NotFound", "the server could not find the requested resource"),
        ("GET", "/nowhere", 404, "NotFound", "the server could not find the requested resource"),
        ("POST", f"{PODS}/a", 405, "MethodNotAllowed", "does not allow this method"),
        ("POST", "/api/v1/pods", 405, "MethodNotAllowed", "does not allow this method"),
        ("GET", f"{PODS}/a/binding", 405, "MethodNotAllowed", "does not allow this method"),
        ("POST", "/version", 405, "MethodNotAllowed", "does not allow this method"),
    ],
)
def test_every_refusal_is_a_status(api, method, path, code, reason, words):
    refused = api.ask(method, path)
    assert (refused.code, refused.json["kind"], refused.json["reason"]) == (code, "Status", reason)
    assert words in refused.json["message"]


def test_an_unknown_cluster_says_where_to_look(api):
    api.cluster = "other"
    for path in (PODS, "/version", "/api", f"{PODS}?watch=1", "/openapi/v3"):
        refused = api.get(path)
        assert (refused.code, refused.json["message"]) == (
            404,
            'there is no cluster "other"; `manage.py status` lists those that are',
        )


def test_bodies_are_json_or_protobuf_or_refused(api):
    assert api.ask("POST", PODS, pod("a"), Content_Type="").code == 201
    broken = api.ask("POST", PODS, b"k8s\x00", Content_Type="application/vnd.kubernetes.protobuf")
    assert (broken.code, broken.json["reason"]) == (400, "BadRequest")
    other = api.ask("POST", PODS, b"k8s\x00", Content_Type="application/cbor")
    assert (other.code, other.json["reason"]) == (415, "UnsupportedMediaType")
    assert api.ask("PATCH", f"{PODS}/a", {}, Content_Type="application/json").code == 415
    assert api.ask("POST", PODS, b"a" * (3 * 1024 * 1024 + 1)).code == 413


CONFIG = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: '


def test_a_field_given_twice_is_refused_or_warned_of(api):
    raw = b'{"metadata":{"name":"c"},"data":{"k":"1","k":"2"}}'
    path = "/api/v1/namespaces/default/configmaps"
    refused = api.ask("POST", f"{path}?fieldValidation=Strict", raw)
    assert (refused.code, refused.json["message"]) == (400, f'{CONFIG}strict decoding error: duplicate field "data.k"')
    warned = api.ask("POST", f"{path}?fieldValidation=Warn", raw)
    assert warned.headers["warning"] == '299 - "duplicate field \\"data.k\\""'


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
        {"Origin": "null"},
    ],
)
def test_pages_of_other_sites_are_refused(api, headers):
    refused = api.get(PODS, **headers)
    assert (refused.code, refused.json["reason"]) == (403, "Forbidden")


def test_the_labs_own_pages_are_not(api):
    assert api.get(PODS, Origin=f"http://127.0.0.1:{api.port}", Sec_Fetch_Site="same-origin").code == 200


def test_an_older_version_is_the_same_object_in_other_words(api):
    old, new = (f"/apis/autoscaling/{v}/namespaces/default/horizontalpodautoscalers" for v in ("v1", "v2"))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilizationPercentage": 70}
    made = api.create(old, {"metadata": {"name": "web"}, "spec": spec})
    assert (made["apiVersion"], made["spec"]) == ("autoscaling/v1", spec)
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    assert api.get(f"{new}/web").json["spec"]["metrics"] == [cpu]

    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
    }
    api.patch(f"{new}/web", {"spec": {"metrics": [cpu, memory]}})
    assert api.patch(f"{old}/web", {"spec": {"targetCPUUtilizationPercentage": 60}}, "strategic-merge").code == 200
    cpu["resource"]["target"]["averageUtilization"] = 60
    after = api.get(f"{new}/web").json
    assert after["spec"]["metrics"] == [cpu, memory]  # what the older version has no field for is not lost
    assert "annotations" not in after["metadata"]
    listed = api.get(old).json
    assert (listed["apiVersion"], listed["items"][0]["spec"]["targetCPUUtilizationPercentage"]) == (
        "autoscaling/v1",
        60,
    )
    with api.watch(f"{old}?watch=true") as watch:
        assert watch.next()[1]["spec"]["targetCPUUtilizationPercentage"] == 60
    misspelt = {"metadata": {"name": "x"}, "spec": {"metrics": []}}
    refused = api.ask("POST", f"{old}?fieldValidation=Strict", misspelt, Content_Type="application/json")
    assert (refused.code, 'unknown field "spec.metrics"' in refused.json["message"]) == (400, True)


def test_a_token_in_a_volume_has_a_life_and_a_path(api):
    wanted = pod("web")
    token = {"path": "token", "audience": "vault"}
    wanted["spec"]["volumes"] = [{"name": "t", "projected": {"sources": [{"serviceAccountToken": token}]}}]
    made = api.ask("POST", PODS, wanted, Content_Type="application/json")
    assert made.code == 201
    (source,) = made.json["spec"]["volumes"][0]["projected"]["sources"]
    assert source["serviceAccountToken"] == token | {"expirationSeconds": 3600}
    for wrong, said in (
        ({"path": "t", "expirationSeconds": 599}, "expirationSeconds: Invalid value: 599: may not specify a duration"),
        ({"path": "", "expirationSeconds": 600}, "serviceAccountToken.path: Required value"),
        ({"path": "../t"}, "serviceAccountToken.path: Invalid value"),
    ):
        wanted["spec"]["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"] = wrong
        refused = api.ask("POST", PODS, wanted, Content_Type="application/json")
        assert (refused.code, said in refused.json["message"]) == (422, True), refused.json["message"]


def test_a_node_has_a_disk_though_nobody_declares_one(api):
    made = api.create(NODES, {"metadata": {"name": "small"}, "status": {"capacity": {"cpu": "1", "memory": "1Gi"}}})
    assert made["status"]["capacity"] == {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "20Gi"}
