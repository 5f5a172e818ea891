"""What strangers write: anything of a kind's types, sensible or not. What the door lets in breaks no loop, no list and
no board: each object may come to nothing, but the others go on."""

import copy
import logging
import random

import pytest

from lab.apimachinery.kinds import KINDS, NODES
from lab.apiserver.schemas import REF, root_of, schemas
from lab.client import Client
from lab.client.reconcile import catch_up
from lab.dashboard.actions import perform
from lab.dashboard.board import Board
from lab.dashboard.creating import create_from_yaml
from lab.tasks import LOOPS

from .conftest import TABLE, Api

REQUESTS = 250
ODD = [
    None, {}, [], "", "a", -1, 0, 2**31, 2**63, 1.5, True, "x" * 300, "é", "../..", "150%", "-1Gi", [None], [{}],
    {"": ""}, "2026-01-01T00:00:00Z", "$(X)", "*", [{"name": "a"}, {"name": "a"}], {"matchLabels": {"app": "stranger"}},
]  # fmt: skip
WORDS = [
    "a", "web", "default", "80", "http", "Always", "Never", "ClusterIP", "Exists", "In", "100m", "1Gi", "TCP", "True",
    "RollingUpdate", "OnDelete", "node-a", "Pod", "Ready", "50%", "* * * * *", "/x", "app", "Delete", "Retain",
]  # fmt: skip
TEMPLATE = {
    "metadata": {"labels": {"app": "stranger"}},
    "spec": {"containers": [{"name": "c", "image": "busybox:1"}], "restartPolicy": "Never"},
}
SELECTED = {"selector": {"matchLabels": {"app": "stranger"}}, "template": TEMPLATE}
JOB = {"template": TEMPLATE}
# A spec to begin with for kinds that would take hardly any made up by chance.
SPECS = {
    "Pod": TEMPLATE["spec"], "Job": JOB, "CronJob": {"schedule": "* * * * *", "jobTemplate": {"spec": JOB}},
    **dict.fromkeys(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"), SELECTED),
    "ReplicationController": {"selector": {"app": "stranger"}, "template": TEMPLATE},
    "Service": {"selector": {"app": "stranger"}, "ports": [{"port": 80}]},
}  # fmt: skip


class Stranger:
    def __init__(self, seed: int):
        self.chance = random.Random(seed)

    def request(self) -> tuple[str, str, dict | list, str]:
        """Method, path, body and content type."""
        kind = self.chance.choice(sorted(KINDS, key=lambda each: each.resource))
        name = f"stranger-{self.chance.randrange(3)}"
        schema = schemas()[root_of(kind.api_version, kind.kind)]
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
        body |= {"spec": copy.deepcopy(SPECS[kind.kind])} if kind.kind in SPECS else {}
        root = f"/api{'s' if kind.group else ''}/{kind.api_version}"
        place = f"{root}/{'namespaces/default/' if kind.namespaced else ''}{kind.plural}"
        if self.chance.random() < 0.4 and "status" in schema["properties"]:
            body["status"] = self.some(schema["properties"]["status"])
            return "PATCH", f"{place}/{name}/status", body, "application/merge-patch+json"
        made = self.some({**schema, "properties": {f: t for f, t in schema["properties"].items() if f not in body}})
        body |= made if isinstance(made, dict) else {}
        for _ in range(self.chance.choice([0, 1, 1, 2])):
            self.spoil(body, schema)
        if self.chance.random() < 0.5:
            return self.change(f"{place}/{name}", body)
        return "POST", place, body, "application/json"

    def change(self, path: str, body: dict) -> tuple[str, str, dict | list, str]:
        """Of what is there, perhaps: in one of the ways that there are."""
        how = self.chance.choice(["merge-patch+json", "strategic-merge-patch+json", "json-patch+json", "apply", "put"])
        match how:
            case "put":
                return "PUT", path, body, "application/json"
            case "apply":
                return "PATCH", f"{path}?fieldManager=stranger&force=true", body, "application/apply-patch+yaml"
            case "json-patch+json":
                steps = [self.step(body) for _ in range(self.chance.choice([1, 2, 3]))]
                return "PATCH", path, steps, f"application/{how}"
        if how.startswith("strategic") and self.chance.random() < 0.3:
            body["$patch"] = self.chance.choice(["replace", "delete", "merge", "a", None])
        return "PATCH", path, body, f"application/{how}"

    def step(self, body: dict) -> dict:
        """One of a JSON patch, to somewhere in such an object, or to nowhere."""

        def pointer(node: object) -> str:
            keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
            if not keys or self.chance.random() < 0.2:
                return self.chance.choice(["", "", "/-", "/0", "/a", "/~1"])
            key = self.chance.choice(list(keys))
            return f"/{key}{pointer(node[key])}"

        verb = self.chance.choice(["add", "remove", "replace", "move", "copy", "test", "a"])
        return {"op": verb, "path": pointer(body), "from": pointer(body), "value": self.some({"type": "string"})}

    def spoil(self, node: dict, schema: dict) -> None:
        """Set one field of the object, deep in it or not, to something else of its type or to something odd."""
        schema = self.meant(schema)
        fields = schema.get("properties", {})
        below = [field for field, child in node.items() if isinstance(child, dict) and field in fields and child]
        if below and self.chance.random() < 0.8:
            field = self.chance.choice(below)
            self.spoil(node[field], fields[field])
        elif changeable := sorted(fields.keys() - {"metadata", "name"}):
            field = self.chance.choice(changeable)
            node[field] = self.some(fields[field])

    def some(self, schema: dict, depth: int = 0) -> object:
        schema = self.meant(schema)
        if self.chance.random() < 0.03:
            return copy.deepcopy(self.chance.choice(ODD))
        if "properties" in schema:
            often = 0.5 if depth < 2 else 0.2
            chosen = [f for f in sorted(schema["properties"]) if depth < 7 and self.chance.random() < often]
            return {field: self.some(schema["properties"][field], depth + 1) for field in chosen}
        match schema.get("type"):
            case "array":
                return [self.some(schema["items"], depth + 1) for _ in range(self.chance.choice([0, 1, 1, 2]))]
            case "object":
                return {self.chance.choice(["a", "app", "cpu"]): self.some(schema.get("additionalProperties") or {}, 7)}
            case "integer" | "number":
                return self.chance.choice([0, 1, 2, 80, 8080, -1])
            case "boolean":
                return self.chance.random() < 0.5
        return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else self.chance.choice(WORDS)

    @staticmethod
    def meant(schema: dict) -> dict:
        while "$ref" in schema or schema.get("allOf"):
            schema = schemas()[(schema.get("$ref") or schema["allOf"][0]["$ref"]).removeprefix(REF)]
        return schema


@pytest.mark.parametrize("seed", (3, 18, 41, 111, 137))
def test_what_strangers_write_breaks_nothing(api: Api, seed: int, caplog):
    stranger, taken = Stranger(seed), 0
    for _ in range(REQUESTS):
        method, path, body, content = stranger.request()
        reply = api.ask(method, path, body, Content_Type=content)
        assert reply.code < 500, (method, path, body, reply.raw)
        assert reply.code < 400 or reply.json["kind"] == "Status" and reply.json["message"], (method, path, body)
        taken += reply.code < 300
    assert taken > REQUESTS / 20
    objects = Client("default", "test")
    for _ in range(2):
        for loop in LOOPS.values():
            catch_up("default", loop)
    Board([obj for kind in KINDS for obj in objects.list(kind)])
    for kind in KINDS:
        listed = api.get(f"/api{'s' if kind.group else ''}/{kind.api_version}/{kind.plural}", Accept=TABLE)
        assert listed.code == 200, listed.raw
    broken = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert not broken


def test_a_status_has_its_types_and_what_they_always_hold(api: Api):
    pods = "/api/v1/namespaces/default/pods"
    pod = api.create(pods, {"metadata": {"name": "a"}, "spec": TEMPLATE["spec"]})
    wrong = api.ask("PUT", f"{pods}/a/status", {**pod, "status": {"conditions": "none"}})
    assert (wrong.code, wrong.json["reason"]) == (400, "BadRequest")
    assert "cannot unmarshal string into Go struct field PodStatus.status.conditions" in wrong.json["message"]
    half = {"phase": "Running", "containerStatuses": [{"image": "busybox:1"}], "conditions": [{"type": "Ready"}]}
    told = api.ask("PUT", f"{pods}/a/status", {**pod, "status": half}).json["status"]
    assert told["conditions"] == [{"type": "Ready", "status": ""}]
    zero = {"name": "", "ready": False, "restartCount": 0, "imageID": ""}
    assert told["containerStatuses"] == [{"image": "busybox:1", **zero}]


def test_what_leaves_out_what_its_kind_is_looked_up_by_is_refused(api: Api):
    gated = {"metadata": {"name": "a"}, "spec": {**TEMPLATE["spec"], "readinessGates": [{}]}}
    refused = api.ask("POST", "/api/v1/namespaces/default/pods", gated)
    assert (refused.code, refused.json["details"]["causes"][0]["field"]) == (
        422,
        "spec.readinessGates[0].conditionType",
    )
    selecting = {"manualSelector": True, "selector": {"matchExpressions": [{"operator": "Exists"}]}, **JOB}
    refused = api.ask("POST", "/apis/batch/v1/namespaces/default/jobs", {"metadata": {"name": "a"}, "spec": selecting})
    assert (refused.code, refused.json["details"]["causes"][0]["field"]) == (
        422,
        "spec.selector.matchExpressions[0].key",
    )


def test_an_object_that_leaves_out_its_spec_has_an_empty_one_and_one_without_a_name_is_refused(api: Api):
    made = api.create("/apis/coordination.k8s.io/v1/namespaces/default/leases", {"metadata": {"name": "a"}})
    assert made["spec"] == {}
    untyped = api.ask("POST", "/api/v1/namespaces/default/pods", {"apiVersion": 1, "metadata": {"name": "b"}})
    assert (untyped.code, untyped.json["reason"]) == (400, "BadRequest")
    for kind in (kind for kind in KINDS if "create" in kind.verbs and kind.kind in SPECS):
        place = f"/api{'s' if kind.group else ''}/{kind.api_version}/namespaces/default/{kind.plural}"
        refused = api.ask("POST", place, {"metadata": {}, "spec": SPECS[kind.kind]})
        assert refused.code == 422
        assert "metadata.name: Required value: name or generateName is required" in refused.json["message"]


def test_where_a_kubelet_answers_no_client_says(api: Api):
    """Whoever answers there is shown the token that opens every kubelet of the lab."""
    theirs = {"orrery.io/kubelet": "http://10.0.0.9:1", "orrery.io/gateway": "10.0.0.9:1", "orrery.io/power": "on"}
    node = {"metadata": {"name": "n1", "annotations": theirs}, "status": {"capacity": {"cpu": "1"}}}
    assert api.create("/api/v1/nodes", node)["metadata"]["annotations"] == {"orrery.io/power": "on"}
    kubelet = Client("default", "kubelet")
    kubelet.patch(NODES, "", "n1", {"metadata": {"annotations": {"orrery.io/kubelet": "http://127.0.0.1:7"}}})
    known = {"orrery.io/kubelet": "http://127.0.0.1:7", "orrery.io/power": "on"}
    for body in ({"annotations": theirs}, {"annotations": {"orrery.io/kubelet": None}}):
        for part in ("", "/status"):
            reply = api.patch(f"/api/v1/nodes/n1{part}", {"metadata": body})
            assert (reply.code, reply.json["metadata"]["annotations"]) == (200, known)
    reply = api.patch("/api/v1/nodes/n1", {"metadata": {"annotations": None}})
    assert reply.json["metadata"]["annotations"] == {"orrery.io/kubelet": "http://127.0.0.1:7"}
    made, wrong = create_from_yaml(
        "default", "{apiVersion: v1, kind: Node, metadata: {name: n2, annotations: {orrery.io/kubelet: x}}}"
    )
    assert not wrong and not made[0]["metadata"].get("annotations")
    for patch in ({"metadata": {"annotations": theirs}}, [{"op": "remove", "path": "/metadata/annotations"}]):
        perform(Client("default", "board"), "amend", {"resource": "nodes", "name": "n1", "patch": patch})
    (known,) = (node for node in kubelet.list(NODES) if node["metadata"]["name"] == "n1")
    assert known["metadata"]["annotations"] == {"orrery.io/kubelet": "http://127.0.0.1:7"}


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ("2026-11-24T10:00:00.123456Z", 201),
        ("2026-11-24T10:00:00+02:00", 201),
        ("1998-12-31T23:59:60Z", 400),
        ("2026-11-24t10:00:00z", 400),
        ("0000-01-01T00:00:00Z", 400),
        ("2026-11-24", 400),
    ],
)
def test_a_time_is_what_everybody_can_read(api: Api, time: str, code: int):
    """Of a Lease's, all loops hang on it."""
    lease = {"metadata": {"name": "a"}, "spec": {"renewTime": time}}
    reply = api.ask("POST", "/apis/coordination.k8s.io/v1/namespaces/default/leases", lease)
    assert reply.code == code and (code == 201 or f'parsing time "{time}"' in reply.json["message"])


@pytest.mark.parametrize("cidr", ["fd00::/64", "10.0.0.0/8", "0.0.0.0/0", "10.64.1.0", "somewhere"])
def test_a_node_has_a_range_that_its_pods_can_have_addresses_of(api: Api, cidr: str):
    """One kubelet sees to the nodes of all clusters, and this one's, too."""
    fits = cidr == "10.64.1.0"  # a single address is a range of one
    for field in ({"podCIDR": cidr}, {"podCIDRs": [cidr]}):
        reply = api.ask("POST", "/api/v1/nodes", {"metadata": {"generateName": "n"}, "spec": field})
        assert reply.code == (201 if fits else 422)
