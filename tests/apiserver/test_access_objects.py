"""ServiceAccounts, roles and bindings as objects: what they may be, and how they print."""

import pytest

from lab.apimachinery.kinds import RBAC

from .conftest import TABLE, pod

GROUP = f"/apis/{RBAC}/v1"
ROLES, BINDINGS = f"{GROUP}/namespaces/default/roles", f"{GROUP}/namespaces/default/rolebindings"
REF = {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
ROBOT = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}


def causes(reply) -> list[tuple[str, str]]:
    assert reply.code == 422, reply.raw
    return [(cause["field"], cause["message"]) for cause in reply.json["details"]["causes"]]


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ({"apiGroups": [""], "resources": ["pods"]}, "verbs", "Required value: verbs must contain at least one value"),
        ({"verbs": ["get"], "resources": ["pods"]}, "apiGroups",
         "Required value: resource rules must supply at least one api group"),
        ({"verbs": ["get"], "apiGroups": [""]}, "resources",
         "Required value: resource rules must supply at least one resource"),
        ({"verbs": ["get"], "nonResourceURLs": ["/version"]}, "nonResourceURLs",
         'Invalid value: ["/version"]: namespaced rules cannot apply to non-resource URLs'),
    ],
)  # fmt: skip
def test_a_rule_must_say_what_may_be_done_with_what(api, rule, field, message):
    refused = api.ask("POST", ROLES, {"metadata": {"name": "odd"}, "rules": [rule]})
    assert causes(refused) == [(f"rules[0].{field}", message)]


def test_a_cluster_role_may_name_paths_but_not_mixed_with_resources(api):
    rule = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}
    api.create(f"{GROUP}/clusterroles", {"metadata": {"name": "lab:metrics"}, "rules": [rule]})
    mixed = {"metadata": {"name": "odd"}, "rules": [rule | {"resources": ["pods"], "apiGroups": [""]}]}
    words = "rules cannot apply to both regular resources and non-resource URLs"
    assert words in causes(api.ask("POST", f"{GROUP}/clusterroles", mixed))[0][1]
    slashed = api.ask("POST", f"{GROUP}/clusterroles", {"metadata": {"name": "a/b"}, "rules": []})
    assert causes(slashed) == [("metadata.name", "Invalid value: \"a/b\": may not contain '/'")]


def test_a_binding_fills_in_its_groups_and_keeps_its_role(api):
    subjects = [ROBOT, {"kind": "User", "name": "jane"}]
    binding = {"metadata": {"name": "read"}, "roleRef": {"kind": "Role", "name": "reader"}, "subjects": subjects}
    made = api.create(BINDINGS, binding)
    assert made["roleRef"] == REF
    assert [subject.get("apiGroup") for subject in made["subjects"]] == [None, RBAC]
    other = api.patch(f"{BINDINGS}/read", {"roleRef": {"name": "writer"}})
    assert causes(other)[0][1].endswith("cannot change roleRef")
    assert api.patch(f"{BINDINGS}/read", {"subjects": [ROBOT]}).code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"roleRef": REF | {"kind": "Rolle"}}, "roleRef.kind"),
        ({"roleRef": REF | {"apiGroup": "apps"}}, "roleRef.apiGroup"),
        ({"roleRef": REF | {"name": ""}}, "roleRef.name"),
        ({"subjects": [ROBOT | {"namespace": ""}]}, "subjects[0].namespace"),
        ({"subjects": [ROBOT | {"kind": "Robot"}]}, "subjects[0].kind"),
        ({"subjects": [ROBOT | {"name": "R2 D2"}]}, "subjects[0].name"),
        ({"subjects": [ROBOT | {"apiGroup": RBAC}]}, "subjects[0].apiGroup"),
    ],
)
def test_a_binding_must_name_a_role_and_somebody(api, change, field):
    binding = {"metadata": {"name": "read"}, "roleRef": REF, "subjects": [ROBOT]} | change
    assert [each for each, _ in causes(api.ask("POST", BINDINGS, binding))] == [field]


def test_a_cluster_role_binding_is_of_a_cluster_role(api):
    refused = api.ask("POST", f"{GROUP}/clusterrolebindings", {"metadata": {"name": "read"}, "roleRef": REF})
    assert causes(refused) == [("roleRef.kind", 'Unsupported value: "Role": supported values: "ClusterRole"')]


def test_a_role_that_is_made_of_others_says_of_which(api):
    for selectors in ([], [{"matchLabels": {"a b": "c"}}]):
        rule = {"clusterRoleSelectors": selectors}
        refused = api.ask("POST", f"{GROUP}/clusterroles", {"metadata": {"name": "sum"}, "aggregationRule": rule})
        assert causes(refused)[0][0].startswith("aggregationRule.clusterRoleSelectors")


def test_a_pod_is_refused_whose_account_there_is_not(api):
    path = "/api/v1/namespaces/default"
    ghost = pod("web")
    ghost["spec"]["serviceAccountName"] = "ghost"
    refused = api.ask("POST", f"{path}/pods", ghost)
    assert (refused.code, refused.json["message"]) == (
        403,
        'pods "web" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found',
    )
    api.create(f"{path}/serviceaccounts", {"metadata": {"name": "ghost"}})
    assert api.create(f"{path}/pods", ghost)["spec"]["serviceAccount"] == "ghost"
    assert api.create(f"{path}/pods", pod("plain"))["spec"]["serviceAccountName"] == "default"


def test_they_print_as_kubernetes_prints_them(api):
    api.create("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "robot"}})
    subjects = [ROBOT, {"kind": "User", "name": "jane"}, {"kind": "Group", "name": "staff"}]
    api.create(BINDINGS, {"metadata": {"name": "read"}, "roleRef": REF, "subjects": subjects})

    def printed(path: str) -> tuple[list[str], list]:
        table = api.get(path, Accept=TABLE).json
        return [column["name"] for column in table["columnDefinitions"]], table["rows"][0]["cells"]

    names, cells = printed("/api/v1/namespaces/default/serviceaccounts/robot")
    assert (names, cells[:2]) == (["Name", "Secrets", "Age"], ["robot", 0])
    names, cells = printed(f"{BINDINGS}/read")
    assert names == ["Name", "Role", "Age", "Users", "Groups", "ServiceAccounts"]
    assert (cells[:2], cells[3:]) == (["read", "Role/reader"], ["jane", "staff", "default/robot"])
    assert printed(f"{GROUP}/clusterroles/view")[0] == ["Name", "Created At"]
    assert printed(f"{GROUP}/clusterrolebindings/cluster-admin")[1][4] == "system:masters"
