"""StatefulSet, DaemonSet and ControllerRevision at the API: what is filled in, what is refused, what is printed."""

import copy

import pytest

from .test_kubectl import Kubectl

SETS, DAEMONS, REVISIONS = (f"/apis/apps/v1/namespaces/default/{name}" for name in (
    "statefulsets", "daemonsets", "controllerrevisions",
))  # fmt: skip
TEMPLATE = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "db:v1"}]}}
CLAIM = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}


def a_set(**spec) -> dict:
    spec = {"selector": {"matchLabels": {"app": "db"}}, "template": copy.deepcopy(TEMPLATE), **spec}
    return {"metadata": {"name": "db"}, "spec": spec}


def test_what_a_statefulset_leaves_out_is_filled_in(api):
    made = api.create(SETS, a_set(volumeClaimTemplates=[CLAIM]))
    spec = made["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["podManagementPolicy"]) == (1, 10, "OrderedReady")
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    claim = spec["volumeClaimTemplates"][0]
    assert (claim["kind"], claim["spec"]["volumeMode"], claim["status"]) == (
        "PersistentVolumeClaim",
        "Filesystem",
        {"phase": "Pending"},
    )
    assert made["metadata"]["generation"] == 1


def test_what_a_daemonset_leaves_out_is_filled_in_and_its_templates_are_numbered(api):
    made = api.create(DAEMONS, a_set())
    assert made["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    }
    number = "deprecated.daemonset.template.generation"
    assert made["metadata"]["annotations"][number] == "1"
    changed = api.patch(f"{DAEMONS}/db", {"spec": {"minReadySeconds": 3}, "metadata": {"annotations": None}}).json
    assert (changed["metadata"]["generation"], changed["metadata"]["annotations"][number]) == (2, "1")
    labels = {"spec": {"template": {"metadata": {"labels": {"tier": "x"}}}}}
    assert api.patch(f"{DAEMONS}/db", labels).json["metadata"]["annotations"][number] == "2"


@pytest.mark.parametrize(
    ("path", "spec", "words"),
    [
        (SETS, {"podManagementPolicy": "Sometimes"}, "must be 'OrderedReady' or 'Parallel'"),
        (SETS, {"updateStrategy": {"type": "Recreate"}}, "must be 'RollingUpdate' or 'OnDelete'"),
        (
            SETS,
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            "only allowed for updateStrategy 'RollingUpdate'",
        ),
        (SETS, {"updateStrategy": {"rollingUpdate": {"partition": -1}}}, "must be greater than or equal to 0"),
        (SETS, {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "0%"}}}, "cannot be 0"),
        (
            SETS,
            {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}},
            'supported values: "Delete", "Retain"',
        ),
        (SETS, {"ordinals": {"start": -1}}, "spec.ordinals.start: Invalid value: -1"),
        (SETS, {"selector": {}}, "empty selector is invalid for statefulset"),
        (SETS, {"selector": None}, "`selector` does not match template `labels`"),
        (SETS, {"selector": {"matchLabels": {"app": "x"}}}, "`selector` does not match template `labels`"),
        (
            SETS,
            {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}},
            'Unsupported value: "Never": supported values: "Always"',
        ),
        (DAEMONS, {"selector": {}}, "empty selector is invalid for daemonset"),
        (DAEMONS, {"updateStrategy": {"type": "Recreate"}}, 'supported values: "OnDelete", "RollingUpdate"'),
        (
            DAEMONS,
            {"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}},
            "may not be set when maxUnavailable is non-zero",
        ),
        (
            DAEMONS,
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_kubernetes_words(api, path, spec, words):
    reply = api.ask("POST", path, a_set(**spec), Content_Type="application/json")
    assert reply.code == 422 and words in reply.json["message"], reply.raw


def test_of_a_statefulset_only_some_fields_may_change(api):
    api.create(SETS, a_set())
    refused = api.patch(f"{SETS}/db", {"spec": {"serviceName": "other"}})
    assert refused.code == 422
    assert (
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
        "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    ) in refused.json["message"]
    allowed = {"replicas": 2, "minReadySeconds": 1, "ordinals": {"start": 2}, "revisionHistoryLimit": 3}
    assert api.patch(f"{SETS}/db", {"spec": allowed}).code == 200


def test_a_revision_stays_what_it_is(api):
    made = api.create(REVISIONS, {"metadata": {"name": "db-1"}, "data": {"spec": {"any": "thing"}}, "revision": 1})
    assert made["data"] == {"spec": {"any": "thing"}}
    assert api.patch(f"{REVISIONS}/db-1", {"revision": 2}).json["revision"] == 2
    refused = api.patch(f"{REVISIONS}/db-1", {"data": {"spec": {"any": "other"}}})
    assert refused.code == 422 and "field is immutable" in refused.json["message"]
    nothing = api.ask("POST", REVISIONS, {"metadata": {"name": "x"}, "revision": 1}, Content_Type="application/json")
    assert "data: Required value: data is mandatory" in nothing.json["message"]


def test_kubectl_prints_them_as_kubernetes_does(kubectl, kubeconfig, api):
    k = Kubectl(kubectl, kubeconfig)
    made = api.create(SETS, a_set(replicas=3))
    api.create(DAEMONS, a_set())
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": made["metadata"]["uid"]}
    meta = {"name": "db-1", "ownerReferences": [{**owner, "controller": True}]}
    api.create(REVISIONS, {"metadata": meta, "data": {}, "revision": 4})
    head, line = k.rows("get", "sts")
    assert head == ["NAME", "READY", "AGE"] and line[:2] == ["db", "0/3"]
    assert k.rows("get", "sts", "-o", "wide")[1][3:] == ["db", "db:v1"]
    head, line = k.rows("get", "ds", "-o", "wide")
    wanted = "NAME,DESIRED,CURRENT,READY,UP-TO-DATE,AVAILABLE,NODE SELECTOR,AGE,CONTAINERS,IMAGES,SELECTOR"
    assert head == wanted.split(",")
    assert line[:7] == ["db", "0", "0", "0", "0", "0", "<none>"] and line[8:] == ["db", "db:v1", "app=db"]
    head, line = k.rows("get", "controllerrevisions")
    assert head == ["NAME", "CONTROLLER", "REVISION", "AGE"] and line[:3] == ["db-1", "statefulset.apps/db", "4"]
    k.run("scale", "statefulset", "db", "--replicas=5")
    assert k.run("get", "sts", "db", "-o", "jsonpath={.spec.replicas}") == "5"
    assert "5 desired | 0 total" in k.run("describe", "sts", "db")
    assert "Node-Selector:  <none>" in k.run("describe", "ds", "db")


def test_a_template_may_be_kept_for_later(kubectl, kubeconfig, api):
    template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
    made = api.create("/api/v1/namespaces/default/podtemplates", {"metadata": {"name": "t"}, "template": template})
    assert made["template"]["spec"]["dnsPolicy"] == "ClusterFirst" and made["metadata"]["generation"] == 1
    head, line = Kubectl(kubectl, kubeconfig).rows("get", "podtemplates")
    assert head == ["NAME", "CONTAINERS", "IMAGES", "POD LABELS"] and line == ["t", "db", "db:v1", "app=db"]
