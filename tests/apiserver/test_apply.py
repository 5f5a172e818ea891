"""Server-side apply: who owns which field, what a conflict says, and what goes when nobody says it any more."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.apimachinery import meta
from lab.apimachinery.kinds import DEPLOYMENTS as DEPLOYMENT_KIND
from lab.apiserver.managedfields import Manager, applied, created_by_apply
from lab.client import Client

from .conftest import Reply, deployment

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = "application/apply-patch+yaml"


def apply(api, config: dict | str, manager: str = "me", query: str = "", at: str = f"{DEPLOYMENTS}/web"):
    body = config if isinstance(config, str) else json.dumps(config)
    return api.ask("PATCH", f"{at}?fieldManager={manager}{query}", body.encode(), Content_Type=APPLY)


def revision(api) -> str:
    return api.get(DEPLOYMENTS).json["metadata"]["resourceVersion"]


def owners(obj: dict) -> dict[tuple[str, str], dict]:
    return {(entry["manager"], entry["operation"]): entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


def config(**spec) -> dict:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def named(**metadata) -> dict:
    return {**config(), "metadata": {"name": "web", **metadata}}


def test_what_is_not_there_is_created_and_the_same_again_changes_nothing(api):
    made = apply(api, deployment("web"))
    assert made.code == 201
    assert made.json["spec"]["revisionHistoryLimit"] == 10  # defaults are there, and nobody's
    assert owners(made.json) == {
        ("me", "Apply"): {
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {"f:containers": {'k:{"name":"app"}': {".": {}, "f:image": {}, "f:name": {}}}},
                },
            }
        }
    }
    before = revision(api)
    again = apply(api, deployment("web"))
    assert (again.code, again.json) == (200, made.json)
    assert revision(api) == before


def test_another_owner_who_says_otherwise_is_a_conflict_until_it_is_forced(api):
    api.ask("POST", f"{DEPLOYMENTS}?fieldManager=maker", deployment("web", 2))
    refused = apply(api, config(replicas=3))
    assert (refused.code, refused.json["reason"]) == (409, "Conflict")
    assert (
        refused.json["message"] == 'Apply failed with 1 conflict: conflict with "maker" using apps/v1: .spec.replicas'
    )
    cause = {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "maker" using apps/v1',
        "field": ".spec.replicas",
    }
    assert refused.json["details"]["causes"] == [cause]

    shared = apply(api, config(replicas=2)).json  # the same value can have two owners
    assert (
        "f:replicas" in owners(shared)["me", "Apply"]["f:spec"]
        and "f:replicas" in owners(shared)["maker", "Update"]["f:spec"]
    )
    forced = apply(api, config(replicas=3), query="&force=true").json
    assert forced["spec"]["replicas"] == 3
    assert "f:replicas" not in owners(forced)["maker", "Update"]["f:spec"]


def test_several_conflicts_are_told_by_their_owners(api):
    api.ask("POST", f"{DEPLOYMENTS}?fieldManager=maker", deployment("web", 2))
    api.ask(
        "PATCH",
        f"{DEPLOYMENTS}/web?fieldManager=scaler",
        {"spec": {"replicas": 5}},
        Content_Type="application/merge-patch+json",
    )
    containers = [{"name": "app", "image": "other"}]
    refused = apply(api, config(replicas=3, template={"spec": {"containers": containers}}))
    assert refused.json["message"].splitlines() == [
        'Apply failed with 2 conflicts: conflicts with "maker" using apps/v1:',
        '- .spec.template.spec.containers[name="app"].image',
        'conflicts with "scaler" using apps/v1:',
        "- .spec.replicas",
    ]


def test_what_is_not_said_any_more_goes_unless_somebody_else_says_it(api):
    wanted = deployment("web", 3)
    wanted["metadata"] |= {"labels": {"mine": "1", "ours": "1"}}
    sidecar = {"name": "side", "image": "busybox:1"}
    wanted["spec"]["template"]["spec"]["containers"].append(sidecar)
    apply(api, wanted)
    other = named(labels={"ours": "1"})
    apply(api, other, "other")

    less = deployment("web")
    del less["spec"]["replicas"]
    left = apply(api, less).json
    assert left["metadata"]["labels"] == {"ours": "1"}
    assert [each["name"] for each in left["spec"]["template"]["spec"]["containers"]] == ["app"]
    assert left["spec"]["replicas"] == 1  # the default, since nobody says a number


def test_the_labs_own_autoscaler_takes_the_number_that_it_changes(api):
    apply(api, deployment("web", 2))
    Client("default", "horizontal-pod-autoscaler").patch(DEPLOYMENT_KIND, "default", "web", {"spec": {"replicas": 4}})
    refused = apply(api, deployment("web", 2))
    assert 'conflict with "horizontal-pod-autoscaler" using apps/v1: .spec.replicas' in refused.json["message"]


def test_what_the_lab_makes_for_itself_has_no_entries_and_an_apply_of_it_begins_with_all_of_it(api):
    Client("default", "somebody").create(
        DEPLOYMENT_KIND, {**deployment("web", 2), "metadata": {"name": "web", "namespace": "default"}}
    )
    assert "managedFields" not in api.get(f"{DEPLOYMENTS}/web").json["metadata"]
    refused = apply(api, config(replicas=3))
    assert 'conflict with "before-first-apply" using apps/v1: .spec.replicas' in refused.json["message"]


def test_it_is_yaml_and_a_dry_run_writes_nothing(api):
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  creationTimestamp: null\ndata:\n  day: '2026-01-31'\n"
    )
    at = "/api/v1/namespaces/default/configmaps/c"
    assert apply(api, text, query="&dryRun=All", at=at).json["data"] == {"day": "2026-01-31"}
    assert api.get(at).code == 404
    assert apply(api, text, at=at).code == 201


def test_the_status_is_applied_at_its_own_address(api):
    apply(api, deployment("web"))
    status = {**config(), "status": {"observedGeneration": 1}}
    made = apply(api, status, "looker", at=f"{DEPLOYMENTS}/web/status").json
    assert made["status"]["observedGeneration"] == 1
    entry = next(each for each in made["metadata"]["managedFields"] if each["manager"] == "looker")
    assert (entry["subresource"], entry["fieldsV1"]) == ("status", {"f:status": {"f:observedGeneration": {}}})


def test_an_empty_entry_forgets_all_owners_and_a_manager_can_be_renamed(api):
    apply(api, deployment("web"))
    made = api.get(f"{DEPLOYMENTS}/web").json
    renamed = [{**made["metadata"]["managedFields"][0], "manager": "you"}]
    assert owners(api.patch(f"{DEPLOYMENTS}/web", {"metadata": {"managedFields": renamed}}).json).keys() == {
        ("you", "Apply")
    }
    reset = api.patch(f"{DEPLOYMENTS}/web", {"metadata": {"managedFields": [{}]}}).json
    assert "managedFields" not in reset["metadata"]


@pytest.mark.parametrize(
    ("query", "body", "code", "words"),
    [
        ("", config(replicas=1), 422, "fieldManager: Required value: is required for apply patch"),
        ("fieldManager=me", config(replica=1), 400, ".spec.replica: field not declared in schema"),
        ("fieldManager=me", named(name="other"), 400, "does not match"),
        ("fieldManager=me", named(managedFields=[{"manager": "x"}]), 400, "must be nil"),
        ("fieldManager=me", [1], 400, "cannot unmarshal array"),
        ("fieldManager=me&force=maybe", config(), 400, "force"),
        ("fieldManager=me", named(resourceVersion="1"), 409, "has been modified"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused_in_words(api, query, body, code, words):
    api.create(DEPLOYMENTS, deployment("web"))
    refused = api.ask("PATCH", f"{DEPLOYMENTS}/web?{query}", json.dumps(body).encode(), Content_Type=APPLY)
    assert refused.code == code, refused.raw
    assert words in refused.json["message"]


def test_only_an_apply_can_be_forced(api):
    api.create(DEPLOYMENTS, deployment("web"))
    refused = api.patch(f"{DEPLOYMENTS}/web?force=true", {"spec": {"replicas": 2}})
    assert (refused.code, "may not be specified for non-apply patch" in refused.json["message"]) == (422, True)


def test_a_body_of_yaml_is_taken_and_one_that_unfolds_without_end_is_not(api):
    def made(text: str) -> Reply:
        path = "/api/v1/namespaces/default/configmaps"
        return api.ask("POST", path, text.encode(), Content_Type="application/yaml")

    assert made("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}").code == 201
    bomb = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    refused = made(f"a: &a x\n{bomb}")
    assert (refused.code, "aliases unfold" in refused.json["message"]) == (400, True)
    assert made(f"a: {'9' * 5000}").code == 400


names = st.sampled_from("abc")
containers = st.lists(
    st.fixed_dictionaries({"name": names, "image": names}, optional={"command": st.lists(names, min_size=1)}),
    min_size=1,
    unique_by=lambda each: each["name"],
)
configs = st.builds(
    lambda labels, replicas, items: {
        **config(template={"spec": {"containers": items}}, **replicas),
        "metadata": {"name": "web"} | ({"labels": labels} if labels else {}),
    },
    st.dictionaries(names, names),
    st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 3)}),
    containers,
)


def says(obj, wanted) -> bool:
    """Whether everything that is wanted is so in the object, items being found by name."""
    if isinstance(wanted, dict):
        return isinstance(obj, dict) and all(
            field in obj and says(obj[field], value) for field, value in wanted.items()
        )
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return all(any(item["name"] == each["name"] and says(item, each) for item in obj) for each in wanted)
    return obj == wanted


@given(configs, configs, configs)
def test_the_object_says_what_its_appliers_say_and_nothing_that_nobody_says(first, second, other):
    me, you = Manager("me", "Apply"), Manager("you", "Apply")
    obj = {**meta.copied(first), "metadata": {**first["metadata"], "managedFields": created_by_apply(first, me)}}
    obj = applied(obj, other, you, force=True)
    assert says(obj, other)
    obj = applied(obj, second, me, force=True)
    assert says(obj, second)
    again = applied(obj, second, me, force=False)
    assert again == obj
    said = {label for each in (second, other) for label in each["metadata"].get("labels", {})}
    assert obj["metadata"].get("labels", {}).keys() == said
    named = {item["name"] for each in (second, other) for item in each["spec"]["template"]["spec"]["containers"]}
    assert {item["name"] for item in obj["spec"]["template"]["spec"]["containers"]} == named
    alone = applied(obj, config(), you, force=False)
    assert says(alone, second)
    assert alone["metadata"].get("labels", {}) == second["metadata"].get("labels", {})
